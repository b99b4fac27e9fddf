import { INGRESS_KINDS } from '../domain/call-event.ts'
import type { DecisionEntry } from '../domain/decision-record.ts'
import { SIGNAL_NAMES, type SignalName } from '../domain/policy.ts'
import type { ReasonCode } from '../domain/reason.ts'
import { scoreOf } from '../domain/score.ts'
import { SIGNAL_FACTS, SIGNAL_FACTS_BY_INDEX, STRENGTH_FULL } from '../domain/signal.ts'
import { ALLOW, BLOCK, FLAG, VERDICTS, type Verdict } from '../domain/verdict.ts'
import { type CompiledPolicy, MODE_ENFORCE } from '../engine/compiled-policy.ts'
import { isContradicted, weighSignals } from '../engine/signals/measure-signals.ts'
import { kindBit } from '../jobs/candidate-list.ts'

/** What of a candidate made the verdict another one; `thresholds`: the same points, other limits. */
export const TIPPING_CAUSES = [...SIGNAL_NAMES, 'allow-listed', 'protected', 'thresholds'] as const
export type TippedBy = {
  readonly cause: (typeof TIPPING_CAUSES)[number]
  /** Points it gave as recorded, and would give; of `thresholds` the score. */
  readonly before: number
  readonly after: number
}

export type Replayed = {
  readonly verdict: Verdict
  readonly score: number
  /** There when the verdict is another than the recorded one. */
  readonly tippedBy?: TippedBy
}

export type ReplayDependencies = {
  /** The kinds of rehearsed lists the caller is on (jobs/candidate-list.ts). */
  readonly coverOf: (entry: DecisionEntry) => number
  /** The caller is on a list in force now. Asked only where it matters and the record does not say. */
  readonly isListed: (entry: DecisionEntry, kind: 'allow' | 'protected') => boolean
  /** Calls of this trunk are screened at all. */
  readonly isScreened: (trunk: string) => boolean
}

/** Reasons that no policy rule and no list can change: they were decided before the score. */
const FINAL_REASONS: readonly ReasonCode[] = ['emergency-callee', 'service-callee', 'overloaded', 'not-ready']
/** What a list of a kind makes of a call, whatever else is known; `own` also asks where the call came in. */
const LIST_SIGNALS: readonly (readonly [number, SignalName])[] = [
  [kindBit('deny'), 'deny-listed'],
  [kindBit('do-not-originate'), 'do-not-originate'],
  [kindBit('watch'), 'watched'],
]
const OWN = kindBit('own')
const ALLOWED = kindBit('allow')
const PROTECTED = kindBit('protected')
const FROM_OUTSIDE: readonly string[] = [INGRESS_KINDS[2], INGRESS_KINDS[3]]
const DENY_LISTED = SIGNAL_NAMES.indexOf('deny-listed')
const OWN_FROM_OUTSIDE = SIGNAL_NAMES.indexOf('own-number-from-outside')

type Outcome = {
  readonly verdict: number
  readonly score: number
  readonly cause?: 'allow-listed' | 'protected' | 'deny-listed'
}

/** The precedence of engine/screen.ts over recorded strengths, with the very functions the verdict path uses. */
export function createReplay(
  policy: CompiledPolicy,
  { coverOf, isListed, isScreened }: ReplayDependencies,
): (entry: DecisionEntry) => Replayed {
  const strengths = new Uint16Array(SIGNAL_NAMES.length)
  const contributions = new Float64Array(SIGNAL_NAMES.length)

  /** Of a caller who was contradicted then, the record does not say whether an allow list would have spared him. */
  function isAllowed(entry: DecisionEntry, kinds: number): boolean {
    if ((kinds & ALLOWED) !== 0 || entry.reasons.some(({ code }) => code === 'allow-listed')) return true
    const wasContradicted = strengths.some((strength, index) => {
      return strength === STRENGTH_FULL && SIGNAL_FACTS_BY_INDEX[index]?.contradictsAtFull === true
    })
    return wasContradicted && isListed(entry, 'allow')
  }

  function decide(entry: DecisionEntry, kinds: number): Outcome {
    contributions.fill(0)
    const contradicted = isContradicted(policy, strengths)
    if (!contradicted && isAllowed(entry, kinds)) return { verdict: ALLOW, score: 0, cause: 'allow-listed' }
    const onlyFlags = weighSignals(policy, strengths, contradicted, contributions)
    const score = scoreOf(contributions, onlyFlags, policy.blockAt)
    if (strengths[DENY_LISTED] === STRENGTH_FULL && policy.modes[DENY_LISTED] === MODE_ENFORCE)
      return { verdict: BLOCK, score, cause: 'deny-listed' }
    const verdict = score >= policy.blockAt ? BLOCK : score >= policy.flagAt ? FLAG : ALLOW
    const isSpared = verdict === BLOCK && !contradicted && ((kinds & PROTECTED) !== 0 || isListed(entry, 'protected'))
    return isSpared ? { verdict: FLAG, score, cause: 'protected' } : { verdict, score }
  }

  return (entry) => {
    const was = { verdict: entry.verdict, score: entry.score }
    if (entry.reasons.some(({ code }) => FINAL_REASONS.includes(code)) || !isScreened(entry.trunk)) return was
    const kinds = coverOf(entry)
    readStrengths(entry, kinds, strengths)
    if (kinds === 0 && strengths.every((strength) => strength === 0)) return was
    const decided = decide(entry, kinds)
    const before = VERDICTS.indexOf(entry.verdict)
    // The callee's own choice capped the verdict then, and would again.
    const after = entry.flags.includes('capped') ? Math.min(decided.verdict, before) : decided.verdict
    const replayed = { verdict: VERDICTS[after] ?? 'allow', score: decided.score }
    return after === before
      ? replayed
      : { ...replayed, tippedBy: causeOf(entry, decided, contributions, after - before) }
  }
}

/** As recorded, and at full strength what the rehearsed lists say. */
function readStrengths(entry: DecisionEntry, kinds: number, strengths: Uint16Array): void {
  for (const [index, name] of SIGNAL_NAMES.entries()) {
    strengths[index] = Math.round((entry.strengths[name] ?? 0) * STRENGTH_FULL)
  }
  for (const [bit, name] of LIST_SIGNALS) {
    if ((kinds & bit) !== 0) strengths[SIGNAL_NAMES.indexOf(name)] = STRENGTH_FULL
  }
  if ((kinds & OWN) !== 0 && FROM_OUTSIDE.includes(entry.ingress)) strengths[OWN_FROM_OUTSIDE] = STRENGTH_FULL
}

/** A final step names itself; else it is the signal whose points went furthest the way the verdict went. */
function causeOf(entry: DecisionEntry, decided: Outcome, contributions: Float64Array, direction: number): TippedBy {
  const pointsOf = (signal: SignalName) =>
    entry.reasons.find(({ code }) => code === SIGNAL_FACTS[signal].reason)?.points ?? 0
  const { cause } = decided
  if (cause === 'deny-listed')
    return { cause, before: pointsOf(cause), after: Math.round(contributions[DENY_LISTED] ?? 0) }
  if (direction < 0 && cause !== undefined) return { cause, before: entry.score, after: decided.score }
  let tipped: TippedBy = { cause: 'thresholds', before: entry.score, after: decided.score }
  let furthest = 0
  for (const [index, signal] of SIGNAL_NAMES.entries()) {
    const before = pointsOf(signal)
    const after = Math.round(contributions[index] ?? 0)
    const moved = (after - before) * Math.sign(direction)
    if (moved <= furthest) continue
    furthest = moved
    tipped = { cause: signal, before, after }
  }
  return tipped
}
