import type { PhoneNumber } from './phone-number.ts'

/** Where a report came in. The index is the storage code: append only. */
export const CHANNELS = ['hotline', 'chat', 'bot', 'app', 'partner'] as const
export type Channel = (typeof CHANNELS)[number]

/** What the caller tried. The index is the storage code: append only. */
export const SCENARIOS = ['state-services', 'operator-code', 'bank', 'spam', 'other'] as const
export type Scenario = (typeof SCENARIOS)[number]

/** A subscriber's word that a number tried to cheat, with the reporter already a pseudonym. */
export type Report = {
  readonly reportId: string
  readonly number: PhoneNumber
  readonly channel: Channel
  readonly scenario: Scenario
  /** 32 hexadecimal digits: keyed hash of the reporter (see services/pseudonym.ts). */
  readonly reporter: string
  /** Index into INGRESS_KINDS: how the reported call came in, 0 when nobody knows. */
  readonly ingress: number
  /** When it happened, as the channel says; epoch milliseconds. Informative: windows use receivedMs. */
  readonly atMs: number
  readonly receivedMs: number
  /** channel weight x credibility x call match; 0..1. */
  readonly weight: number
  readonly callId?: string
  readonly note?: string
}
