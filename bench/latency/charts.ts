import { percentileMs } from '../generator/generator.ts'
import { svgChart } from '../lib/svg-chart.ts'
import { ticksTo } from '../lib/ticks.ts'
import type { ResultChart } from '../suite/part.ts'
import { distributionLine } from './distribution.ts'
import { halfLoad, type Loads, SHARES } from './loads.ts'

const NAMES = { zaslon: 'Zaslon', bare: 'bare uWebSockets.js' } as const

export function latencyCharts(loads: Loads): ResultChart[] {
  return [distributionChart(loads), loadChart(loads)]
}

function distributionChart(loads: Loads): ResultChart {
  const lines = (['zaslon', 'bare'] as const).map((side) => distributionLine(NAMES[side], halfLoad(loads, side).times))
  const points = lines.flatMap((line) => line.points)
  const yTicks = ticksTo(Math.max(...points.map(([, y]) => y)))
  const decades = Math.ceil(Math.log10(Math.max(10, ...points.map(([x]) => x))))
  return {
    name: 'latency-half',
    alt: 'Latency by percentile over HTTP at half of capacity, Zaslon and a bare uWebSockets.js app at the same rate',
    svg: svgChart({
      title: 'HTTP at half of capacity: latency from the intended send time',
      x: {
        label: 'one call in so many takes longer (100: p99, 1000: p99.9)',
        min: 1,
        max: 10 ** decades,
        ticks: Array.from({ length: decades + 1 }, (_, decade) => 10 ** decade),
        isLog: true,
      },
      y: { label: 'ms', min: 0, max: yTicks.at(-1) ?? 1, ticks: yTicks },
      lines,
    }),
  }
}

function loadChart({ loads }: Loads): ResultChart {
  const line = (side: 'zaslon' | 'bare', percent: number) => ({
    name: `${NAMES[side]} p${percent}`,
    points: loads
      .filter((load) => load.side === side)
      .map((load) => [load.share * 100, percentileMs(load.times, percent)] as const),
  })
  const lines = (['zaslon', 'bare'] as const).flatMap((side) => [50, 99, 99.9].map((percent) => line(side, percent)))
  const yTicks = ticksTo(Math.max(...lines.flatMap(({ points }) => points.map(([, y]) => y))))
  return {
    name: 'latency-load',
    alt: 'Latency by load over HTTP: p50, p99 and p99.9 of Zaslon and of a bare uWebSockets.js app at the same rates',
    svg: svgChart({
      title: 'Latency by load over HTTP',
      x: {
        label: '% of the capacity of Zaslon',
        min: 0,
        max: 100,
        ticks: [0, ...SHARES.map((share) => share * 100), 100],
      },
      y: { label: 'ms', min: 0, max: yTicks.at(-1) ?? 1, ticks: yTicks },
      lines,
    }),
  }
}
