import { type Call, TREATMENTS } from '../domain/call-event.ts'
import type { ListKind } from '../domain/number-list.ts'
import { RULE_MODES, type RuleMode, SIGNAL_NAMES, type SignalName } from '../domain/policy.ts'
import type { Basis, ReasonCode } from '../domain/reason.ts'
import { scoreOf } from '../domain/score.ts'
import { SIGNAL_FACTS, STRENGTH_FULL, signalBasis } from '../domain/signal.ts'
import type { ScreeningMode } from '../domain/trunk.ts'
import { VERDICTS, type Verdict } from '../domain/verdict.ts'
import { LIST_KIND_CODE as KIND, type SignalContext } from './compiled-state.ts'
import { SIGNAL_REASONS_MAX } from './decision.ts'
import { doubtOf, isService } from './doubt.ts'
import { DOUBT, type Evidence } from './evidence.ts'
import { type SignalValue, signalValues } from './signal-values.ts'
import { isHarmSeen, measureEverySignal, measureMitigation, REPORT_SIGNALS } from './signals/measure-signals.ts'

/** The step of the precedence that decided. */
export const PRECEDENCE_STEPS = [
  'trunk-not-screened',
  'emergency-callee',
  'service-callee',
  'allow-listed',
  'deny-listed',
  'protected',
  'report-burst',
  'reports-contested',
  'score',
] as const
export type PrecedenceStep = (typeof PRECEDENCE_STEPS)[number]

/** A signal with what its rule made of it. */
export type JudgedSignal = {
  readonly signal: SignalName
  /** 0..1 */
  readonly strength: number
  readonly mode: RuleMode
  /** Of the rule, at full strength. */
  readonly points: number
  /** What it added to the harm, or, negative, took away; 0 for a rule that is not enforced. */
  readonly contribution: number
  readonly basis: Basis
  /** It contradicts the caller number, and its rule is enforced. */
  readonly contradicts: boolean
  /** What was counted, and the limits of the policy it is held against; empty for a signal that is yes or no. */
  readonly values: readonly SignalValue[]
}

export type JudgedReason = {
  readonly code: ReasonCode
  readonly basis: Basis
  readonly points: number
  /** 0: no list is the reason. */
  readonly listId: number
}

export type Judgement = {
  /** What the switch is told. */
  readonly verdict: Verdict
  /** What it would be told, were the trunk not in shadow mode. */
  readonly unshadowed: Verdict
  readonly step: PrecedenceStep
  readonly score: number
  readonly basis: Basis
  readonly contradicted: boolean
  readonly capped: boolean
  readonly reviewWanted: boolean
  readonly reasons: readonly JudgedReason[]
  readonly signals: readonly JudgedSignal[]
}

export type JudgeContext = SignalContext & { readonly screening: ScreeningMode }

type Outcome = Pick<Judgement, 'step' | 'score' | 'basis' | 'reviewWanted'> & {
  readonly decided: Verdict
  readonly reasons: JudgedReason[]
}

/**
 * The precedence and the score again, written to be read and to be asked "what if", not to be fast: the same verdict,
 * score and reasons as screen gives in time, from evidence already gathered. Pure.
 */
export function judge(call: Call, evidence: Evidence, context: JudgeContext): Judgement {
  const signals = judgeSignals(call, evidence, context)
  const outcome = decide(call, evidence, context, signals)
  const unshadowed = capTo(outcome.decided, TREATMENTS[call.treatment] ?? 'none')
  const capped = unshadowed !== outcome.decided
  const reasons = [...outcome.reasons]
  if (reasons.length === 0) reasons.push(plainReason('no-evidence'))
  if (capped) reasons.push(plainReason('treatment'))
  return {
    verdict: context.screening === 'shadow' ? 'allow' : unshadowed,
    unshadowed,
    step: outcome.step,
    score: outcome.score,
    basis: outcome.basis,
    contradicted: signals.some((signal) => signal.contradicts),
    capped,
    reviewWanted: outcome.reviewWanted,
    reasons: reasons.sort((a, b) => b.points - a.points),
    signals,
  }
}

function decide(call: Call, evidence: Evidence, context: JudgeContext, signals: readonly JudgedSignal[]): Outcome {
  const { policy, screening } = context
  const contradicted = signals.some((signal) => signal.contradicts)
  const allowList = evidence.listByKind[KIND.allow] ?? 0
  const protectedList = evidence.listByKind[KIND.protected] ?? 0

  if (screening === 'off') return allowed('trunk-not-screened', [])
  if (policy.emergencyCallees.includes(call.callee)) {
    return allowed('emergency-callee', [plainReason('emergency-callee', 'deterministic')])
  }
  if (policy.serviceCallees.includes(call.callee)) {
    return allowed('service-callee', [plainReason('service-callee', 'deterministic')])
  }
  if (allowList !== 0 && !contradicted) {
    return allowed('allow-listed', [{ ...plainReason('allow-listed'), listId: allowList }])
  }

  const score = scoreSignals(signals, policy.blockAt)
  const isHarm = signals.some(({ contribution }) => contribution > 0)
  const reasons = signals
    .filter((signal) => isReason(signal, contradicted, isHarm))
    .map((signal) => signalReason(signal, evidence))
    .sort((a, b) => b.points - a.points)
    .slice(0, SIGNAL_REASONS_MAX)
  const basis = reasons[0]?.basis ?? 'analytics'
  const isDenied = signals.some(({ signal, strength, mode }) => {
    return signal === 'deny-listed' && strength === 1 && mode === 'enforce'
  })
  if (isDenied)
    return { decided: 'block', step: 'deny-listed', score, basis: 'analytics', reviewWanted: false, reasons }

  const byScore = score >= policy.blockAt ? 'block' : score >= policy.flagAt ? 'flag' : 'allow'
  const isProtected = protectedList !== 0 || (byScore !== 'allow' && isService(call.caller, policy))
  if (byScore === 'block' && !contradicted && !isProtected) {
    const doubt = doubtOf(evidence)
    if (doubt !== DOUBT.none && scoreSignals(signals, policy.blockAt, ofReports) < policy.blockAt) {
      const step = doubt === DOUBT.burst ? 'report-burst' : 'reports-contested'
      reasons.push(plainReason(step))
      return { decided: 'flag', step, score, basis, reviewWanted: true, reasons }
    }
  }
  if (!isProtected || contradicted) {
    return { decided: byScore, step: 'score', score, basis, reviewWanted: false, reasons }
  }
  const reviewWanted = score >= policy.reviewAt
  const isSpared = byScore === 'block'
  if (reviewWanted || isSpared) reasons.push({ ...plainReason('protected'), listId: protectedList })
  const step = isSpared ? 'protected' : 'score'
  return { decided: isSpared ? 'flag' : byScore, step, score, basis, reviewWanted, reasons }
}

function judgeSignals(call: Call, evidence: Evidence, context: JudgeContext): JudgedSignal[] {
  const strengths = new Uint16Array(SIGNAL_NAMES.length)
  const seen = measureEverySignal(call, evidence, context, strengths)
  if (isHarmSeen(seen, context.policy)) measureMitigation(call, evidence, context, strengths)
  const judged = SIGNAL_NAMES.map((signal, index) => {
    const facts = SIGNAL_FACTS[signal]
    const strength = strengths[index] ?? 0
    const mode = RULE_MODES[context.policy.modes[index] ?? 0] ?? 'off'
    const points = context.policy.points[index] ?? 0
    const isCounted = mode === 'enforce' && strength > 0
    const contribution = isCounted ? ((points * strength) / STRENGTH_FULL) * (facts.isGood ? -1 : 1) : 0
    const contradicts = isCounted && facts.contradictsAtFull && strength === STRENGTH_FULL
    const basis = signalBasis(facts, strength)
    const values = signalValues(signal, evidence, context)
    return { signal, strength: strength / STRENGTH_FULL, mode, points, contribution, basis, contradicts, values }
  })
  if (!judged.some((signal) => signal.contradicts)) return judged
  return judged.map((signal) => (signal.contribution < 0 ? { ...signal, contribution: 0 } : signal))
}

function ofReports({ signal }: JudgedSignal): boolean {
  return (REPORT_SIGNALS & (1 << SIGNAL_NAMES.indexOf(signal))) !== 0
}

/** `isDoubted`: signals that may flag, but not block, beside those that are so by nature. */
function scoreSignals(
  signals: readonly JudgedSignal[],
  blockAt: number,
  isDoubted: (signal: JudgedSignal) => boolean = () => false,
): number {
  const contributions = Float64Array.from(signals, (signal) => signal.contribution)
  const onlyFlags = signals.reduce((mask, judged, index) => {
    const { signal, strength, mode } = judged
    const isHeldBack = SIGNAL_FACTS[signal].onlyFlagsBelowFull && strength > 0 && strength < 1 && mode === 'enforce'
    return isHeldBack || isDoubted(judged) ? mask | (1 << index) : mask
  }, 0)
  return scoreOf(contributions, onlyFlags, blockAt)
}

/** Good evidence that a contradicted caller does not get is no reason, nor what mitigates nothing; suspicion is one even without points. */
function isReason({ signal, strength, mode, points }: JudgedSignal, contradicted: boolean, isHarm: boolean): boolean {
  if (strength === 0 || mode !== 'enforce') return false
  if (SIGNAL_FACTS[signal].mitigates && !isHarm) return false
  return !(SIGNAL_FACTS[signal].isGood && contradicted && points > 0)
}

function signalReason({ signal, contribution, basis }: JudgedSignal, evidence: Evidence): JudgedReason {
  const { reason, list } = SIGNAL_FACTS[signal]
  const listId = list === undefined ? 0 : (evidence.listByKind[kindCode(list)] ?? 0)
  return { code: reason, basis, points: Math.round(contribution) + 0, listId }
}

function kindCode(kind: ListKind): number {
  return kind === 'do-not-originate' ? KIND.doNotOriginate : KIND[kind]
}

function plainReason(code: ReasonCode, basis: Basis = 'analytics'): JudgedReason {
  return { code, basis, points: 0, listId: 0 }
}

function allowed(step: PrecedenceStep, reasons: JudgedReason[]): Outcome {
  return { decided: 'allow', step, score: 0, basis: reasons[0]?.basis ?? 'analytics', reviewWanted: false, reasons }
}

/** A subscriber may ask for less than the verdict, never for more. */
function capTo(verdict: Verdict, treatment: (typeof TREATMENTS)[number]): Verdict {
  switch (treatment) {
    case 'off':
      return 'allow'
    case 'flag':
      return VERDICTS[Math.min(VERDICTS.indexOf(verdict), VERDICTS.indexOf('flag'))] ?? 'flag'
    case 'block':
    case 'none':
      return verdict
    default:
      return treatment satisfies never
  }
}
