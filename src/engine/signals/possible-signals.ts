import { type Call, INGRESS_KINDS } from '../../domain/call-event.ts'
import { isPhoneNumber } from '../../domain/phone-number.ts'
import { signalBits } from '../../domain/signal.ts'
import { LIST_KIND_CODE as KIND, type SignalContext } from '../compiled-state.ts'
import { type Evidence, ODDITY } from '../evidence.ts'
import type { QuietBounds } from '../quiet-bounds.ts'

const OF_NO_NUMBER = signalBits('withheld', 'invalid-caller')
const OF_CALL = signalBits('originating-denied', 'verification-failed', 'attestation-weak', 'attested')
const OF_LISTS = signalBits('deny-listed', 'do-not-originate', 'watched', 'own-number-from-outside')
const OF_PLANS = signalBits('impossible-number')
const OF_ABROAD = signalBits('national-from-abroad')
const OF_REPORTS = signalBits('reported', 'reported-share', 'impersonation', 'number-block')
const NEIGHBOUR = signalBits('neighbour-spoofing')
const PATTERN = signalBits('calling-pattern')
const ROBOCALL = signalBits('robocall-burst')
const ONE_RING = signalBits('one-ring')
const SEQUENTIAL = signalBits('sequential-dialling')
const ROTATION = signalBits('pool-rotation')
const SIM_BOX = signalBits('sim-box')
const TRUNKS = signalBits('many-trunks')
const FLOOD = signalBits('callee-flood')
const INTERNATIONAL = INGRESS_KINDS.indexOf('international')

/**
 * The signals (bits) that may be above 0 for this call, but for those that mitigate: a few comparisons say of most that they
 * are not, and measuring one costs as much as all of these. No allocation.
 */
export function possibleSignals(call: Call, evidence: Evidence, { plans, policy }: SignalContext): number {
  const { listByKind } = evidence
  let possible = possibleBehaviour(evidence, policy.quiet)
  if (!isPhoneNumber(call.caller)) possible |= OF_NO_NUMBER
  if ((call.attestation | call.verstat | call.originating) !== 0) possible |= OF_CALL
  const listIds =
    (listByKind[KIND.deny] ?? 0) |
    (listByKind[KIND.doNotOriginate] ?? 0) |
    (listByKind[KIND.watch] ?? 0) |
    (listByKind[KIND.own] ?? 0)
  if (listIds !== 0) possible |= OF_LISTS
  if (plans.length !== 0) possible |= OF_PLANS
  if (evidence.ingress === INTERNATIONAL) possible |= OF_ABROAD
  if ((evidence.reporters | evidence.harmShare | evidence.scenario | evidence.blockHarm) !== 0) possible |= OF_REPORTS
  return possible
}

/**
 * Outcomes are parts of each other: of the ended calls of a view, the answered, of these the short and the brief. So calls
 * that were listened to and talks are 0 at least, and calls in vain, with or without their surplus, at most those that ended.
 */
function possibleBehaviour(evidence: Evidence, quiet: QuietBounds): number {
  const { outgoing, block, called } = evidence
  let possible = 0
  if (evidence.isPastKnown) possible |= PATTERN
  if ((evidence.oddities & ODDITY.neighbour) !== 0) possible |= NEIGHBOUR
  // Below all three there is no rate, neither fast, slow, nor alone.
  if (
    outgoing.others60 > quiet.robocallCallees60 ||
    outgoing.others15 > quiet.robocallCallees15 ||
    outgoing.others1 > quiet.robocallCallees1
  ) {
    possible |= ROBOCALL
  }
  if (outgoing.oneRing60 > quiet.oneRings) possible |= ONE_RING
  if (outgoing.sequential60 > quiet.sequential) possible |= SEQUENTIAL
  // One trunk is the number's own.
  if (outgoing.trunks15 > 1) possible |= TRUNKS
  if (outgoing.others60 > quiet.simBoxCallees60 && outgoing.totalAttempts > quiet.simBoxCalls) possible |= SIM_BOX
  if (evidence.newcomers60 > quiet.newcomers || block.ended60 > quiet.blockEnded) possible |= ROTATION
  if (called.ended60 > quiet.floodEnded) possible |= FLOOD
  return possible
}
