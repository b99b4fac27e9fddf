/**
 * What the benign world is shaped after, as constants, so that the simulator needs no file and two machines simulate the
 * same world. test/unit/bench/measured.test.ts compares them with the files they come from where those are at hand.
 */
import type { Random } from './random.ts'

/** Calls by hour of day in percent, hours 0-23 (Nodobo, 27 students, MIT licence; column Calls). */
export const WEEKDAY_HOURS = [
  1.41, 0.43, 0.27, 0.08, 0.02, 0.26, 1.5, 4.28, 4.48, 1.79, 2.29, 3.52, 5.01, 5.0, 7.75, 9.86, 11.1, 9.42, 8.34, 6.21,
  4.72, 4.1, 3.82, 4.35,
] as const
export const WEEKEND_HOURS = [
  3.43, 3.02, 1.89, 0.79, 0.52, 0.23, 0.14, 0.61, 0.95, 2.19, 5.3, 5.98, 5.98, 6.52, 6.99, 6.7, 9.38, 9.32, 7.85, 7.11,
  3.88, 3.81, 3.81, 3.61,
] as const

/** People by number of contacts: 536 people of the Copenhagen Networks Study (figshare 7267433), 3,600 calls. */
export const CONTACTS: readonly (readonly [contacts: number, people: number])[] = [
  [1, 209],
  [2, 158],
  [3, 83],
  [4, 41],
  [5, 21],
  [6, 8],
  [7, 7],
  [8, 3],
  [9, 1],
  [11, 2],
  [12, 1],
  [17, 1],
  [18, 1],
]

/** Calls of a pair of contacts in four weeks, quantiles 0, 0.05 … 1 (same source). */
export const CALLS_PER_PAIR = [1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 6, 7, 9, 13, 20, 130] as const
/** Of those pairs, the share in which one side alone calls: 318 of 621. */
export const ONE_WAY_PAIRS = 0.51

/** Seconds of talk of an answered call, quantiles 0, 0.025 … 1 (same source): 46 % last less than 6 s. */
export const TALK_SECONDS = [
  1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 10, 13, 16, 19, 23, 26, 30, 34, 39, 43, 50, 57, 64, 73,
  86, 102, 126, 166, 226, 404, 5138,
] as const

/**
 * Hours from a call to the complaint about it (US Do-Not-Call complaints of one day, 14,034 rows): median 3.4 h, 10 % within
 * 6 min, 90 % within 126 h. Log-normal on either side of the median, with the spread that its decile gives.
 */
export const REPORT_LAG_MEDIAN_HOURS = 3.4
const DECILE = 1.2816
const SPREAD_BELOW = Math.log(REPORT_LAG_MEDIAN_HOURS / 0.1) / DECILE
const SPREAD_ABOVE = Math.log(126 / REPORT_LAG_MEDIAN_HOURS) / DECILE

export function drawReportLagMs(random: Random): number {
  const z = random.normal()
  return REPORT_LAG_MEDIAN_HOURS * Math.exp(z * (z < 0 ? SPREAD_BELOW : SPREAD_ABOVE)) * 3_600_000
}

/** A value of a distribution given by evenly spaced quantiles; geometric between two, because tails are long. */
export function drawQuantile(random: Random, quantiles: readonly number[]): number {
  const at = random.unit() * (quantiles.length - 1)
  const index = Math.floor(at)
  const low = quantiles[index]!
  const high = quantiles[index + 1] ?? low
  return low === high ? low : low * (high / low) ** (at - index)
}
