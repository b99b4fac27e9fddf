import { seededRandom } from '../lib/seeded-random.ts'
import { curveOf, FALSE_POSITIVE_SHARES, histogramOf, pointAt } from './curve.ts'

export type Interval = readonly [low: number, high: number]

/** Scores of complaints with the number each is about, and of business numbers. */
export type Scores = {
  readonly complaints: readonly number[]
  readonly complaintNumbers: readonly number[]
  readonly benign: readonly number[]
}

/**
 * 95 % intervals of the recall at each of FALSE_POSITIVE_SHARES by the percentile bootstrap (B. Efron, "Bootstrap methods:
 * another look at the jackknife", Annals of Statistics 7, 1979). Numbers are drawn, not complaints: complaints about one
 * number are caught or missed together. Business numbers are drawn too, and with them the threshold.
 */
export function recallIntervals(scores: Scores, draws: number, seed: number): Interval[] {
  const random = seededRandom(seed)
  const { cluster, clusters } = clustersOf(scores.complaintNumbers)
  const recalls: number[][] = FALSE_POSITIVE_SHARES.map(() => [])
  for (let draw = 0; draw < draws; draw++) {
    const drawn = drawCounts(clusters, random)
    const weights = cluster.map((index) => drawn[index] ?? 0)
    const benignWeights = drawCounts(scores.benign.length, random)
    const curve = curveOf(histogramOf(scores.complaints, weights), histogramOf(scores.benign, benignWeights))
    for (const [index, share] of FALSE_POSITIVE_SHARES.entries()) recalls[index]?.push(pointAt(curve, share).recall)
  }
  return recalls.map((values) => {
    const sorted = values.sort((a, b) => a - b)
    const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0
    return [at(0.025), at(0.975)]
  })
}

function clustersOf(numbers: readonly number[]): { cluster: number[]; clusters: number } {
  const indexes = new Map<number, number>()
  const cluster = numbers.map((number) => {
    const known = indexes.get(number) ?? indexes.size
    indexes.set(number, known)
    return known
  })
  return { cluster, clusters: indexes.size }
}

/** How often each of `count` things is drawn in `count` draws with replacement. */
function drawCounts(count: number, random: () => number): Uint32Array {
  const counts = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const drawn = Math.floor(random() * count)
    counts[drawn] = (counts[drawn] ?? 0) + 1
  }
  return counts
}
