import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import { CLOCK_SETTLING_MS } from '../../../src/domain/node-clock.ts'
import { CGROUP_ROOT, createCleanup, folderName, NAME_PREFIX } from './cleanup.ts'
import { makeLoopDisk, mountTmpfs } from './disks.ts'
import { run, succeeds } from './shell.ts'

/** What a case may need of the machine; each is tried once, not guessed from a version. */
const PROBES = {
  namespaces: () => {
    const name = `${NAME_PREFIX}probe`
    run('ip', 'netns', 'add', name)
    run('ip', 'netns', 'del', name)
  },
  iptables: () => inNamespace('iptables', '-A', 'INPUT', '-p', 'tcp', '--dport', '9', '-j', 'DROP'),
  tbf: () =>
    inNamespace('tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'tbf', 'rate', '1mbit', 'burst', '16kb', 'latency', '50ms'),
  tmpfs: () => withFolder((folder, cleanup) => void mountTmpfs(cleanup, { folder, mebibytes: 1 })),
  'loop-disk': () => withFolder((folder, cleanup) => void makeLoopDisk(cleanup, { folder, mebibytes: 8 })),
  'power-cut': () =>
    withFolder((folder, cleanup) => {
      const disk = makeLoopDisk(cleanup, { folder, mebibytes: 8 })
      disk.cutPower()
      disk.mountAgain()
    }),
  'mount-namespace': () => run('unshare', '--mount', 'mount', '--bind', '/dev/null', '/etc/hosts'),
  strace: () => run('strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=fsync:error=EIO', 'true'),
  faketime: () => {
    const year = run('faketime', '2001-01-01 00:00:00', process.execPath, '-p', 'new Date().getFullYear()')
    if (year !== '2001') throw new Error(`node saw the year ${year}`)
  },
  /** Before, a node believes whatever its clock does. */
  'settled-clock': () => {
    const upMs = os.uptime() * 1_000
    if (upMs < CLOCK_SETTLING_MS) throw new Error(`the machine booted ${Math.round(upMs / 1_000)} s ago`)
  },
  prlimit: () => run('prlimit', '--nofile=64:64', 'true'),
  'cgroup-memory': () => accessSync(`${CGROUP_ROOT}/memory/memory.limit_in_bytes`, constants.W_OK),
  'cgroup-cpu': () => accessSync(`${CGROUP_ROOT}/cpu`, constants.W_OK),
  ss: () => run('ss', '-V'),
  redis: () => run('redis-server', '--version'),
} as const satisfies Record<string, () => unknown>
export type Capability = keyof typeof PROBES

const answers = new Map<Capability, string | undefined>()

/** Why the machine cannot do this, or undefined when it can. */
export function missing(capability: Capability): string | undefined {
  if (!answers.has(capability)) {
    try {
      PROBES[capability]()
      answers.set(capability, undefined)
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error)
      answers.set(capability, `${capability}: ${words.split('\n')[0]?.slice(0, 160)}`)
    }
  }
  return answers.get(capability)
}

function inNamespace(...command: string[]): void {
  const name = `${NAME_PREFIX}probe`
  run('ip', 'netns', 'add', name)
  try {
    run('ip', 'netns', 'exec', name, ...command)
  } finally {
    succeeds('ip', 'netns', 'del', name)
  }
}

function withFolder(probe: (folder: string, cleanup: ReturnType<typeof createCleanup>) => void): void {
  const folder = mkdtempSync(folderName())
  const cleanup = createCleanup()
  try {
    probe(folder, cleanup)
  } finally {
    // Everything that is deferred here is synchronous.
    void cleanup.run()
    rmSync(folder, { recursive: true, force: true })
  }
}
