import {
  type Behaviour,
  completeBehaviour,
  GOOD_FEATURES,
  HARM_FEATURES,
  PATTERN_FEATURES,
  type PatternFeature,
  SCORECARDS,
  type Scorecard,
} from '../domain/behaviour.ts'
import { type DiallingRules, parsePhoneNumber } from '../domain/parse-phone-number.ts'
import { SHORT_CODE_LIMIT } from '../domain/phone-number.ts'
import { type PolicyDocument, RULE_MODES, SIGNAL_NAMES } from '../domain/policy.ts'
import { DOUBT_DEFAULTS, type DoubtRules } from '../domain/report-doubts.ts'
import { SIGNAL_FACTS_BY_INDEX } from '../domain/signal.ts'
import { type QuietBounds, quietBounds } from './quiet-bounds.ts'

export const MODE_ENFORCE = RULE_MODES.indexOf('enforce')
export const MODE_OFF = RULE_MODES.indexOf('off')

/** A policy as the hot path reads it: numbers and typed arrays by signal index (SIGNAL_NAMES order). */
export type CompiledPolicy = {
  readonly version: number
  /** name@version, for answers. */
  readonly label: string
  /** RULE_MODES index; a signal without a rule is off. */
  readonly modes: Uint8Array
  readonly points: Uint8Array
  /** Bits by signal: those that are not off; those that are enforced; those with points that are not good evidence. */
  readonly measured: number
  readonly enforced: number
  readonly harmful: number
  readonly flagAt: number
  readonly blockAt: number
  readonly reviewAt: number
  readonly windowDays: number
  readonly flagReporters: number
  readonly blockReporters: number
  readonly weightMin: number
  readonly burst: DoubtRules['burst']
  readonly corroboratedMin: number
  readonly numberingStaleMs: number
  readonly behaviour: Behaviour
  readonly quiet: QuietBounds
  /** In SCORECARDS order. */
  readonly scorecards: readonly CompiledScorecard[]
  /** Ascending PhoneNumbers: calls to these always get through. */
  readonly emergencyCallees: Float64Array
  readonly serviceCallees: Float64Array
}

export type CompiledScorecard = {
  readonly bias: number
  /** In PATTERN_FEATURES order. */
  readonly weights: Int32Array
  /** Harm and good evidence that weigh anything: pairs of a PATTERN_FEATURES index and its weight. */
  readonly harm: Int32Array
  readonly good: Int32Array
}

const DAY_MS = 86_400_000

/** Compiles a policy for one home country. */
export function compilePolicy(policy: PolicyDocument, version: number, home: DiallingRules): CompiledPolicy {
  const modes = new Uint8Array(SIGNAL_NAMES.length).fill(MODE_OFF)
  const points = new Uint8Array(SIGNAL_NAMES.length)
  for (const rule of policy.rules) {
    const index = SIGNAL_NAMES.indexOf(rule.signal)
    modes[index] = RULE_MODES.indexOf(rule.mode)
    points[index] = rule.points
  }
  const behaviour = completeBehaviour(policy.behaviour)
  return {
    version,
    label: `${policy.name}@${version}`,
    modes,
    points,
    measured: bitsWhere((index) => modes[index] !== MODE_OFF),
    enforced: bitsWhere((index) => modes[index] === MODE_ENFORCE),
    harmful: bitsWhere((index) => points[index] !== 0 && !SIGNAL_FACTS_BY_INDEX[index]?.isGood),
    flagAt: policy.thresholds.flag,
    blockAt: policy.thresholds.block,
    reviewAt: policy.reviewAt,
    windowDays: policy.reports.windowDays,
    flagReporters: policy.reports.flagReporters,
    blockReporters: policy.reports.blockReporters,
    weightMin: policy.reports.weightMin,
    ...DOUBT_DEFAULTS,
    numberingStaleMs: policy.numbering.staleAfterDays * DAY_MS,
    behaviour,
    quiet: quietBounds(behaviour),
    scorecards: SCORECARDS.map((name) => compileScorecard(behaviour.pattern[name])),
    // Whatever a policy says: 112 is what phones dial for SOS, and what urn:service:sos (RFC 5031) is read as.
    emergencyCallees: compileCallees([...policy.callees.emergency, '112'], home),
    serviceCallees: compileCallees(policy.callees.service, home),
  }
}

function compileScorecard({ bias, weights }: Scorecard): CompiledScorecard {
  const pairs = (features: readonly PatternFeature[]) =>
    Int32Array.from(
      features.flatMap((feature) => {
        const weight = weights[feature] ?? 0
        return weight === 0 ? [] : [PATTERN_FEATURES.indexOf(feature), weight]
      }),
    )
  return {
    bias,
    weights: Int32Array.from(PATTERN_FEATURES, (feature) => weights[feature] ?? 0),
    harm: pairs(HARM_FEATURES),
    good: pairs(GOOD_FEATURES),
  }
}

function bitsWhere(isSet: (index: number) => boolean): number {
  return SIGNAL_NAMES.reduce((mask, _, index) => (isSet(index) ? mask | (1 << index) : mask), 0)
}

/** True when a callee stands in one of the lists above. No allocation. */
export function includesCallee(callees: Float64Array, callee: number): boolean {
  let low = 0
  let high = callees.length
  // Most callees are full numbers, and most of these short codes.
  if (high === 0 || callee > (callees[high - 1] ?? 0)) return false
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((callees[middle] ?? 0) < callee) low = middle + 1
    else high = middle
  }
  return low < callees.length && callees[low] === callee
}

/**
 * Digits as dialled, read like a callee. A policy may be written for another country: 2-6 digits are always kept as a
 * short code too, so that an emergency number can never fall out of the list.
 */
function compileCallees(digits: readonly string[], home: DiallingRules): Float64Array {
  const numbers = new Set<number>()
  for (const text of digits) {
    const parsed = parsePhoneNumber(text, home, 'call')
    if (parsed > 0) numbers.add(parsed)
    const shortCode = Number(`1${text}`)
    if (text.length <= 6 && shortCode < SHORT_CODE_LIMIT) numbers.add(shortCode)
  }
  return Float64Array.from(numbers).sort()
}
