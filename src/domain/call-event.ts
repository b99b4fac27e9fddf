import type { ParsedNumber } from './phone-number.ts'

/** How a call entered our network. The order is the wire code (docs/wire.md): append only. */
export const INGRESS_KINDS = ['unknown', 'subscriber', 'national', 'international'] as const
export type IngressKind = (typeof INGRESS_KINDS)[number]

/** STIR/SHAKEN attestation level (ATIS-1000074): full, partial, gateway. Wire code = index. */
export const ATTESTATIONS = ['none', 'A', 'B', 'C'] as const
export type Attestation = (typeof ATTESTATIONS)[number]

/** `verstat` tel URI parameter (3GPP TS 24.229 7.2A.20). Wire code = index. */
export const VERSTATS = ['none', 'TN-Validation-Passed', 'TN-Validation-Failed', 'No-TN-Validation'] as const

/** An answer of the caller's own operator about the caller. Wire code = index. */
export const CONFIRMATIONS = ['unknown', 'confirmed', 'denied'] as const

/** What the callee chose to have done with suspicious calls. `none`: no choice made. Wire code = index. */
export const TREATMENTS = ['none', 'off', 'flag', 'block'] as const

/** The call event as a switch sends it (wire shape). Every field may be missing; unknown ones are ignored. */
export type CallEventBody = {
  callId?: string
  caller?: string | null
  callee?: string | null
  ingress?: { trunk?: string; kind?: string }
  /** The number that redirected the call to us (SIP Diversion / History-Info), when there is one. */
  redirecting?: string | null
  stir?: { attest?: string; verstat?: string }
  callerStatus?: { originating?: string; roaming?: string; ownerOperator?: string }
  treatment?: string
  deadlineAt?: string | number
  at?: string | number
}

/**
 * One call attempt, parsed: what the engine sees. Numbers and small integer codes only, so that one mutable Call per
 * thread serves every request without allocation. Codes are indexes into the lists above.
 */
export type Call = {
  caller: ParsedNumber
  callee: ParsedNumber
  /** NOT_A_NUMBER.withheld when the call was not redirected. */
  redirecting: ParsedNumber
  /** Index into the compiled trunk registry; 0 is `no trunk named or not registered`. */
  trunk: number
  ingress: number
  attestation: number
  verstat: number
  originating: number
  roaming: number
  treatment: number
  /** 64-bit keyed hash of (callId, caller, callee, trunk) in two unsigned halves; both 0 when the call has no callId. */
  callHashLow: number
  callHashHigh: number
  /** Server time in epoch milliseconds: governs windows and expiry. */
  nowMs: number
  /** The moment the answer is due, epoch milliseconds. */
  deadlineMs: number
}
