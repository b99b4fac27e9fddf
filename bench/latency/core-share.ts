/**
 * Holds processes to a share of a core, so that a generator on the other one can offer several times what they answer. By
 * a control group with a quota (CFS bandwidth, v2 or v1) where we may make one; else by a process that does nothing but take
 * the same core, which the scheduler shares evenly.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pinned, SERVER_CORE } from '../lib/pin.ts'

export type CoreShare = {
  /** For people. */
  readonly means: string
  readonly share: number
  release(): Promise<void>
}

/** Short, so that a process that has used up its quota stands still for milliseconds only. */
const PERIOD_US = 4_000
const GROUP = 'zaslon-bench-'
const ROOTS = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified', '/sys/fs/cgroup/cpu'] as const

export async function holdToShare(pids: readonly number[], share: number): Promise<CoreShare> {
  const group = makeGroup(Math.round(PERIOD_US * share))
  if (group === undefined) return shareWithHog()
  for (const pid of pids) writeFileSync(path.join(group.directory, 'cgroup.procs'), String(pid))
  // Of a bench that is interrupted: the service in it may not have ended yet, and the next bench finds what is left.
  process.once('exit', () => removeEmpty(group.directory))
  return {
    means: `${group.name}: ${PERIOD_US * share} of each ${PERIOD_US} µs`,
    share,
    async release() {
      for (const pid of pids) {
        if (existsSync(`/proc/${pid}`)) writeFileSync(path.join(group.root, 'cgroup.procs'), String(pid))
      }
      // The kernel lets go of a group a moment after its last process.
      await sleep(100)
      removeEmpty(group.directory)
    },
  }
}

function makeGroup(quotaUs: number): { directory: string; root: string; name: string } | undefined {
  for (const root of ROOTS) {
    const isSecond = existsSync(path.join(root, 'cgroup.controllers'))
    const hasCpu = isSecond
      ? /\bcpu\b/.test(readIfThere(path.join(root, 'cgroup.subtree_control')))
      : existsSync(path.join(root, 'cpu.cfs_quota_us'))
    if (!hasCpu || !isWritable(root) || !standsIn(isSecond ? /^0::\/$/m : /^\d+:(?:\w+,)*cpu(?:,\w+)*:\/$/m)) continue
    for (const name of readdirSync(root)) if (name.startsWith(GROUP)) removeEmpty(path.join(root, name))
    const directory = path.join(root, `${GROUP}${process.pid}`)
    mkdirSync(directory)
    if (isSecond) writeFileSync(path.join(directory, 'cpu.max'), `${quotaUs} ${PERIOD_US}`)
    else {
      writeFileSync(path.join(directory, 'cpu.cfs_period_us'), String(PERIOD_US))
      writeFileSync(path.join(directory, 'cpu.cfs_quota_us'), String(quotaUs))
    }
    return { directory, root, name: isSecond ? 'cgroup v2 cpu.max' : 'cgroup v1 cpu.cfs_quota_us' }
  }
  return undefined
}

/** A group that has processes in it stays. */
function removeEmpty(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {
    // It is gone, or another bench has it.
  }
}

/** Whether this process is in the topmost group: then that is where the others came from and go back to. */
function standsIn(line: RegExp): boolean {
  return line.test(readIfThere('/proc/self/cgroup'))
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function shareWithHog(): CoreShare {
  const [program = '', ...args] = [...pinned(SERVER_CORE), process.execPath, '-e', 'for (;;) {}']
  const hog: ChildProcess = spawn(program, args, { stdio: 'ignore' })
  return {
    means: 'a busy process of the same priority on its core',
    share: 0.5,
    async release() {
      hog.kill('SIGKILL')
    },
  }
}
