import type { Actor, AuditEntry } from '../ports.ts'
import { ACTOR_CHARS_MAX } from '../ports.ts'
import type { NewChange } from '../record-rules.ts'
import { LIVE_SPACE, makeKey } from './keys.ts'
import { encodeJson } from './values.ts'

/** What an operation wants to write. */
export type WriteSet = {
  /** The time of this write, epoch milliseconds. */
  readonly nowMs: number
  /** Of the newest change, this write's own included. */
  readonly lastSequence: number
  put(key: Buffer, value: Buffer): void
  remove(key: Buffer): void
  /** Adds to the change log and returns the sequence number the change gets. */
  change(change: NewChange): number
  audit(actor: Actor, action: string, subject: string, detail?: AuditEntry['detail']): void
  /** Calls it when the transaction is on disk, before the operation resolves. */
  afterCommit(done: () => void): void
}

/** Of the newest change and audit entry. */
export type Sequences = { change: number; audit: number }
export type LogsKept = { readonly changesKept: number; readonly auditKept: number }

type Row = { key: Buffer; value: Buffer | undefined }

export class PlannedWrites implements WriteSet {
  readonly nowMs: number
  readonly rows: Row[] = []
  readonly logRows: Row[] = []
  readonly done: (() => void)[] = []
  readonly sequences: Sequences
  readonly #kept: LogsKept

  constructor(nowMs: number, sequences: Sequences, kept: LogsKept) {
    this.nowMs = nowMs
    this.sequences = sequences
    this.#kept = kept
  }

  get lastSequence(): number {
    return this.sequences.change
  }

  put(key: Buffer, value: Buffer): void {
    this.rows.push({ key, value })
  }

  remove(key: Buffer): void {
    this.rows.push({ key, value: undefined })
  }

  change(change: NewChange): number {
    const sequence = ++this.sequences.change
    this.#append(LIVE_SPACE.change, sequence, { atMs: this.nowMs, ...change }, this.#kept.changesKept)
    return sequence
  }

  audit(actor: Actor, action: string, subject: string, detail?: AuditEntry['detail']): void {
    if (actor.length === 0 || actor.length > ACTOR_CHARS_MAX) {
      throw new RangeError(`An actor has 1 to ${ACTOR_CHARS_MAX} characters, got ${actor.length}.`)
    }
    const entry = { atMs: this.nowMs, actor, action, subject, ...(detail === undefined ? {} : { detail }) }
    this.#append(LIVE_SPACE.audit, ++this.sequences.audit, entry, this.#kept.auditKept)
  }

  afterCommit(done: () => void): void {
    this.done.push(done)
  }

  /** Both logs are windows: one row in, the row that has become too old out. */
  #append(space: number, sequence: number, entry: object, kept: number): void {
    this.logRows.push({ key: makeKey(space, { u64: sequence }), value: encodeJson(entry) })
    if (sequence > kept) this.logRows.push({ key: makeKey(space, { u64: sequence - kept }), value: undefined })
  }
}
