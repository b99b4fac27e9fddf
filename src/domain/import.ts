import type { ListKind } from './number-list.ts'

export const IMPORT_MODES = ['replace', 'append', 'remove'] as const
export type ImportMode = (typeof IMPORT_MODES)[number]

export const IMPORT_STATES = [
  'queued',
  'parsing',
  'previewed',
  'held',
  'activating',
  'active',
  'failed',
  'cancelled',
] as const
export type ImportState = (typeof IMPORT_STATES)[number]

/** Why a row of an upload was refused. Stable: they stand in rejected.csv and in answers. */
export const ROW_REASONS = [
  'not-a-number',
  'too-short',
  'too-long',
  'alphanumeric',
  'bad-prefix',
  'bad-range',
  'range-reversed',
  'range-lengths-differ',
  'too-wide',
  'bad-expiry',
  'field-too-long',
  'control-character',
  'row-too-long',
  'quote-open',
] as const
export type RowReason = (typeof ROW_REASONS)[number]

export type RejectedRow = { readonly line: number; readonly text: string; readonly reason: RowReason }

/**
 * Every row is accounted for: accepted + rejected = rows. Of the accepted, `duplicates` said what another row of the file
 * said already. added / removed / unchanged compare the list before and after and count its entries, not the rows of the
 * file; of the unchanged, `updated` got another reason, source or expiry. A prefix counts once, whatever lengths its
 * numbers have. Only a whole number written as a prefix, `+79160000002*`, is two entries: the number, and the longer ones
 * that begin with it; so `added` may exceed `accepted`, and `duplicates` may be too low by one for each.
 */
export type ImportCounts = {
  rows: number
  accepted: number
  rejected: number
  duplicates: number
  added: number
  removed: number
  unchanged: number
  updated: number
}

/**
 * What activating would do to calls like those of the last day that the list, as it is, would not do. Calls that another
 * deny list blocks already are counted nevertheless: that list may lose the number tomorrow.
 */
export type ImportImpact = {
  /** Hours of traffic counted, 0..24. 0: nothing was recorded yet, so nothing can be said. */
  hours: number
  calls: number
  callers: number
  /** All calls of those hours. */
  totalCalls: number
  /** False when a counting table overflowed: the figures are lower bounds. */
  complete: boolean
  /**
   * Accepted numbers that also stand on allow or protected lists: counts (of them on protected lists) and the first 20
   * (masked in logs, whole here).
   */
  clashes: { count: number; protectedCount: number; sample: { number: string; list: string; kind: ListKind }[] }
}

export type ImportRecord = {
  importId: string
  list: string
  mode: ImportMode
  dryRun: boolean
  state: ImportState
  /** 0..1 */
  progress: number
  counts: ImportCounts
  rejected: RejectedRow[]
  impact?: ImportImpact
  /** Why it is held or failed, or what it waits for while it is queued or activating: a stable code and a sentence. */
  problem?: { code: string; detail: string }
  /** The version it became; none while it only waits to be activated. */
  version?: number
  createdMs: number
  finishedMs?: number
  actor: string
  country: string
}
