/**
 * What the policy says about behaviour: limits of the typed signals, and the scorecard of `calling-pattern`. All are whole
 * numbers. The defaults are those of data/policy.yaml, where each stands with the figures that justify it; a stored policy
 * of an earlier release has none and is read with these.
 */

/** Limits of one signal: names to whole numbers. */
export type BehaviourLimits = {
  /** Distinct callees within 1, 15, 60 minutes, any of them, and calls in vain that make a robocall burst at full strength. */
  readonly robocall: {
    readonly callees1: number
    readonly callees15: number
    readonly callees60: number
    readonly fruitless: number
  }
  /** Distinct callees rung once and let go within an hour. */
  readonly oneRing: { readonly callees: number }
  /** Calls to a number next to the one dialled before, within an hour. */
  readonly sequential: { readonly calls: number }
  /** Leading digits, country code included, that caller and callee share. */
  readonly neighbour: { readonly digits: number }
  /** Strangers with the same oddity (engine/evidence.ts) on one trunk within 15 minutes. */
  readonly strangers: { readonly fromAbroad: number; readonly ownNumbers: number; readonly neighbours: number }
  /** In one 100-number block within an hour: callers never seen before; or callers, and their calls that came to nothing. */
  readonly rotation: { readonly newcomers: number; readonly callers: number; readonly calls: number }
  /** Calls of a new number that nobody calls, and its callees in the last hour; incoming calls per 100 outgoing up to which nobody calls it. */
  readonly simBox: { readonly calls: number; readonly callees60: number; readonly incomingPercent: number }
  /** Trunks one number comes in through within 15 minutes. */
  readonly trunks: { readonly count: number }
  /** Calls to one callee within 15 minutes that came to nothing. */
  readonly flood: { readonly calls: number }
}

/**
 * What the scorecard of `calling-pattern` weighs, in the order of its weights: each is log2(1 + count) of a count in the
 * activity of the caller, of its 100-number block, of the callee, or of the caller as a callee. Harm has weights >= 0, good
 * evidence weights <= 0: more harm never lowers the score, whatever was fitted.
 */
export const HARM_FEATURES = [
  'callees-1',
  'callees-15',
  'callees-60',
  'fruitless-60',
  'short-60',
  'one-ring-60',
  'sequential-60',
  'trunks-15',
  'block-fruitless-60',
  'callee-fruitless-15',
  'stranger-neighbours-15',
  'stranger-from-abroad-15',
  'stranger-own-15',
  'calls-without-incoming',
  'newcomers-60',
] as const
export const GOOD_FEATURES = [
  'listened-60',
  'talks-60',
  'long-60',
  'repeats-60',
  'days',
  'total-long',
  'incoming',
  'incoming-long',
  'block-listened-60',
  'block-long-60',
  'block-days',
  'callee-listened-60',
] as const
export const PATTERN_FEATURES = [...HARM_FEATURES, ...GOOD_FEATURES] as const
export type PatternFeature = (typeof PATTERN_FEATURES)[number]

/** The scorecard: a linear score in thousandths of a logit; full strength at `full` and above, none at 0 and below. */
export type PatternWeights = {
  readonly bias: number
  readonly full: number
  /** Thousandths of a logit per doubling of 1 + count. A feature that is not named weighs nothing. */
  readonly weights: Readonly<Partial<Record<PatternFeature, number>>>
}

export type Behaviour = BehaviourLimits & { readonly pattern: PatternWeights }

/** For policies written before behaviour was known. */
export const DEFAULT_BEHAVIOUR: Behaviour = {
  robocall: { callees1: 4, callees15: 8, callees60: 12, fruitless: 5 },
  oneRing: { callees: 5 },
  sequential: { calls: 6 },
  neighbour: { digits: 6 },
  strangers: { fromAbroad: 3, ownNumbers: 20, neighbours: 3 },
  rotation: { newcomers: 4, callers: 4, calls: 48 },
  simBox: { calls: 10, callees60: 8, incomingPercent: 2 },
  trunks: { count: 6 },
  flood: { calls: 12 },
  pattern: {
    bias: -106,
    full: 5135,
    weights: {
      'callees-15': 153,
      'callees-60': 1008,
      'short-60': 588,
      'one-ring-60': 2560,
      'sequential-60': 423,
      'trunks-15': 1663,
      'callee-fruitless-15': 495,
      'stranger-neighbours-15': 2040,
      'stranger-from-abroad-15': 3031,
      'stranger-own-15': 1352,
      'calls-without-incoming': 92,
      'newcomers-60': 1142,
      'listened-60': -1556,
      'repeats-60': -2168,
      days: -821,
      incoming: -563,
      'block-listened-60': -293,
      'callee-listened-60': -321,
    },
  },
}
