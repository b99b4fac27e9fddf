import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CGROUP_ROOT, type Cleanup, NAME_PREFIX } from './cleanup.ts'
import { run, succeeds } from './shell.ts'

/** Stops a process for a while, every thread of it. */
export async function freeze(pid: number, forMs: number): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  try {
    await sleep(forMs)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
}

export function openFileCount(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

/** Returns how to take the limit back; a process that has ended needs nothing. */
export function limitOpenFiles(pid: number, count: number): () => void {
  const before = run('prlimit', '--pid', String(pid), '--nofile', '--noheadings', '--raw', '-o', 'SOFT')
  run('prlimit', '--pid', String(pid), `--nofile=${count}:`)
  return () => void succeeds('prlimit', '--pid', String(pid), `--nofile=${before}:`)
}

/**
 * Changes what system calls of a running process do (strace -e inject=…), for example
 * `fsync,fdatasync:error=EIO`. Resolves when it works, with how to end it.
 */
export async function inject(cleanup: Cleanup, pid: number, what: string): Promise<() => Promise<void>> {
  const calls = what.split(':')[0] ?? ''
  const args = ['-f', '-o', '/dev/null', '-e', `trace=${calls}`, '-e', `inject=${what}`, '-p', String(pid)]
  const strace = spawn('strace', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  const end = () => endChild(strace)
  cleanup.defer(end)
  await new Promise<void>((resolve, reject) => {
    let said = ''
    strace.once('exit', () => reject(new Error(`strace ended: ${said}`)))
    strace.stderr?.on('data', (chunk) => {
      said += chunk
      if (/attached/.test(said)) resolve()
    })
  })
  // It attaches to the threads one after the other.
  await sleep(300)
  return end
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGINT')
  await ended
}

/** A control group (version 1) with one limit, for example `cpu.cfs_quota_us` = 20000. */
export type ControlGroup = {
  /** Put before a command to run it, and what it starts, in the group. */
  readonly prefix: readonly string[]
  add(pid: number): void
  read(file: string): string
  write(file: string, value: number): void
  remove(): Promise<void>
}

export function makeControlGroup(cleanup: Cleanup, kind: 'memory' | 'cpu', name: string): ControlGroup {
  const folder = path.join(CGROUP_ROOT, kind, `${NAME_PREFIX}${name}`)
  mkdirSync(folder)
  const remove = async () => {
    for (let i = 0; i < 100; i++) {
      try {
        for (const pid of readFileSync(path.join(folder, 'cgroup.procs'), 'utf8').split('\n')) {
          if (pid !== '') writeFileSync(path.join(CGROUP_ROOT, kind, 'cgroup.procs'), pid)
        }
        rmdirSync(folder)
        return
      } catch (error) {
        if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return
        await sleep(20)
      }
    }
    throw new Error(`The control group ${folder} cannot be removed.`)
  }
  cleanup.defer(remove)
  const procs = path.join(folder, 'cgroup.procs')
  return {
    prefix: ['sh', '-c', `echo $$ > ${procs} && exec "$0" "$@"`],
    add: (pid) => writeFileSync(path.join(folder, 'cgroup.procs'), String(pid)),
    read: (file) => readFileSync(path.join(folder, file), 'utf8').trim(),
    write: (file, value) => writeFileSync(path.join(folder, file), String(value)),
    remove,
  }
}

/** The process of each local TCP port of established connections to `port`, seen from who accepted them. */
export function acceptedBy(port: number): Map<number, number> {
  const owners = new Map<number, number>()
  const lines = run('ss', '-tnpH', 'state', 'established', `( sport = :${port} )`).split('\n')
  for (const line of lines) {
    const pid = /pid=(\d+)/.exec(line)?.[1]
    const peer = /:(\d+)\s+users/.exec(line)?.[1]
    if (pid !== undefined && peer !== undefined) owners.set(Number(peer), Number(pid))
  }
  return owners
}

/** Who listens at a port: a process that has been started but does not serve yet is not among them. */
export function listeningAt(port: number): Set<number> {
  const text = run('ss', '-tlnpH', `( sport = :${port} )`)
  return new Set([...text.matchAll(/pid=(\d+)/g)].map(([, pid]) => Number(pid)))
}
