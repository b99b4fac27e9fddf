/** Answers by the moment their requests were meant to be sent, in windows of equal length that begin one step after the other. */
import type { Histogram } from 'hdr-histogram-js'
import { type Answered, emptyTimes, OVERLOADED } from '../generator/generator.ts'
import { quantile } from '../lib/stats.ts'

type Samples = Pick<Answered, 'moments' | 'samples'>

export type Window = {
  /** Answers that were no "overloaded". */
  readonly count: number
  /** Of those; NaN when there are none. */
  readonly p99Ms: number
}

const MOMENTS_A_MS = 10
const SAMPLES_A_MS = 10_000

/** `widthMs` is a multiple of `stepMs`; windows that `seconds` cuts off are left out. */
export type Widths = { readonly widthMs: number; readonly stepMs: number }

export function windowsOf({ moments, samples }: Samples, { widthMs, stepMs }: Widths, seconds: number): Window[] {
  const times: number[][] = Array.from({ length: Math.floor((seconds * 1_000) / stepMs) }, () => [])
  for (let index = 0; index < samples.length; index++) {
    const sample = samples[index] ?? 0
    if (sample >= OVERLOADED) continue
    times[Math.floor((moments[index] ?? 0) / MOMENTS_A_MS / stepMs)]?.push(sample / SAMPLES_A_MS)
  }
  const steps = widthMs / stepMs
  return times.slice(0, Math.max(0, times.length - steps + 1)).map((_, first) => {
    const window = times.slice(first, first + steps).flat()
    return { count: window.length, p99Ms: quantile(window, 0.99) }
  })
}

/** Times of what was meant to be sent from `fromMs` to `toMs` after the measured time began. */
export function timesBetween({ moments, samples }: Samples, fromMs: number, toMs: number): Histogram {
  const times = emptyTimes()
  for (let index = 0; index < samples.length; index++) {
    const atMs = (moments[index] ?? 0) / MOMENTS_A_MS
    const sample = samples[index] ?? 0
    if (atMs >= fromMs && atMs <= toMs) times.recordValue(Math.max(1, sample % OVERLOADED))
  }
  return times
}

export type RecoveryOptions = {
  /** From the beginning of one window to that of the next: so finely it is known. */
  readonly stepMs: number
  /** Windows that end before the overload, and the first one that begins when it has ended. */
  readonly before: number
  readonly end: number
  /** Calls that a window has when all are answered. */
  readonly calls: number
}

/** A window is as before when its p99 is at most so many times that of before, and hardly a call is missing. */
const P99_TIMES = 2
const ANSWERED_SHARE = 0.98

/** Seconds from the end of an overload to the first window in which calls are answered as before it; undefined without any. */
export function recoverySeconds(
  windows: readonly Window[],
  { stepMs, before, end, calls }: RecoveryOptions,
): number | undefined {
  const p99Before = quantile(
    windows.slice(0, before).map(({ p99Ms }) => p99Ms),
    0.5,
  )
  const isGood = (window: Window) => window.count >= calls * ANSWERED_SHARE && window.p99Ms <= p99Before * P99_TIMES
  const first = windows.slice(end).findIndex(isGood)
  return first < 0 ? undefined : (first * stepMs) / 1_000
}
