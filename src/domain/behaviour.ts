/**
 * What the policy says about behaviour: limits of the typed signals, and the scorecard of `calling-pattern`. All are whole
 * numbers. The defaults are those of data/policy.yaml, where each stands with the figures that justify it; a stored policy
 * of an earlier release has none and is read with these.
 */

/** Limits of one signal: names to whole numbers. */
export type BehaviourLimits = {
  /**
   * Distinct callees within 1, 15, 60 minutes, any of them, and calls in vain beyond twice those that were heard, that make a
   * robocall burst at full strength.
   */
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
  /**
   * Calls of a new number that nobody calls, and its callees in the last hour, or more calls and fewer callees; incoming calls
   * per 100 outgoing up to which nobody calls it.
   */
  readonly simBox: {
    readonly calls: number
    readonly callees60: number
    readonly slowCalls: number
    readonly slowCallees60: number
    readonly incomingPercent: number
  }
  /** Trunks one number comes in through within 15 minutes. */
  readonly trunks: { readonly count: number }
  /** Callers of one callee within 15 minutes whose calls came to nothing. */
  readonly flood: { readonly calls: number }
}

/**
 * What the scorecards of `calling-pattern` weigh, in the order of their weights: each is log2(1 + count) of a count in the
 * activity of the caller, of its 100-number block, of the callee, or of the caller as a callee. Harm has weights >= 0, good
 * evidence weights <= 0: more harm never lowers the score, whatever was fitted.
 */
export const HARM_FEATURES = [
  'callees-1',
  'callees-15',
  'unrepeated-60',
  'short-60',
  'one-ring-60',
  'sequential-60',
  'trunks-15',
  'newcomer',
  'newcomers-60',
  'block-callers-60',
  'block-fruitless-60',
  'callee-fruitless-15',
  'stranger-from-abroad-15',
  'stranger-neighbours-15',
  'stranger-own-15',
] as const
export const GOOD_FEATURES = [
  'listened-60',
  'repeats-60',
  'days',
  'total-long',
  'incoming',
  'incoming-long',
  'block-listened-60',
  'block-days',
  'block-total-long',
] as const
export const PATTERN_FEATURES = [...HARM_FEATURES, ...GOOD_FEATURES] as const
export type PatternFeature = (typeof PATTERN_FEATURES)[number]

/**
 * Scorecards, one for each population of callers (a segmented scorecard, as credit scoring has them): everybody; numbers that
 * nobody calls and that have called on two days at most; callers whose number does not fit (engine/evidence.ts, ODDITY), as
 * those of others on their trunk do not. Whoever belongs to several is judged by the worst of them.
 */
export const SCORECARDS = ['any-number', 'new-number', 'odd-number'] as const
export type ScorecardName = (typeof SCORECARDS)[number]

/** A linear score in thousandths of a logit. */
export type Scorecard = {
  readonly bias: number
  /** Thousandths of a logit per doubling of 1 + count. A feature that is not named weighs nothing. */
  readonly weights: Readonly<Partial<Record<PatternFeature, number>>>
}

/** Full strength at `full` and above, none at 0 and below. */
export type Pattern = { readonly full: number } & Readonly<Record<ScorecardName, Scorecard>>

export type Behaviour = BehaviourLimits & { readonly pattern: Pattern }

/** For policies written before behaviour was known. */
export const DEFAULT_BEHAVIOUR: Behaviour = {
  robocall: { callees1: 4, callees15: 8, callees60: 12, fruitless: 6 },
  oneRing: { callees: 5 },
  sequential: { calls: 6 },
  neighbour: { digits: 6 },
  strangers: { fromAbroad: 3, ownNumbers: 20, neighbours: 3 },
  rotation: { newcomers: 4, callers: 4, calls: 48 },
  simBox: { calls: 10, callees60: 8, slowCalls: 20, slowCallees60: 4, incomingPercent: 3 },
  trunks: { count: 5 },
  flood: { calls: 12 },
  pattern: {
    full: 2654,
    'any-number': {
      bias: -5505,
      weights: {
        'callees-15': 645,
        'unrepeated-60': 493,
        'short-60': 718,
        'one-ring-60': 879,
        'trunks-15': 2866,
        'newcomers-60': 357,
        'block-callers-60': 475,
        'callee-fruitless-15': 966,
        'listened-60': -745,
        'repeats-60': -549,
        incoming: -124,
        'incoming-long': -168,
      },
    },
    'new-number': {
      bias: 0,
      weights: {
        'callees-15': 647,
        'unrepeated-60': 747,
        'one-ring-60': 3728,
        'sequential-60': 3961,
        'trunks-15': 6555,
        'newcomers-60': 1777,
        'block-callers-60': 199,
        'callee-fruitless-15': 456,
        'listened-60': -1213,
        'repeats-60': -1525,
        days: -1604,
        'block-listened-60': -404,
      },
    },
    'odd-number': {
      bias: 0,
      weights: {
        'callees-1': 6467,
        'callees-15': 2397,
        'unrepeated-60': 740,
        'short-60': 4615,
        'one-ring-60': 505,
        newcomer: 254,
        'stranger-from-abroad-15': 2681,
        'stranger-neighbours-15': 2369,
        'stranger-own-15': 1356,
        'repeats-60': -1893,
        days: -1294,
        'block-listened-60': -30,
        'block-days': -573,
        'block-total-long': -418,
      },
    },
  },
}

/**
 * The section of a stored policy, or the defaults where it has none: policies are stored as they were read, by earlier releases
 * too, which knew fewer limits and one scorecard.
 */
export function completeBehaviour(stored: Partial<Behaviour> | undefined): Behaviour {
  const groups = Object.entries(DEFAULT_BEHAVIOUR).map(([name, limits]) => {
    const own = stored?.[name as keyof Behaviour]
    return [name, name === 'pattern' ? (hasScorecards(own) ? own : limits) : { ...limits, ...own }]
  })
  return Object.fromEntries(groups) as Behaviour
}

function hasScorecards(pattern: object | undefined): boolean {
  return pattern !== undefined && SCORECARDS.every((name) => name in pattern)
}
