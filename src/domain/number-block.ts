/**
 * Reputation of the numbers around a number.
 *
 * Whoever calls a million people rents numbers by the block and rotates through them: of 298,949 real complained-about
 * callers 278,770 were reported once, so the number itself is news, its neighbours are not. How often the next report
 * comes from a number is a rate, and rates of a few numbers are learned by borrowing strength from more of them:
 *
 * ```
 *   10,000 numbers ─▶ 1,000 ─▶ 100 ─▶ 10 ─▶ the number itself       each rate is the prior mean of the next
 *      rate = (harm + a) / (numbers + a / prior rate)
 * ```
 * A hierarchical gamma-Poisson model, shrunk by empirical Bayes (J. O. Berger, "Statistical Decision Theory and Bayesian
 * Analysis", 1985, 4.5; D. Clayton and J. Kaldor, "Empirical Bayes estimates of age-standardized relative risks for use in
 * disease mapping", Biometrics 43, 1987). `a` is the gamma's shape, one per level and the same everywhere: how much
 * evidence of its own a block needs before it is believed against the block it lies in. With a prior of constant shape the
 * prior multiplies what little evidence there is, where one of constant weight would add to it.
 *
 * - A number counts in its blocks with 1 - exp(-harm), so with less than one however much it is reported: one
 *   much-reported number says little about its neighbours, three reported neighbours say much. What counts is distinct
 *   numbers, as in the discounting of hierarchical Pitman-Yor models (Y. W. Teh, ACL 2006).
 * - Good evidence takes from what its own number counts, and from nothing else: whoever whitewashes one number of a pool has
 *   not whitewashed the pool.
 * - Everything is decayed, with the half-life of reputations. Weights are kept relative to a landmark in the past and scaled
 *   when read (G. Cormode et al., "Forward decay", ICDE 2009), so that a sum is one number and never needs refreshing.
 * - Per ingress kind, as reputations are: reports of calls from abroad say nothing about national calls.
 *
 * - A freephone number (freephone.ts) lies among honest businesses, so that the same evidence says less against it.
 *
 * What comes out is a strength, never a verdict: on real businesses a hard block of every 1,000-number block with three bad
 * numbers hits 1.1 %. Blocks are of the whole number (floor(number / size)), which is right in every country where numbers
 * are given out in blocks of powers of ten. A short code has no neighbours: it neither counts nor has a strength.
 */
import { isFreephone } from './freephone.ts'
import { SHORT_CODE_LIMIT } from './phone-number.ts'
import { decayedGood, decayedHarm, newestHarmMs, newestReportMs } from './reputation.ts'
import { DAY_MS, KINDS, REPUTATION_HALF_LIFE_DAYS } from './reputation-record.ts'

/** Numbers in a block, by level. */
export const BLOCK_SIZES = [10, 100, 1_000, 10_000] as const
export const LEVEL_TEN = 0
export const LEVEL_HUNDRED = 1
export const LEVEL_THOUSAND = 2
export const LEVEL_TEN_THOUSAND = 3

/** What blockStrength reads: harm by level, decayed, then the number's own harm and good evidence, decayed. */
export const BLOCK_EVIDENCE_LENGTH = 6
export const OWN_HARM = 4
export const OWN_GOOD = 5

/** Strengths are thousandths: integers up to this. */
export const BLOCK_STRENGTH_MAX = 1_000

/** Thousandths a doubling of the expected rate adds: from 2^-13, where nothing is said, 15.6 doublings to the end. */
const PER_DOUBLING = 64
const DOUBLINGS_BELOW_ONE = 13

/**
 * The constants of the model: what is expected of 10,000 numbers nothing is known of, in reports a number; the gamma shapes of
 * the levels and of the number itself, in reports; and what the rate of a freephone number is multiplied by.
 */
export type BlockModel = {
  readonly background: number
  readonly tenThousand: number
  readonly thousand: number
  readonly hundred: number
  readonly ten: number
  readonly own: number
  readonly freephone: number
}

/**
 * Fitted with `npm run fit -- complaints` on 226,164 complaints to the US Do-Not-Call registry (autumn 2025) and 3,129 contact
 * numbers of US providers: mean recall at false positives of 0.07 to 0.8 %. With these constants it is 39.4 %, and 36.8 % with
 * all shapes 1 and no freephone factor; the best found is 39.5 %. The maximum is flat: a constant four times as large or small
 * costs 0.3 points (thousand, own), 0.7 (ten), 1.2 (freephone) or nothing (background, tenThousand, hundred). Fitted on one
 * half and checked on the other, the search gains 0.9 points over neutral constants, so there is little to overfit.
 */
export const BLOCK_MODEL: BlockModel = {
  background: 2e-5,
  tenThousand: 0.125,
  thousand: 0.5,
  hundred: 16,
  ten: 0.25,
  own: 0.125,
  freephone: 0.25,
}

/** Evidence halves once a period, so that whole periods are whole binary exponents and scaling by them is exact. */
const PERIOD_MS = REPUTATION_HALF_LIFE_DAYS * DAY_MS

/** False for short codes and for what is no number. */
export function hasBlocks(number: number): boolean {
  return number >= SHORT_CODE_LIMIT
}

/** The half-life period of a moment: weights are kept relative to the start of one. */
export function periodOf(atMs: number): number {
  return Math.floor(atMs / PERIOD_MS)
}

/** What evidence of `atMs` weighs relative to the start of period `base`. Another base changes the exponent alone. */
export function weightAt(atMs: number, base: number): number {
  const period = periodOf(atMs)
  return 2 ** (atMs / PERIOD_MS - period) * 2 ** (period - base)
}

/**
 * What one number counts in each of its blocks for calls of one ingress kind, relative to period `base`: less than
 * weightAt(now, base), growing with its harm and falling with its good evidence.
 */
export function weightInBlock(record: DataView, ingress: number, base: number): number {
  const newestMs = newestReportMs(record)
  const harmMs = newestHarmMs(record, ingress)
  // The sums of a record are decayed to its newest report; a later one that is good or of another kind must change nothing.
  const back = 2 ** ((newestMs - harmMs) / PERIOD_MS)
  const harm = decayedHarm(record, ingress, newestMs) * back
  if (!(harm > 0)) return 0
  const good = decayedGood(record, ingress, newestMs) * back
  return (1 - Math.exp(-harm)) * (harm / (harm + good)) * weightAt(harmMs, base)
}

/**
 * Sums of one block of 1,000 numbers and of the blocks in it, relative to a period: KINDS values each for the 100 blocks
 * of 10, the 10 of 100 and the one of 1,000. Filled by addToThousand, then rounded to what a block table keeps.
 */
export type ThousandSums = { readonly sums: Float64Array; newestMs: number }

export const TENS_AT = 0
export const HUNDREDS_AT = 100 * KINDS
export const THOUSAND_AT = 110 * KINDS

export function createThousandSums(): ThousandSums {
  return { sums: new Float64Array(111 * KINDS), newestMs: 0 }
}

export function clearThousandSums(into: ThousandSums): void {
  into.sums.fill(0)
  into.newestMs = 0
}

/** Adds a number of the block with its record. Numbers must come in ascending order: sums of doubles depend on it. */
export function addToThousand(into: ThousandSums, number: number, record: DataView, base: number): void {
  const { sums } = into
  const ten = TENS_AT + (Math.floor(number / 10) % 100) * KINDS
  const hundred = HUNDREDS_AT + (Math.floor(number / 100) % 10) * KINDS
  for (let ingress = 0; ingress < KINDS; ingress++) {
    const weight = weightInBlock(record, ingress, base)
    sums[ten + ingress] = (sums[ten + ingress] ?? 0) + weight
    sums[hundred + ingress] = (sums[hundred + ingress] ?? 0) + weight
    sums[THOUSAND_AT + ingress] = (sums[THOUSAND_AT + ingress] ?? 0) + weight
  }
  into.newestMs = Math.max(into.newestMs, newestReportMs(record))
}

/**
 * How strongly its blocks and its own record speak against a number: 0..BLOCK_STRENGTH_MAX, PER_DOUBLING for every doubling
 * of the rate at which the next report is expected from it. Grows with harm of every level, falls with the number's own
 * good evidence. `evidence`, about `number`, is laid out as BLOCK_EVIDENCE_LENGTH says. No allocation.
 */
export function blockStrength(evidence: Float64Array, number: number, model: BlockModel = BLOCK_MODEL): number {
  let rate = model.background
  rate = nextRate(rate, evidence[LEVEL_TEN_THOUSAND] ?? 0, 10_000, model.tenThousand)
  rate = nextRate(rate, evidence[LEVEL_THOUSAND] ?? 0, 1_000, model.thousand)
  rate = nextRate(rate, evidence[LEVEL_HUNDRED] ?? 0, 100, model.hundred)
  rate = nextRate(rate, evidence[LEVEL_TEN] ?? 0, 10, model.ten)
  rate = nextRate(rate, evidence[OWN_HARM] ?? 0, 1 + (evidence[OWN_GOOD] ?? 0), model.own)
  if (isFreephone(number)) rate *= model.freephone
  const strength = Math.round(PER_DOUBLING * (Math.log2(rate) + DOUBLINGS_BELOW_ONE)) | 0
  return Math.min(BLOCK_STRENGTH_MAX, Math.max(0, strength))
}

/** Posterior mean of a gamma-Poisson rate with prior mean `rate` and this shape: (harm + shape) / (numbers + shape / rate). */
function nextRate(rate: number, harm: number, numbers: number, shape: number): number {
  return ((harm + shape) * rate) / (numbers * rate + shape)
}
