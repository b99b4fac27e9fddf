import type { Generated } from '../generator/generator.ts'
import { quantile, round } from '../lib/stats.ts'
import { svgChart } from '../lib/svg-chart.ts'
import { ticksTo } from '../lib/ticks.ts'
import type { Measured, ResultChart, ResultTable } from '../suite/part.ts'
import { theilSen, windowMedians } from './slope.ts'
import { type Sample, type ThreadPauses, WATCHED, type Watched } from './watch.ts'

export type SoakResult = {
  readonly seconds: number
  readonly warmSeconds: number
  /** From one import to the next: what memory goes up and down with. */
  readonly cycleSeconds: number
  readonly samples: readonly Sample[]
  readonly rates: readonly [http: number, frames: number]
  readonly generated: readonly [http: Generated, frames: Generated]
  readonly changes: Readonly<Record<string, number>>
  readonly problems: readonly string[]
  readonly pauses: readonly ThreadPauses[]
  readonly counters: Readonly<Record<string, number>>
}

/** How memory went. */
type Course = Pick<SoakResult, 'samples' | 'seconds' | 'warmSeconds' | 'cycleSeconds'>

const MB_A_MIB = 1.048576
const SECONDS_AN_HOUR = 3_600

/** MB an hour, of one process or of both. */
function slopeOf({ samples, warmSeconds, cycleSeconds }: Course, processes: readonly Watched[]) {
  const warm = samples.filter(({ seconds }) => seconds >= warmSeconds)
  const points = warm.map(({ seconds, memoryMiB }) => {
    const total = processes.reduce((sum, name) => sum + memoryMiB[name], 0)
    return [seconds / SECONDS_AN_HOUR, total * MB_A_MIB] as const
  })
  const windows = windowMedians(points, cycleSeconds / SECONDS_AN_HOUR)
  return { ...theilSen(windows), windows: windows.length }
}

export function measuredSlope(result: Course): Measured {
  const { value, range, windows } = slopeOf(result, WATCHED)
  const minutes = Math.round((result.seconds - result.warmSeconds) / 6) / 10
  return { value, range, note: `95 % interval, from ${windows} windows in ${minutes} min` }
}

export function soakTables(result: SoakResult): ResultTable[] {
  return [memoryTable(result), eventsTable(result), pausesTable(result)]
}

function memoryTable(result: SoakResult): ResultTable {
  const warm = result.samples.filter(({ seconds }) => seconds >= result.warmSeconds)
  const [first, last] = [warm[0], warm.at(-1)]
  return {
    title: 'Memory (RssAnon + RssShmem) and open files after the warm-up',
    head: [
      'process',
      'MiB at first',
      'least',
      'median',
      'most',
      'at last',
      'MB/h (95 % interval)',
      'files at first',
      'most',
      'at last',
    ],
    rows: WATCHED.map((name) => {
      const memory = warm.map(({ memoryMiB }) => memoryMiB[name])
      const { value, range } = slopeOf(result, [name])
      return [
        name,
        ...[
          first?.memoryMiB[name] ?? 0,
          quantile(memory, 0),
          quantile(memory, 0.5),
          quantile(memory, 1),
          last?.memoryMiB[name] ?? 0,
        ].map(Math.round),
        `${round(value)} (${round(range[0])} to ${round(range[1])})`,
        first?.files[name] ?? 0,
        Math.max(...warm.map(({ files }) => files[name])),
        last?.files[name] ?? 0,
      ]
    }),
    note:
      `Slope: median of the slopes between all pairs of windows (Theil and Sen), each the median of ${result.cycleSeconds} s, from one import to the ` +
      'next. The tables that fill with traffic are configured so small that they are full before, and every thread is made to collect its garbage once a minute: ' +
      'neither is a leak, and neither is in the slope.',
  }
}

function eventsTable({ seconds, rates, generated, changes, counters, problems }: SoakResult): ResultTable {
  const [http, frames] = generated
  const sum = (field: 'answeredCalls' | 'errors' | 'overloaded' | 'givenUp' | 'unanswered') =>
    http[field] + frames[field]
  return {
    title: `What went on in ${seconds / 60} min`,
    head: ['what', 'count'],
    rows: [
      [
        `calls answered (${Math.round(rates[0])}/s over HTTP, ${Math.round(rates[1])}/s in binary frames)`,
        sum('answeredCalls'),
      ],
      ['of them blocked', http.blocked + frames.blocked],
      ['answers that are errors', sum('errors')],
      ['answered "overloaded"', sum('overloaded')],
      ['requests without an answer', sum('unanswered')],
      ['reports', changes.reports ?? 0],
      ['imports', changes.imports ?? 0],
      ['reloads of the policy', changes.reloads ?? 0],
      ['of these three failed', changes.failed ?? 0],
      ['questions whose answer is known', changes.asked ?? 0],
      ['of them answered "overloaded"', changes.late ?? 0],
      ['of them answered wrongly', changes.wrong ?? 0],
      ...Object.entries(counters).map(([name, count]) => [name, count]),
    ],
    ...(problems.length === 0 ? {} : { note: problems.join(' ') }),
  }
}

function pausesTable({ pauses }: SoakResult): ResultTable {
  return {
    title: 'Pauses by garbage collection, and how late event loops ran (ms)',
    head: ['thread', 'seconds', 'collections', 'paused: all', 'longest', 'loop late: p99', 'most'],
    rows: pauses.map((one) => [
      one.thread,
      one.seconds,
      one.collections,
      ...[one.pausedMs, one.longestPauseMs, one.lateP99Ms, one.lateMaxMs].map(round),
    ]),
    note: 'Loop late: the median of the 99th percentiles of single seconds, and the worst of all; all of it on one core. Collections: those that were asked for once a minute too.',
  }
}

export function memoryChart({ samples, warmSeconds }: SoakResult): ResultChart {
  const lines = WATCHED.map((name) => ({
    name,
    points: samples.map(({ seconds, memoryMiB }) => [seconds / 60, memoryMiB[name]] as const),
  }))
  const yTicks = ticksTo(Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y))))
  const xTicks = ticksTo((samples.at(-1)?.seconds ?? 60) / 60)
  return {
    name: 'soak-memory',
    alt: `Memory of the verdict and of the control process over time; the slope is taken from minute ${round(warmSeconds / 60)} on`,
    svg: svgChart({
      title: 'Memory in mixed traffic with reports, imports and reloads',
      x: { label: 'minutes', min: 0, max: xTicks.at(-1) ?? 1, ticks: xTicks },
      y: { label: 'MiB (RssAnon + RssShmem)', min: 0, max: yTicks.at(-1) ?? 1, ticks: yTicks },
      lines,
    }),
  }
}
