import type { Measured } from '../suite/part.ts'
import { median, quantile } from './stats.ts'

/** A measure from its rounds: the median of them, with the least and the most. */
export function measuredFrom(values: readonly number[], note?: string): Measured {
  return {
    value: median(values),
    range: [quantile(values, 0), quantile(values, 1)],
    rounds: values.length,
    ...(note === undefined ? {} : { note }),
  }
}
