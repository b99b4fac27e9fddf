import { ScreeningError } from '../domain/errors.ts'
import {
  ALIVE_EVERY_MS,
  EXIT_FAILED,
  type FailedMessage,
  type StartMessage,
  type ToChild,
  type ToSupervisor,
} from './messages.ts'

/** What a child process does with its life. */
export type ChildProgram = {
  /** Later messages; `start` and `stop` are handled here. */
  onMessage(message: ToChild): void
  /** The supervisor is gone without a word. Says for how many milliseconds the program goes on; without this it stops. */
  goOnAlone?(): number
  /** That time is over and nobody came: it is stopped next. */
  onNobodyCame?(): void
  /** Finishes what is in flight. */
  stop(): Promise<void>
}

/**
 * What is not finished by then is left as a crash would leave it, which the next start mends. Shorter than the
 * supervisor's patience, and than a new control process waits for the old one's data directory.
 */
const STOP_MS = 6_000

/**
 * Runs one child of the supervisor: waits for its configuration, starts, says so, and goes when told or when the
 * supervisor is gone, at once or some time later. Operating errors are told in words; anything else crashes the process, as it should.
 */
export function runChild(program: (start: StartMessage) => Promise<ChildProgram>): void {
  let running: ChildProgram | undefined
  let stopping = false
  const pending: ToChild[] = []

  const stop = async () => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), STOP_MS).unref()
    await running?.stop()
    process.exit(0)
  }
  const endAlone = () => {
    if (!stopping) running?.onNobodyCame?.()
    void stop()
  }
  // A terminal sends SIGINT to the whole group: the supervisor's word is the one that counts.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => void stop())
  process.on('disconnect', () => {
    const aloneMs = stopping ? 0 : (running?.goOnAlone?.() ?? 0)
    if (aloneMs > 0) setTimeout(endAlone, aloneMs)
    else void stop()
  })
  process.on('message', (raw) => {
    const message = raw as ToChild
    if (message.type === 'stop') void stop()
    else if (message.type === 'start') void start(message)
    else if (running) running.onMessage(message)
    else pending.push(message)
  })

  async function start(message: StartMessage): Promise<void> {
    process.title = `zaslon ${message.label}`
    setInterval(() => tell({ type: 'alive' }), ALIVE_EVERY_MS).unref()
    try {
      running = await program(message)
      for (const waiting of pending.splice(0)) running.onMessage(waiting)
    } catch (error) {
      fail(error)
    }
  }
}

/** Tells the supervisor why this process cannot go on, and ends it. */
export function fail(error: unknown): void {
  if (!(error instanceof ScreeningError)) throw error
  tell(failedMessage(error), () => process.exit(EXIT_FAILED))
}

/** The same when a thread does not move: an orderly exit would wait for it. */
export function failAtOnce(error: ScreeningError): void {
  tell(failedMessage(error), () => process.kill(process.pid, 'SIGKILL'))
}

function failedMessage({ code, message, details: { hint } }: ScreeningError): FailedMessage {
  return { type: 'failed', code, message, ...(hint ? { hint } : {}) }
}

/** Says something to the supervisor; a supervisor that is gone needs no answer. */
export function tell(message: ToSupervisor, sent: () => void = () => {}): void {
  if (process.connected && process.send) process.send(message, undefined, {}, sent)
  else sent()
}
