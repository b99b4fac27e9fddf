/**
 * Verdict processes whose supervisor was killed go on, so that no call waits while somebody starts a new one; it has them
 * end when its own serve. A process that serves leaves a note in the data directory, by which it is found. Its name says
 * which process it is, so that no signal meets a stranger with the same id; its text what is served, and under whom.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { packageVersion } from '../config/package-directory.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import { bootId, processState } from './process-state.ts'

/** Longer than a service with 10 M numbers takes to start. Then they give the port back, whoever comes or not. */
export const LEFT_BEHIND_MS = 15_000

/** More than a process takes that ends in order (STOP_MS in child.ts). */
const END_MS = 7_000

type ProcessId = { readonly pid: number; readonly startTicks: string }

export type LeftBehind = ProcessId & {
  /** It serves what we are about to serve: the same version in the same way on the same port. */
  readonly isAlike: boolean
}

export type Served = { readonly host: string; readonly port: number; readonly adapter: string }
type NotesDirectory = Pick<DataDirectory, 'serving'>

const textOf = ({ host, port, adapter }: Served) => [bootId(), packageVersion(), adapter, host, port].join(' ')

/** Says that this process serves. Returns what takes that back; undefined where it could not be found again. */
export function noteServing(directory: NotesDirectory, served: Served): (() => void) | undefined {
  const own = processState(process.pid)
  if (own === undefined) return undefined
  const file = path.join(directory.serving, `${process.pid}-${own.startTicks}`)
  try {
    const supervisor = [process.ppid, processState(process.ppid)?.startTicks].join(' ')
    writeFileSync(file, [textOf(served), supervisor].join('\n'), { mode: 0o600 })
  } catch {
    // A full disk: without its note it ends with its supervisor.
    return undefined
  }
  return () => rmSync(file, { force: true })
}

/** Those whose supervisor is gone. Removes the notes of processes that are gone. */
export function findLeftBehind(directory: NotesDirectory, served: Served): LeftBehind[] {
  const alike = textOf(served)
  return namesIn(directory.serving).flatMap((name) => {
    const file = path.join(directory.serving, name)
    const [pid = 0, startTicks = ''] = [Number.parseInt(name, 10), name.split('-')[1]]
    const [text = '', supervisor = ''] = readText(file).split('\n')
    if (text.startsWith(`${bootId()} `) && isRunning({ pid, startTicks })) {
      return isRunning(processId(supervisor)) ? [] : { pid, startTicks, isAlike: text === alike }
    }
    rmSync(file, { force: true })
    return []
  })
}

/** What the running verdict processes of a data directory serve, whoever started them. Removes nothing. */
export function findServed(directory: NotesDirectory): Served[] {
  return namesIn(directory.serving).flatMap((name) => {
    const [text = ''] = readText(path.join(directory.serving, name)).split('\n')
    const [boot, , adapter = '', host = '', port = ''] = text.split(' ')
    const [pid = 0, startTicks = ''] = [Number.parseInt(name, 10), name.split('-')[1]]
    return boot === bootId() && isRunning({ pid, startTicks }) ? [{ host, port: Number(port), adapter }] : []
  })
}

function processId(text: string): ProcessId {
  const [pid = '', startTicks = ''] = text.split(' ')
  return { pid: Number(pid), startTicks }
}

export function isRunning({ pid, startTicks }: ProcessId): boolean {
  return pid > 0 && processState(pid)?.startTicks === startTicks
}

/** Whether a signal has stopped it: it holds the port and answers nobody. */
export const isStopped = ({ pid }: Pick<ProcessId, 'pid'>) => processState(pid)?.state === 'T'

/** Has them end as their supervisor would have, what is in flight answered; who does not within END_MS is killed. */
export function endLeftBehind(processes: readonly ProcessId[]): void {
  for (const one of processes) signal(one, isStopped(one) ? 'SIGKILL' : 'SIGTERM')
  setTimeout(() => {
    for (const one of processes) signal(one, 'SIGKILL')
  }, END_MS).unref()
}

function signal(one: ProcessId, name: NodeJS.Signals): void {
  if (!isRunning(one)) return
  try {
    process.kill(one.pid, name)
  } catch {
    // It has ended since, or belongs to somebody else: then it is not ours to end.
  }
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
