/**
 * Verdict processes whose supervisor was killed go on, so that no call waits while somebody starts a new one; it has them
 * end when its own serve. A process that serves leaves a note in the data directory, by which it is found. Its name says
 * which process it is, so that no signal meets a stranger with the same id; its text what is served.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { packageVersion } from '../config/package-directory.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import { bootId, processState } from './process-state.ts'

/** Longer than a service with 10 M numbers takes to start. Then they give the port back, whoever comes or not. */
export const LEFT_BEHIND_MS = 15_000

export type LeftBehind = {
  readonly pid: number
  readonly startTicks: string
  /** It serves what we are about to serve: the same version on the same port. */
  readonly isAlike: boolean
}

type Served = { readonly host: string; readonly port: number }
type NotesDirectory = Pick<DataDirectory, 'serving'>

const textOf = ({ host, port }: Served) => [bootId(), packageVersion(), host, port].join(' ')

/** Says that this process serves. Returns what takes that back; undefined where it could not be found again. */
export function noteServing(directory: NotesDirectory, served: Served): (() => void) | undefined {
  const own = processState(process.pid)
  if (own === undefined) return undefined
  const file = path.join(directory.serving, `${process.pid}-${own.startTicks}`)
  try {
    writeFileSync(file, textOf(served), { mode: 0o600 })
  } catch {
    // A full disk: without its note it ends with its supervisor.
    return undefined
  }
  return () => rmSync(file, { force: true })
}

/** Of a supervisor before us: none of ours runs yet. Removes the notes of processes that are gone. */
export function findLeftBehind(directory: NotesDirectory, served: Served): LeftBehind[] {
  const alike = textOf(served)
  return namesIn(directory.serving).flatMap((name) => {
    const file = path.join(directory.serving, name)
    const [pid = 0, startTicks = ''] = [Number.parseInt(name, 10), name.split('-')[1]]
    const text = readText(file)
    if (text.startsWith(`${bootId()} `) && isRunning({ pid, startTicks })) {
      return { pid, startTicks, isAlike: text === alike }
    }
    rmSync(file, { force: true })
    return []
  })
}

export function isRunning({ pid, startTicks }: Pick<LeftBehind, 'pid' | 'startTicks'>): boolean {
  return pid > 0 && processState(pid)?.startTicks === startTicks
}

/** Has them end as their supervisor would have: what is in flight is answered. */
export function endLeftBehind(processes: readonly LeftBehind[]): void {
  for (const one of processes) if (isRunning(one)) process.kill(one.pid, 'SIGTERM')
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
