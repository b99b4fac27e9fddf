/**
 * Group commit. Operations wait in line while a transaction is on its way to the disk; the next transaction takes them
 * all, so a hundred reports at once cost one sync, not a hundred.
 *
 * An operation reads (inside the transaction, so it sees the operations before it), decides, and lists what it wants to
 * write; the list is applied when it returns. One that throws has written nothing and rejects alone. When the disk
 * refuses, the whole transaction is undone and everyone in it is told; nothing is half done. A series is several
 * operations in one transaction; one that must be whole has a transaction of its own.
 */
import { ScreeningError } from '../../domain/errors.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, u64Part } from './keys.ts'
import { storageError } from './storage-error.ts'
import { type LogsKept, PlannedWrites, type Sequences, type WriteSet } from './write-set.ts'

/** About 10 ms of the event loop at 10 µs an operation. */
const BATCH_OPERATIONS_MAX = 1_000
/**
 * Of series, which come in thousands when a node catches up: every transaction writes each page it touches, so a large one
 * writes less. But a call to Redis that is under way has 200 ms, and this is 50 to 100 of the event loop.
 */
const SERIES_OPERATIONS_MAX = 1_000
/** More than this waiting means the disk cannot follow: better told at once than after a minute. */
const QUEUED_OPERATIONS_MAX = 20_000

/**
 * A commit takes under 1 ms here and under 100 ms on a slow disk. lmdb-js never answers when LMDB refuses to begin a
 * transaction at all (after an error while it wrote its meta page): without a limit every later write would wait for ever.
 */
const COMMIT_TIMEOUT_MS = 60_000

/**
 * Runs one operation in a transaction that is open, and applies what it wants to write; or throws what it threw and has
 * written nothing. `onRow` sees the keys of all rows but those of the two logs before they are written. Without `atMs` the
 * time is now.
 */
export type Step = <T>(
  operation: (writes: WriteSet) => T,
  options?: { readonly atMs?: number; readonly onRow?: (key: Buffer) => void },
) => T

export type CommitQueueOptions = LogsKept & { readonly commitTimeoutMs?: number }

type Waiting = {
  readonly series: (step: Step) => unknown
  readonly operations: number
  readonly isWhole: boolean
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
}
type Outcome = { readonly waiting: Waiting; readonly result?: unknown; readonly error?: unknown }

export class CommitQueue {
  readonly #environment: Environment
  readonly #options: CommitQueueOptions
  readonly #now: () => number
  readonly #waiting: Waiting[] = []
  #sequences: Sequences
  #draining: Promise<void> | undefined
  /** Why nothing more is taken. */
  #refusal: ScreeningError | undefined

  constructor(options: CommitQueueOptions, dependencies: { environment: Environment; now: () => number }) {
    this.#options = options
    this.#environment = dependencies.environment
    this.#now = dependencies.now
    this.#sequences = {
      change: lastSequenceIn(this.#environment, LIVE_SPACE.change),
      audit: lastSequenceIn(this.#environment, LIVE_SPACE.audit),
    }
  }

  /** Sequence of the newest durable change, 0 when there is none. */
  get lastSequence(): number {
    return this.#sequences.change
  }

  /**
   * Resolves with the operation's result when everything it wrote is on disk. Rejects with what the operation threw, with
   * STORAGE_FULL, STORAGE_FAILED, or QUEUE_FULL.
   */
  run<T>(operation: (writes: WriteSet) => T): Promise<T> {
    return this.runSeries((step) => step(operation))
  }

  /**
   * Several operations, about as many as `operations` says, in one transaction. A series that is whole has the
   * transaction for itself, and throwing undoes all of it; what another one throws undoes its last step alone.
   */
  runSeries<T>(series: (step: Step) => T, { operations = 1, isWhole = false } = {}): Promise<T> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal)
    if (this.#waiting.length >= QUEUED_OPERATIONS_MAX) {
      const message = `${this.#waiting.length} writes wait for the disk: no more are taken.`
      return Promise.reject(new ScreeningError('QUEUE_FULL', message, { retryAfterSeconds: 1 }))
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ series, operations, isWhole, resolve: (result) => resolve(result as T), reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Takes nothing more and resolves when what waits is on disk. */
  async close(): Promise<void> {
    this.#refusal ??= new ScreeningError('UNAVAILABLE', 'The record store is closed.')
    await this.#draining
  }

  async #drain(): Promise<void> {
    // What arrives in this turn of the event loop still joins the first transaction.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) await this.#commit(this.#nextBatch())
    this.#draining = undefined
  }

  #nextBatch(): Waiting[] {
    let count = 0
    for (let operations = 0; count < this.#waiting.length; count++) {
      const next = this.#waiting[count]!
      if (count >= BATCH_OPERATIONS_MAX || operations >= SERIES_OPERATIONS_MAX || (next.isWhole && count > 0)) break
      operations += next.isWhole ? SERIES_OPERATIONS_MAX : next.operations
    }
    return this.#waiting.splice(0, count)
  }

  async #commit(batch: Waiting[]): Promise<void> {
    const sequences = { ...this.#sequences }
    const outcomes: Outcome[] = []
    const afterCommit: (() => void)[] = []
    try {
      // A child transaction: what throws inside undoes every write of the batch.
      await this.#inTime(
        this.#environment.db.childTransaction(() => {
          const step = this.#stepIn(sequences, afterCommit)
          for (const waiting of batch) {
            const outcome = attempt(waiting, step)
            outcomes.push(outcome)
            if (waiting.isWhole && outcome.error !== undefined) throw outcome.error
          }
        }),
      )
    } catch (error) {
      const cause = await rootCause(error instanceof RowFailure ? error.cause : error)
      // What a whole series threw is its own; it was alone in its transaction.
      const isOwn = outcomes.some((outcome) => outcome.error !== undefined && outcome.error === error)
      const failure = isOwn ? error : storageError(cause, 'the write', this.#environment.path)
      for (const waiting of batch) waiting.reject(failure)
      return
    }
    this.#sequences = sequences
    for (const done of afterCommit) done()
    for (const { waiting, result, error } of outcomes) {
      if (error === undefined) waiting.resolve(result)
      else waiting.reject(error)
    }
  }

  /** Rejects when the disk does not answer, and lets nobody in any more: only a new process knows what was stored. */
  async #inTime(commit: Promise<void>): Promise<void> {
    const timeoutMs = this.#options.commitTimeoutMs ?? COMMIT_TIMEOUT_MS
    let timer: NodeJS.Timeout | undefined
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => {
        const message = `A commit was not done after ${timeoutMs} ms; whether its writes are stored is unknown.`
        this.#refusal = new ScreeningError('STORAGE_FAILED', message, {
          hint: 'Check the disk and restart the control process.',
        })
        for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#refusal)
        reject(this.#refusal)
      }, timeoutMs)
    })
    try {
      await Promise.race([commit, timeout])
    } finally {
      clearTimeout(timer)
    }
  }

  #stepIn(sequences: Sequences, afterCommit: (() => void)[]): Step {
    const { db } = this.#environment
    const nowMs = this.#now()
    return (operation, { atMs = nowMs, onRow } = {}) => {
      const writes = new PlannedWrites(atMs, { ...sequences }, this.#options)
      const result = operation(writes)
      try {
        if (onRow !== undefined) for (const { key } of writes.rows) onRow(key)
        for (const { key, value } of writes.rows.concat(writes.logRows)) {
          if (value === undefined) db.remove(key)
          else db.put(key, value)
        }
      } catch (cause) {
        throw new RowFailure('A row was not written.', { cause })
      }
      Object.assign(sequences, writes.sequences)
      afterCommit.push(...writes.done)
      return result
    }
  }
}

function attempt(waiting: Waiting, step: Step): Outcome {
  try {
    return { waiting, result: waiting.series(step) }
  } catch (error) {
    if (error instanceof RowFailure) throw error
    return { waiting, error }
  }
}

/** Some rows of an operation are written and one was refused: the transaction cannot stand. */
export class RowFailure extends Error {}

/** The newest sequence in a log, 0 when it is empty. */
export function lastSequenceIn(environment: Environment, space: number): number {
  let last = 0
  environment.scan({ prefix: makeKey(space), reverse: true, limit: 1 }, (key) => {
    last = u64Part(key, KEY_PREFIX_BYTES)
  })
  return last
}

/** The oldest sequence in a log, 0 when it is empty. */
export function firstSequenceIn(environment: Environment, space: number): number {
  let first = 0
  environment.scan({ prefix: makeKey(space), limit: 1 }, (key) => {
    first = u64Part(key, KEY_PREFIX_BYTES)
  })
  return first
}

/**
 * When a commit fails, lmdb-js rejects with an error that carries the real one as a promise, which nobody else handles:
 * left alone it would end the process as an unhandled rejection. Other unhandled rejections are not touched.
 */
async function rootCause(error: unknown): Promise<unknown> {
  if (typeof error !== 'object' || error === null || !('commitError' in error)) return error
  try {
    await error.commitError
    return error
  } catch (cause) {
    return cause
  }
}
