/** What became of the counted calls, by kind; and, by score, what another block threshold would have done. */
import { BLOCK, FLAG } from '../../src/domain/verdict.ts'
import { FIRST_ATTACK_KIND } from './call-pool.ts'

const KINDS = 256
const SCORES = 101

export type Tally = {
  add(kind: number, verdict: number, score: number, isFavoured: boolean, blockAt: number): void
  addTime(nanoseconds: number): void
  merge(other: Tally): void
  readonly calls: Float64Array
  readonly blocked: Float64Array
  readonly flagged: Float64Array
  /** kind x score: calls that a block threshold at or below the score would have blocked. */
  readonly byScore: Float64Array
  /** Decisions by time: bucket b up to 2^(b/4) ns. */
  readonly times: Float64Array
  readonly time: { sumNs: number; count: number }
}

/**
 * A call counts under its score unless no threshold would block it: its caller is protected or allow-listed, or the verdict
 * was taken back from block. One that was blocked without the score (a deny list) counts under 100. Below the threshold of
 * the policy the curve is an estimate: evidence that may only flag is held under the threshold in force.
 */
export function createTally(): Tally {
  const calls = new Float64Array(KINDS)
  const blocked = new Float64Array(KINDS)
  const flagged = new Float64Array(KINDS)
  const byScore = new Float64Array(KINDS * SCORES)
  const times = new Float64Array(160)
  const time = { sumNs: 0, count: 0 }
  return {
    calls,
    blocked,
    flagged,
    byScore,
    times,
    time,
    add(kind, verdict, score, isFavoured, blockAt) {
      calls[kind]!++
      if (verdict === BLOCK) blocked[kind]!++
      else if (verdict === FLAG) flagged[kind]!++
      const isBlockWithoutScore = verdict === BLOCK && score < blockAt
      const isTakenBack = verdict !== BLOCK && (score >= blockAt || isFavoured)
      const counted = isBlockWithoutScore ? SCORES - 1 : isTakenBack ? 0 : score
      byScore[kind * SCORES + counted]!++
    },
    addTime(nanoseconds) {
      time.sumNs += nanoseconds
      time.count++
      times[Math.min(times.length - 1, Math.max(0, Math.ceil(Math.log2(Math.max(1, nanoseconds)) * 4)))]!++
    },
    merge(other) {
      for (const [mine, theirs] of [
        [calls, other.calls],
        [blocked, other.blocked],
        [flagged, other.flagged],
        [byScore, other.byScore],
        [times, other.times],
      ] as const) {
        for (let index = 0; index < mine.length; index++) mine[index]! += theirs[index]!
      }
      time.sumNs += other.time.sumNs
      time.count += other.time.count
    },
  }
}

export type CurvePoint = {
  readonly threshold: number
  readonly maliciousBlockedShare: number
  readonly benignBlockedPer100000: number
}

/** From threshold 100 down to 1: more is blocked at every step. `isMalicious` says which kinds belong to the attack. */
export function curveOf(tally: Tally, isWanted: (kind: number) => boolean = () => true): CurvePoint[] {
  const totals = { malicious: 0, benign: 0 }
  for (let kind = 0; kind < KINDS; kind++) {
    if (!isWanted(kind)) continue
    totals[kind < FIRST_ATTACK_KIND ? 'benign' : 'malicious'] += tally.calls[kind]!
  }
  const blocked = { malicious: 0, benign: 0 }
  const points: CurvePoint[] = []
  for (let threshold = SCORES - 1; threshold >= 1; threshold--) {
    for (let kind = 0; kind < KINDS; kind++) {
      if (!isWanted(kind)) continue
      blocked[kind < FIRST_ATTACK_KIND ? 'benign' : 'malicious'] += tally.byScore[kind * SCORES + threshold]!
    }
    points.push({
      threshold,
      maliciousBlockedShare: blocked.malicious / Math.max(1, totals.malicious),
      benignBlockedPer100000: (blocked.benign / Math.max(1, totals.benign)) * 1e5,
    })
  }
  return points
}

/** The share of a kind that a threshold blocks. */
export function blockedShareAt(tally: Tally, kind: number, threshold: number): number {
  let blocked = 0
  for (let score = threshold; score < SCORES; score++) blocked += tally.byScore[kind * SCORES + score]!
  return blocked / Math.max(1, tally.calls[kind]!)
}

/** Nanoseconds under which that share of the decisions stayed; within a fifth. */
export function timeQuantile({ times, time }: Tally, share: number): number {
  let seen = 0
  for (let bucket = 0; bucket < times.length; bucket++) {
    seen += times[bucket]!
    if (seen >= share * time.count) return 2 ** (bucket / 4)
  }
  return Number.NaN
}
