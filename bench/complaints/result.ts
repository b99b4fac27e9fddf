import { printTable } from '../lib/print-table.ts'
import { type Baseline, baselinesOf } from './baselines.ts'
import { type Interval, recallIntervals, type Scores } from './bootstrap.ts'
import { type CurvePoint, curveOf, FALSE_POSITIVE_SHARES, histogramOf, pointAt } from './curve.ts'
import type { NumberFile } from './read-numbers.ts'

/** What `--json` writes. Counts are of numbers that could be read. */
export type ComplaintsResult = {
  readonly evaluation: 'complaints'
  readonly train: number
  readonly test: number
  readonly benign: number
  readonly rejected: { readonly train: number; readonly test: number; readonly benign: number }
  /** The pace assumed for files without times; null when none was needed. */
  readonly perDay: number | null
  readonly seed: number
  readonly draws: number
  /** The best threshold at each share, with the 95 % interval of the recall. */
  readonly at: readonly (CurvePoint & { readonly share: number; readonly interval: Interval })[]
  readonly baselines: readonly Baseline[]
  readonly curve: readonly CurvePoint[]
}

export function resultOf(
  { train, test, benign }: { readonly train: NumberFile; readonly test: NumberFile; readonly benign: NumberFile },
  scores: Scores,
  { perDay, seed, draws }: { readonly perDay: number; readonly seed: number; readonly draws: number },
): ComplaintsResult {
  const curve = curveOf(histogramOf(scores.complaints), histogramOf(scores.benign))
  const intervals = recallIntervals(scores, draws, seed)
  return {
    evaluation: 'complaints',
    train: train.numbers.length,
    test: test.numbers.length,
    benign: benign.numbers.length,
    rejected: {
      train: train.rejectedAt.length,
      test: test.rejectedAt.length,
      benign: benign.rejectedAt.length,
    },
    perDay: train.timesMs && test.timesMs ? null : perDay,
    seed,
    draws,
    at: FALSE_POSITIVE_SHARES.map((share, index) => ({
      share,
      ...pointAt(curve, share),
      interval: intervals[index] ?? [0, 0],
    })),
    baselines: baselinesOf(train.numbers, test.numbers, benign.numbers),
    curve,
  }
}

/** The result as tables for people. */
export function printResult(result: ComplaintsResult): void {
  const { train, test, benign, rejected, perDay } = result
  const count = (value: number) => value.toLocaleString('en')
  process.stdout.write(
    `${count(train)} complaints folded in, ${count(test)} judged before each was folded in too, ${count(benign)} business numbers at the end.\n` +
      `Rows that are no telephone number, left out: ${rejected.train} train, ${rejected.test} test, ${rejected.benign} benign.\n` +
      (perDay === null ? '' : `Files without times: ${count(perDay)} complaints a day assumed (--per-day).\n`),
  )
  printTable(
    ['business numbers hit, at most', 'numbers', 'complaints caught', '95 % interval', 'threshold'],
    result.at.map(({ share, recall, interval, threshold }) => [
      percent(share),
      Math.floor(share * benign + 1e-9),
      percent(recall),
      `${percent(interval[0])} - ${percent(interval[1])}`,
      threshold,
    ]),
  )
  printTable(
    ['compared with', 'complaints caught', 'business numbers hit'],
    result.baselines.map(({ name, recall, falsePositiveShare }) => [
      name,
      percent(recall),
      percent(falsePositiveShare),
    ]),
  )
}

function percent(share: number): string {
  return `${(100 * share).toFixed(2)} %`
}
