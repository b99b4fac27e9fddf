import {
  ATTESTATIONS,
  type Call,
  type CallEventBody,
  CONFIRMATIONS,
  INGRESS_KINDS,
  TREATMENTS,
  VERSTATS,
} from '../domain/call-event.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { ParsedNumber } from '../domain/phone-number.ts'
import type { Explanation } from '../engine/explain.ts'
import { parseTime } from './parse-time.ts'

/** `trunk` is there when the event names one. An unregistered name counts as none: no shadow mode, no fail mode of its own. */
export type CallExplanation = Explanation & { readonly trunk?: { readonly name: string; readonly registered: boolean } }

/** Explains a call event without any effect: nothing is counted, logged or remembered. */
export type CallExplainer = {
  /** Rejects nothing but an unreadable `at` (BODY_INVALID): any caller gets an explanation, as any gets a verdict. */
  explain(event: CallEventBody): Promise<CallExplanation>
}

export type CallExplainerDependencies = {
  /** engine/explain.ts over the newest state of the record. Throws UNAVAILABLE while there is none. */
  readonly explain: (call: Call) => Promise<Explanation>
  /** Index of a registered trunk; 0 when absent or not registered. */
  readonly trunkIndex: (name: string | undefined) => number
  /** parsePhoneNumber in mode `call` with the rules of the home country. */
  readonly parse: (text: string | null | undefined) => ParsedNumber
  readonly now: () => number
}

export function createCallExplainer(deps: CallExplainerDependencies): CallExplainer {
  return {
    async explain(event) {
      const nowMs = momentOf(event.at) ?? deps.now()
      const trunkName = event.ingress?.trunk
      const trunk = deps.trunkIndex(trunkName)
      const explanation = await deps.explain({
        caller: deps.parse(event.caller),
        callee: deps.parse(event.callee),
        redirecting: deps.parse(event.redirecting),
        trunk,
        ingress: codeOf(INGRESS_KINDS, event.ingress?.kind),
        attestation: codeOf(ATTESTATIONS, event.stir?.attest),
        verstat: codeOf(VERSTATS, event.stir?.verstat),
        originating: codeOf(CONFIRMATIONS, event.callerStatus?.originating),
        roaming: codeOf(CONFIRMATIONS, event.callerStatus?.roaming),
        treatment: codeOf(TREATMENTS, event.treatment),
        // Without a hash the memory of recent calls has nothing to say.
        callHashLow: 0,
        callHashHigh: 0,
        nowMs,
        // An explanation takes the time it takes.
        deadlineMs: Number.POSITIVE_INFINITY,
      })
      if (trunkName === undefined) return explanation
      return { ...explanation, trunk: { name: trunkName, registered: trunk > 0 } }
    },
  }
}

/** `at` lets an analyst ask what would be said at another moment: expiry and windows follow it. */
function momentOf(at: string | number | undefined): number | undefined {
  if (at === undefined) return undefined
  const atMs = parseTime(at)
  if (atMs !== undefined) return atMs
  throw new ScreeningError('BODY_INVALID', 'The moment to explain is not usable.', {
    errors: [{ pointer: '/at', detail: 'Expected RFC 3339 with a zone, or epoch milliseconds.' }],
  })
}

/** The wire code of a name: its index, 0 (`unknown`, `none`) for everything that is not on the list. */
function codeOf(names: readonly string[], name: string | undefined): number {
  return name === undefined ? 0 : Math.max(0, names.indexOf(name))
}
