import { ratios } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import { median, round } from '../lib/stats.ts'
import { svgChart } from '../lib/svg-chart.ts'
import type { PartResult, ResultChart, ResultTable } from '../suite/part.ts'
import { plain } from '../suite/print-result.ts'
import type { ListedCosts } from './listed-worlds.ts'
import type { WorldRates } from './measure-rates.ts'
import { bytesPerNumber, powerText } from './sizes.ts'

/** Everything of one size of the list; of the largest, what stopped the next one. */
export type ListedResult = ListedCosts & WorldRates
export type CallersResult = WorldRates & { readonly callers: number }

type Perhaps = { readonly note?: string }

/** Sizes below this tell more of the process than of its numbers. */
const BYTES_FROM = 1_000_000

/** The rows of the table of measures: the largest list to the smallest one. `note` says when the largest is not 10^8. */
export function scaleMeasures(listed: readonly ListedResult[], { note }: Perhaps): PartResult['measured'] {
  const [fewest, most] = [listed[0], listed.at(-1)]
  if (fewest === undefined || most === undefined || fewest === most) return {}
  const more = note === undefined ? {} : { note }
  const rateNote = note === undefined ? 'by processor time' : `by processor time; ${note}`
  return {
    'scale-rate': measuredFrom(ratios(most.coreRates, fewest.coreRates), rateNote),
    'scale-bytes': { value: steadyBytes(most, fewest), ...more },
    'scale-bytes-swap': { value: swapBytes(most, fewest), ...more },
  }
}

/** Of a verdict process. */
export function steadyBytes(one: ListedCosts, fewest: ListedCosts): number {
  return bytesPerNumber(one.steady.verdict, one.listed, fewest.steady.verdict, fewest.listed)
}

export function swapBytes(one: ListedCosts, fewest: ListedCosts): number {
  return bytesPerNumber(one.swap.verdict, one.listed, fewest.steady.verdict, fewest.listed)
}

export function listedTable(listed: readonly ListedResult[], note: string): ResultTable {
  const [fewest] = listed
  const mib = (bytes: number) => plain(bytes / 2 ** 20)
  const each = (one: ListedResult, bytes: number) => (one.listed < BYTES_FROM ? '' : round(bytes))
  return {
    title: 'Listed numbers',
    head: [
      'listed',
      'import, s',
      'start, s',
      'verdict process, MiB',
      'whole node',
      'at most in a swap',
      'bytes a number',
      'in a swap',
      'on disk',
      'verdicts/s',
      'a core',
      'p99, ms',
    ],
    rows: listed.map((one) => [
      powerText(one.listed),
      round(one.importSeconds),
      round(one.startSeconds),
      mib(one.steady.verdict),
      mib(one.steady.all),
      mib(one.swap.verdict),
      each(one, fewest === undefined ? Number.NaN : steadyBytes(one, fewest)),
      each(one, fewest === undefined ? Number.NaN : swapBytes(one, fewest)),
      each(one, one.diskBytes / one.listed),
      plain(median(one.rates)),
      plain(median(one.coreRates)),
      round(median(one.p99Ms)),
    ]),
    note,
  }
}

export function callersTable(callers: readonly CallersResult[], note: string): ResultTable {
  return {
    title: 'Active callers',
    head: ['callers', 'verdicts/s', 'a core', 'p99, ms', 'verdict process, MiB', 'whole node'],
    rows: callers.map((one) => [
      powerText(one.callers),
      plain(median(one.rates)),
      plain(median(one.coreRates)),
      round(median(one.p99Ms)),
      plain(one.memory.verdict / 2 ** 20),
      plain(one.memory.all / 2 ** 20),
    ]),
    note,
  }
}

export function scaleCharts(listed: readonly ListedResult[], callers: readonly CallersResult[]): ResultChart[] {
  const [fewest] = listed
  if (fewest === undefined) return []
  const large = listed.filter((one) => one.listed >= BYTES_FROM)
  const rate = (size: number, { coreRates }: WorldRates): Point => [size, median(coreRates) / 1_000]
  const charts = [
    chart(
      'scale-rate',
      'Verdicts a second of processor time, by listed numbers and by active callers',
      'numbers',
      '1,000 verdicts/s',
      [
        { name: 'listed numbers', points: listed.map((one) => rate(one.listed, one)) },
        { name: 'active callers (1 M listed)', points: callers.map((one) => rate(one.callers, one)) },
      ],
    ),
    chart('scale-bytes', 'Memory of a verdict process for a listed number', 'listed numbers', 'bytes a number', [
      { name: 'steady', points: large.map((one) => [one.listed, steadyBytes(one, fewest)]) },
      { name: 'while a gate is swapped', points: large.map((one) => [one.listed, swapBytes(one, fewest)]) },
    ]),
    chart('scale-start', 'From start to ready, by listed numbers', 'listed numbers', 'seconds', [
      { name: 'start', points: listed.map((one) => [one.listed, one.startSeconds]) },
    ]),
  ]
  // A list of two sizes has one that tells bytes: a point is no line.
  return charts.flatMap((one) => one ?? [])
}

type Point = readonly [x: number, y: number]
type Line = { readonly name: string; readonly points: readonly Point[] }

function chart(
  name: string,
  title: string,
  xLabel: string,
  yLabel: string,
  lines: readonly Line[],
): ResultChart | undefined {
  const points = lines.flatMap((line) => line.points)
  const sizes = [...new Set(points.map(([x]) => x))].sort((a, b) => a - b)
  if (sizes.length < 2) return undefined
  const step = niceStep(Math.max(...points.map(([, y]) => y)))
  const ticks = [0, 1, 2, 3, 4, 5].map((count) => round(count * step))
  const svg = svgChart({
    title,
    x: { label: xLabel, min: sizes[0] ?? 1, max: sizes.at(-1) ?? 10, ticks: sizes, isLog: true },
    y: { label: yLabel, min: 0, max: 5 * step, ticks },
    lines,
  })
  const alt = lines
    .map((line) => `${line.name}: ${line.points.map(([x, y]) => `${powerText(x)} ${round(y)}`).join(', ')}`)
    .join('; ')
  return { name, alt: `${title}. ${alt} ${yLabel}`, svg }
}

/** A fifth of an axis that holds `most`: 1, 2 or 5 times a power of ten, or a quarter of ten. */
function niceStep(most: number): number {
  const least = Math.max(most, 1e-9) / 5
  const power = 10 ** Math.floor(Math.log10(least))
  return ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= least) ?? 10) * power
}
