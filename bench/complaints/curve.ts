import { BLOCK_STRENGTH_MAX } from '../../src/domain/number-block.ts'

/** Shares of business numbers at which recall is reported. */
export const FALSE_POSITIVE_SHARES = [0.0001, 0.0005, 0.001, 0.0011, 0.005, 0.01] as const

export type CurvePoint = {
  /** Share of business numbers whose score reaches the threshold. */
  readonly falsePositiveShare: number
  /** Share of complaints whose caller's score reached it before the complaint. */
  readonly recall: number
  readonly threshold: number
}

/** How many scores there are of each value, which is an integer from 0 to BLOCK_STRENGTH_MAX. */
export type Histogram = Float64Array

export function histogramOf(scores: readonly number[], weights?: ArrayLike<number>): Histogram {
  const histogram = new Float64Array(BLOCK_STRENGTH_MAX + 1)
  for (const [index, score] of scores.entries()) {
    histogram[score] = (histogram[score] ?? 0) + (weights === undefined ? 1 : (weights[index] ?? 0))
  }
  return histogram
}

/** One point for every threshold that changes either share, the highest first. A score of 0 is never caught. */
export function curveOf(complaints: Histogram, benign: Histogram): CurvePoint[] {
  const complaintCount = sumOf(complaints)
  const benignCount = sumOf(benign)
  const curve: CurvePoint[] = []
  let caught = 0
  let wrong = 0
  for (let threshold = BLOCK_STRENGTH_MAX; threshold > 0; threshold--) {
    const more = complaints[threshold] ?? 0
    const moreWrong = benign[threshold] ?? 0
    if (more === 0 && moreWrong === 0) continue
    caught += more
    wrong += moreWrong
    curve.push({ falsePositiveShare: wrong / benignCount, recall: caught / complaintCount, threshold })
  }
  return curve
}

/** The point of highest recall at which at most `share` of the business numbers are hit; none: nothing is caught. */
export function pointAt(curve: readonly CurvePoint[], share: number): CurvePoint {
  let best: CurvePoint = { falsePositiveShare: 0, recall: 0, threshold: BLOCK_STRENGTH_MAX + 1 }
  for (const point of curve) if (point.falsePositiveShare <= share) best = point
  return best
}

function sumOf(histogram: Histogram): number {
  let sum = 0
  for (const count of histogram) sum += count
  return sum
}
