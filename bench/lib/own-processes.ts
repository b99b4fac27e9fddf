import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What a bench starts and writes goes with it, whatever ends it. Processes are found as what descends from this one, so also
 * those that were only just started; directories are below one that has this process in its name, so that what a killed run
 * has left is found by the next one.
 */
const DIRECTORY_PREFIX = 'zaslon-bench-run-'
/** A service needs about a second. */
const END_MS = 10_000

/** Makes the temporary directory of this process a new one of its own, and returns it. */
export function enterOwnDirectory(): string {
  for (const name of readdirSync(os.tmpdir())) {
    if (isLeft(name)) rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true })
  }
  const directory = mkdtempSync(path.join(os.tmpdir(), `${DIRECTORY_PREFIX}${process.pid}-`))
  process.env.TMPDIR = directory
  return directory
}

function isLeft(name: string): boolean {
  const pid = new RegExp(`^${DIRECTORY_PREFIX}(\\d+)-`).exec(name)?.[1]
  return pid !== undefined && !existsSync(`/proc/${pid}`)
}

/**
 * Ends all that descends from this process, stopped ones too. SIGTERM to its children, and to those that are left without a
 * parent: a supervisor starts again what somebody else ends. SIGKILL to what stays.
 */
export async function endDescendants(endMs = END_MS): Promise<void> {
  const giveUpMs = Date.now() + endMs
  const known = new Set<number>()
  const asked = new Set<number>()
  for (;;) {
    for (const pid of descendants(process.pid)) known.add(pid)
    const living = [...known].flatMap((pid) => {
      const parent = parentOf(pid)
      return parent === undefined ? [] : [{ pid, parent }]
    })
    if (living.length === 0) return
    for (const { pid } of living) send(pid, 'SIGCONT')
    for (const { pid, parent } of living) {
      if ((parent !== process.pid && known.has(parent)) || asked.has(pid)) continue
      asked.add(pid)
      send(pid, 'SIGTERM')
    }
    if (Date.now() > giveUpMs) for (const { pid } of living) send(pid, 'SIGKILL')
    await sleep(20)
  }
}

/** SIGSTOP or SIGCONT to a process and all that descends from it. */
export function signalTree(pid: number, signal: 'SIGSTOP' | 'SIGCONT'): void {
  for (const one of [pid, ...descendants(pid)]) send(one, signal)
}

/** Of a process, without itself; only those that live. */
export function descendants(ancestor: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? parentOf(Number(name)) : undefined
    if (parent !== undefined) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const below = (parent: number): number[] => (children.get(parent) ?? []).flatMap((pid) => [pid, ...below(pid)])
  return below(ancestor)
}

/** Undefined for a process that has ended. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : Number(parent)
  } catch {
    return undefined
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended meanwhile.
  }
}
