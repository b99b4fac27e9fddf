import type { PhoneNumber } from './phone-number.ts'

/** What being on a list means. The index + 1 is the storage code: append only. */
export const LIST_KINDS = ['deny', 'allow', 'protected', 'do-not-originate', 'watch', 'own'] as const
export type ListKind = (typeof LIST_KINDS)[number]

/** A list name: lower-case words joined by hyphens; it stands in paths, reasons and metrics. */
export const LIST_NAME_PATTERN = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/

/** Most lists one node holds: every list costs a gate probe on a global gate hit (about 40 ns each). */
export const LISTS_MAX = 64

/** A reason is a sentence, a source is a name. In UTF-16 units, for uploads and for the entries API alike. */
export const REASON_CHARS_MAX = 200
export const SOURCE_CHARS_MAX = 64

/**
 * What no reason and no source holds: a control character (Unicode Cc) other than tab and line ends. They hide text from
 * the eye or end it early in logs, spreadsheets and terminals.
 */
export const CONTROL_CHARACTER = /[^\P{Cc}\t\n\r]/u

/** Why, until when and on whose word an entry is on a list. */
export type EntryDetails = {
  readonly reason?: string
  readonly source?: string
  /** Epoch milliseconds after which the entry no longer counts; absent: never. */
  readonly expiresMs?: number
}

/** A row of a list: one number (from === to) or an inclusive range of numbers of equal length. */
export type ListEntry = {
  readonly from: PhoneNumber
  readonly to: PhoneNumber
  readonly details: EntryDetails
}
