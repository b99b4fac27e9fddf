import type { PolicyDocument, SipBlockStyle } from '../../domain/policy.ts'
import { BASES } from '../../domain/reason.ts'

/** What the switch sends back to the caller's side of a blocked call. */
export type SipReply = {
  readonly style: SipBlockStyle
  readonly status: number
  readonly phrase: string
  /** Header values; `{verdictId}` stands where the id of the verdict goes. */
  readonly headers: Readonly<Record<string, string>>
}

export const VERDICT_ID_MARK = '{verdictId}'

/** The reply while no policy is in force: the one that explains least. */
const PLAIN: SipReply = { style: '603', status: 603, phrase: 'Decline', headers: {} }

/** The replies to a block under this policy, one for each basis of the reason that decided (BASES order). */
export function sipReplies(policy: PolicyDocument | undefined): readonly SipReply[] {
  return BASES.map((basis) => (policy === undefined ? PLAIN : sipReply(policy.sip[basis], policy.sip)))
}

/**
 * - `603+` (ATIS-1000099): meant for analytics; the Reason header names the format and the redress address.
 * - `603` (RFC 3261): plain decline, for facts that need no appeal.
 * - `607` Unwanted (RFC 8197): the callee does not want it.
 * - `608` Rejected (RFC 8688): an intermediary decided; Call-Info tells where to appeal (a jCard).
 */
function sipReply(style: SipBlockStyle, sip: PolicyDocument['sip']): SipReply {
  const url = headerText(sip.redressUrl)
  switch (style) {
    case '603+': {
      const text = `v=analytics1;url=${url}`.replace(/["\\]/g, '\\$&')
      const reason = `SIP;cause=603;text="${text}";location=${headerText(sip.location)}`
      return { style, status: 603, phrase: 'Network Blocked', headers: { Reason: reason } }
    }
    case '603':
      return PLAIN
    case '607':
      return { style, status: 607, phrase: 'Unwanted', headers: { Reason: 'SIP;cause=607;text="Unwanted"' } }
    case '608':
      return { style, status: 608, phrase: 'Rejected', headers: { 'Call-Info': `<${url}>;purpose=jwscard` } }
    default:
      return style satisfies never
  }
}

/** Without control characters, so that a policy cannot add a header line to a SIP message. */
export function headerText(text: string): string {
  return text.replace(/\p{Cc}/gu, '')
}
