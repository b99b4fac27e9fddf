import type { Histogram } from 'hdr-histogram-js'
import { percentileMs } from '../generator/generator.ts'
import type { ChartLine } from '../lib/svg-chart.ts'

/** One call in so many is slower than the point: the points of a line in a distribution by percentiles, ten a decade. */
const POINTS_A_DECADE = 10
/** Of fewer calls beyond a point it would be the chance of single ones that is drawn. */
const BEYOND_MIN = 10

/** From every second call on up to the last of which enough are slower. */
export function distributionLine(name: string, times: Histogram): ChartLine {
  const points: [number, number][] = []
  for (let step = 3; ; step++) {
    const oneIn = 10 ** (step / POINTS_A_DECADE)
    if (oneIn * BEYOND_MIN > times.totalCount) return { name, points }
    points.push([oneIn, percentileMs(times, 100 * (1 - 1 / oneIn))])
  }
}
