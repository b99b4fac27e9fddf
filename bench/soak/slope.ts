import { median } from '../lib/stats.ts'

export type Slope = {
  /** Units of y for each unit of x. */
  readonly value: number
  /** 95 % confidence. */
  readonly range: readonly [least: number, most: number]
}

const Z_95 = 1.96

/**
 * The median of the slopes between all pairs of points (Theil 1950), with the confidence interval of Sen (1968): a few
 * points that are far off, as memory is during an import, move neither. Points must not be neighbours that hang together:
 * take windows as long as what goes up and down. NaN for fewer than three points.
 */
export function theilSen(points: readonly (readonly [x: number, y: number])[]): Slope {
  const count = points.length
  if (count < 3) return { value: Number.NaN, range: [Number.NaN, Number.NaN] }
  const slopes: number[] = []
  for (const [index, [x, y]] of points.entries()) {
    for (const [otherX, otherY] of points.slice(index + 1)) slopes.push((otherY - y) / (otherX - x))
  }
  slopes.sort((a, b) => a - b)
  // Kendall's statistic without ties: its standard deviation says how many slopes lie outside on both sides.
  const spread = Z_95 * Math.sqrt((count * (count - 1) * (2 * count + 5)) / 18)
  const least = Math.max(0, Math.round((slopes.length - spread) / 2) - 1)
  const most = Math.min(slopes.length - 1, Math.round((slopes.length + spread) / 2))
  return { value: middle(slopes), range: [slopes[least] ?? Number.NaN, slopes[most] ?? Number.NaN] }
}

function middle(sorted: readonly number[]): number {
  const upper = sorted[sorted.length >> 1] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[(sorted.length >> 1) - 1] ?? Number.NaN)) / 2
}

/** One point for each whole window of samples: its middle, and the median of it. */
export function windowMedians(
  samples: readonly (readonly [x: number, y: number])[],
  width: number,
): [x: number, y: number][] {
  const [first, last] = [samples[0]?.[0] ?? 0, samples.at(-1)?.[0] ?? 0]
  const windows: [number, number][] = []
  for (let from = first; from + width <= last + 1e-9; from += width) {
    const inside = samples.filter(([x]) => x >= from && x < from + width).map(([, y]) => y)
    if (inside.length > 0) windows.push([from + width / 2, median(inside)])
  }
  return windows
}
