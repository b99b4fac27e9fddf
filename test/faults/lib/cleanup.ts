import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { run, succeeds } from './shell.ts'

/**
 * What a case does to the machine is undone in reverse order, whatever ends the case. Everything carries the process id
 * of its run in its name, so that what a killed run has left is found and removed by the next one.
 */
export type Cleanup = {
  defer(undo: () => void | Promise<void>): void
  /** Undoes everything, the newest first, and resolves with what could not be undone. */
  run(): Promise<unknown[]>
}

/** Names of namespaces, links and control groups: short, for a link has 15 characters at most. */
export const NAME_PREFIX = `zf${process.pid}-`
const FOLDER_PREFIX = 'zaslon-faults-'
export const CGROUP_ROOT = '/sys/fs/cgroup'

export function createCleanup(): Cleanup {
  const undos: (() => void | Promise<void>)[] = []
  return {
    defer: (undo) => void undos.push(undo),
    async run() {
      const failures: unknown[] = []
      for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
        try {
          await undo()
        } catch (error) {
          failures.push(error)
        }
      }
      return failures
    },
  }
}

export function folderName(): string {
  return path.join(os.tmpdir(), `${FOLDER_PREFIX}${process.pid}-`)
}

/** Removes mounts, namespaces, links, groups and folders of runs that no longer live. */
export function sweepLeftovers(): void {
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n').reverse()) {
    const place = line.split(' ')[1] ?? ''
    if (isLeft(path.basename(path.dirname(place))) || isLeft(path.basename(place))) succeeds('umount', '-l', place)
  }
  if (succeeds('ip', '-V')) {
    for (const line of run('ip', 'netns', 'list').split('\n')) {
      const name = line.split(' ')[0] ?? ''
      if (isLeft(name)) succeeds('ip', 'netns', 'del', name)
    }
    for (const [, name = ''] of run('ip', '-o', 'link').matchAll(/^\d+: ([^@:]+)/gm)) {
      if (isLeft(name)) succeeds('ip', 'link', 'del', name)
    }
  }
  for (const kind of ['memory', 'cpu']) {
    const folder = path.join(CGROUP_ROOT, kind)
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      if (isLeft(name)) rmdirSync(path.join(folder, name))
    }
  }
  for (const name of readdirSync(os.tmpdir())) {
    if (name.startsWith(FOLDER_PREFIX) && isLeft(name))
      rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true })
  }
}

function isLeft(name: string): boolean {
  const pid = /^(?:zf|zaslon-faults-)(\d+)-/.exec(name)?.[1]
  return pid !== undefined && !existsSync(`/proc/${pid}`)
}
