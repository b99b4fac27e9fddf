import { INGRESS_KINDS } from '../domain/call-event.ts'
import type { DecisionEntry } from '../domain/decision-record.ts'
import { SIGNAL_NAMES, type SignalName } from '../domain/policy.ts'
import type { ReasonCode } from '../domain/reason.ts'
import { scoreOf } from '../domain/score.ts'
import { SIGNAL_FACTS, SIGNAL_FACTS_BY_INDEX, STRENGTH_FULL } from '../domain/signal.ts'
import { ALLOW, BLOCK, FLAG, VERDICTS, type Verdict } from '../domain/verdict.ts'
import { type CompiledPolicy, MODE_ENFORCE } from '../engine/compiled-policy.ts'
import { isService } from '../engine/doubt.ts'
import { isContradicted, REPORT_SIGNALS, weighSignals } from '../engine/signals/measure-signals.ts'
import { STRENGTH_SINGLE_OWN } from '../engine/signals/own-number-from-outside.ts'
import { kindBit } from '../jobs/candidate-list.ts'
import { type TippedBy, tippedBy } from '../jobs/tipped-by.ts'

export type Replayed = {
  readonly verdict: Verdict
  readonly score: number
  /** There when the verdict is another than the recorded one. */
  readonly tippedBy?: TippedBy
}

export type ReplayDependencies = {
  /** The caller's number; negative: he has none that can be read. */
  readonly callerOf: (entry: DecisionEntry) => number
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

/** Why reports alone did not block. The log has it where it decided. */
const REPORT_DOUBTS = ['report-burst', 'reports-contested'] as const
type ReportDoubt = (typeof REPORT_DOUBTS)[number]

/** `final`: the reason of a step that no points lead to. */
type Outcome = {
  readonly verdict: number
  readonly score: number
  readonly final?: 'allow-listed' | 'protected' | 'listed' | ReportDoubt
}

/** The precedence of engine/screen.ts over recorded strengths, with the very functions the verdict path uses. */
export function createReplay(
  policy: CompiledPolicy,
  { callerOf, coverOf, isListed, isScreened }: ReplayDependencies,
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
    if (!contradicted && isAllowed(entry, kinds)) return { verdict: ALLOW, score: 0, final: 'allow-listed' }
    const onlyFlags = weighSignals(policy, strengths, contradicted, contributions)
    const score = scoreOf(contributions, onlyFlags, policy.blockAt)
    if (strengths[DENY_LISTED] === STRENGTH_FULL && policy.modes[DENY_LISTED] === MODE_ENFORCE)
      return { verdict: BLOCK, score, final: 'listed' }
    const verdict = score >= policy.blockAt ? BLOCK : score >= policy.flagAt ? FLAG : ALLOW
    if (verdict !== BLOCK || contradicted) return { verdict, score }
    if ((kinds & PROTECTED) !== 0 || isService(callerOf(entry), policy) || isListed(entry, 'protected')) {
      return { verdict: FLAG, score, final: 'protected' }
    }
    const doubt = REPORT_DOUBTS.find((reason) => entry.reasons.some(({ code }) => code === reason))
    const blocksAnyway = scoreOf(contributions, onlyFlags | REPORT_SIGNALS, policy.blockAt) >= policy.blockAt
    return doubt === undefined || blocksAnyway ? { verdict, score } : { verdict: FLAG, score, final: doubt }
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
    if (after === before) return replayed
    const reasons = reasonsOf(decided, contributions)
    return { ...replayed, tippedBy: tippedBy(entry, { score: decided.score, reasons }, after - before) }
  }
}

/** As recorded, and what the rehearsed lists say. */
function readStrengths(entry: DecisionEntry, kinds: number, strengths: Uint16Array): void {
  for (const [index, name] of SIGNAL_NAMES.entries()) {
    strengths[index] = Math.round((entry.strengths[name] ?? 0) * STRENGTH_FULL)
  }
  for (const [bit, name] of LIST_SIGNALS) {
    if ((kinds & bit) !== 0) strengths[SIGNAL_NAMES.indexOf(name)] = STRENGTH_FULL
  }
  if ((kinds & OWN) === 0 || !FROM_OUTSIDE.includes(entry.ingress)) return
  // How many strangers like this came through the trunk was not looked at then.
  strengths[OWN_FROM_OUTSIDE] = Math.max(strengths[OWN_FROM_OUTSIDE] ?? 0, STRENGTH_SINGLE_OWN)
}

/** The reasons the candidate would have given. */
function reasonsOf({ final }: Outcome, contributions: Float64Array): { code: ReasonCode; points: number }[] {
  const byPoints = SIGNAL_NAMES.flatMap((signal, index) => {
    const points = Math.round(contributions[index] ?? 0)
    return points === 0 ? [] : [{ code: SIGNAL_FACTS[signal].reason, points }]
  })
  if (final === undefined || byPoints.some(({ code }) => code === final)) return byPoints
  return [...byPoints, { code: final, points: 0 }]
}
