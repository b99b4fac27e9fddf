import type { FailedMessage, ToChild } from './messages.ts'

export type Role = 'control' | 'verdict'

/** What is asked of a forked process: node:child_process has it, and so has a fake. */
export type Forked = {
  readonly pid?: number | undefined
  readonly connected: boolean
  send(message: ToChild, sent: () => void): void
  kill(signal: NodeJS.Signals): void
  on(event: 'message', listener: (message: unknown) => void): void
  on(event: 'exit', listener: (code: number | null, signal: NodeJS.Signals | null) => void): void
  on(event: 'error', listener: (error: Error) => void): void
}

/** What a process that is not ready is at. */
export type StartStep = keyof typeof WAITS

/** One process of the supervisor, over all its starts. */
export type Child = {
  readonly label: string
  readonly role: Role
  /** The one fork there is; set until that fork has ended. */
  process: Forked | undefined
  /** The start to come, while it waits for its turn. */
  backoff: NodeJS.Timeout | undefined
  step: StartStep
  startedMs: number
  crashes: number
  wasReady: boolean
  ready: boolean
  failure: Failure | undefined
}

export type Failure = Omit<FailedMessage, 'type'>

/** As an operator reads it. */
const WAITS = {
  turn: 'not started: control opens the data directory first',
  port: 'not started: the verdict port is in use',
  again: 'not started again yet: it ended, and the log says why',
  load: 'loading its program',
  store: 'opening the data directory and the record',
  control: 'looking at imports, loading samples, listening',
  tables: 'taking up snapshots, building tables, listening',
} as const

export function newChild(label: string, role: Role): Child {
  return {
    label,
    role,
    process: undefined,
    backoff: undefined,
    step: 'turn',
    startedMs: 0,
    crashes: 0,
    wasReady: false,
    ready: false,
    failure: undefined,
  }
}

/** The process and what it is at: `control (process 71): opening the data directory and the record`. */
export function awaited({ label, process, step }: Child): string {
  return process?.pid === undefined ? `${label}: ${WAITS[step]}` : `${label} (process ${process.pid}): ${WAITS[step]}`
}

export function textOf({ code, message }: Failure): string {
  return `${code}: ${message}`
}

/** IPC to a child that is going away fails; what it was told no longer matters. */
export function send(child: Child, message: ToChild): void {
  if (child.process?.connected) child.process.send(message, () => {})
}
