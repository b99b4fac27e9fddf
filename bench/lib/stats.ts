/** The p-quantile (0..1) by nearest rank. NaN for no values. */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))] ?? Number.NaN
}

/** Of an even number of values the mean of both in the middle: of two rounds neither is the truth. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const half = sorted.length / 2
  return ((sorted[Math.ceil(half) - 1] ?? Number.NaN) + (sorted[Math.floor(half)] ?? Number.NaN)) / 2
}

export type Summary = { n: number; min: number; median: number; p99: number; max: number }

export function summarize(values: readonly number[]): Summary {
  return {
    n: values.length,
    min: quantile(values, 0),
    median: median(values),
    p99: quantile(values, 0.99),
    max: quantile(values, 1),
  }
}

/** Three significant digits: more would claim what a noisy machine cannot show. */
export function round(value: number): number {
  return Number(value.toPrecision(3))
}

/** Median and range, for people. */
export function spread(values: readonly number[]): string {
  return `${round(median(values))} (${Math.min(...values)}-${Math.max(...values)})`
}
