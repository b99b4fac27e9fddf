import type { PhoneNumber } from './phone-number.ts'

/** Where a report came in. The index is the storage code: append only. */
export const CHANNELS = ['hotline', 'chat', 'bot', 'app', 'partner'] as const
export type Channel = (typeof CHANNELS)[number]

/** What the network itself says about a number (long answered calls): nobody can send it. */
export const NETWORK_CHANNEL = 'network'

/** What the caller tried. The index is the storage code: append only. */
export const SCENARIOS = ['state-services', 'operator-code', 'bank', 'spam', 'other'] as const
export type Scenario = (typeof SCENARIOS)[number]

/** What the reporter thinks of the number. */
export const OPINIONS = ['harm', 'not-spam'] as const
export type Opinion = (typeof OPINIONS)[number]

/** Whether the reporter did get a call from the number in the last days. The index is the code between processes: append only. */
export const CALL_MATCHES = ['unknown', 'no', 'yes'] as const
export type CallMatch = (typeof CALL_MATCHES)[number]

/**
 * What a number has done for long, as its calls say. `established`: somebody has called from it for days and talked;
 * `high-volume`: so many talk with it that a handful of reports say nothing. The index is the storage code: append only.
 */
export const NUMBER_STANDINGS = ['unknown', 'established', 'high-volume'] as const
export type NumberStanding = (typeof NUMBER_STANDINGS)[number]

/** Why a report is kept and counts nothing. */
export const NOT_COUNTED = ['long-ago', 'reporter-daily-limit', 'opinion-known', 'number-daily-limit'] as const
export type NotCounted = (typeof NOT_COUNTED)[number]

/** What a subscriber says about a number, with the reporter already a pseudonym. */
export type Report = {
  readonly reportId: string
  readonly number: PhoneNumber
  readonly channel: Channel | typeof NETWORK_CHANNEL
  readonly scenario: Scenario
  /** 32 hexadecimal digits: keyed hash of the reporter (see services/pseudonym.ts). */
  readonly reporter: string
  /** Index into INGRESS_KINDS: how the reported call came in, 0 when nobody knows. */
  readonly ingress: number
  /** When it happened, as the channel says; epoch milliseconds. Informative: windows use receivedMs. */
  readonly atMs: number
  readonly receivedMs: number
  /** channel weight x credibility x call match; 0..1. Settled by the node that accepts it, so that all nodes fold the same. */
  readonly weight: number
  /** Missing: harm. */
  readonly opinion?: Opinion
  /** Missing: unknown. */
  readonly callMatch?: CallMatch
  /** The reporter had at least one report that a review confirmed. Missing: no. */
  readonly isProven?: boolean
  /** 32 hexadecimal digits. Reports of one household on one number count as one reporter. */
  readonly household?: string
  /** 32 hexadecimal digits: the first of reporters who always agree; they count as one on this number. Outranks household. */
  readonly clique?: string
  /** Of the number when the report was accepted. Missing: unknown. */
  readonly standing?: NumberStanding
  /** A review found the number innocent: what was reported until then counts no more. Only the service itself says so. */
  readonly clears?: boolean
  /** Why its weight is 0. */
  readonly notCounted?: NotCounted
  readonly callId?: string
  readonly note?: string
}
