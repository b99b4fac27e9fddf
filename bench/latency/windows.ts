/** Answers by the moment their requests were meant to be sent, in windows of equal length. */
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

export function windowsOf({ moments, samples }: Samples, windowMs: number, seconds: number): Window[] {
  const times: number[][] = Array.from({ length: Math.floor((seconds * 1_000) / windowMs) }, () => [])
  for (let index = 0; index < samples.length; index++) {
    const sample = samples[index] ?? 0
    if (sample >= OVERLOADED) continue
    times[Math.floor((moments[index] ?? 0) / MOMENTS_A_MS / windowMs)]?.push(sample / SAMPLES_A_MS)
  }
  return times.map((window) => ({ count: window.length, p99Ms: quantile(window, 0.99) }))
}

/** Times of what was meant to be sent from `fromMs` to `toMs` after the measured time began. */
export function timesBetween({ moments, samples }: Samples, fromMs: number, toMs: number): Histogram {
  const times = emptyTimes()
  for (let index = 0; index < samples.length; index++) {
    const atMs = (moments[index] ?? 0) / MOMENTS_A_MS
    const sample = samples[index] ?? 0
    if (atMs >= fromMs && atMs <= toMs && sample < OVERLOADED) times.recordValue(Math.max(1, sample))
  }
  return times
}

export type RecoveryOptions = {
  readonly windowMs: number
  /** Windows before the overload, and the one in which it has ended. */
  readonly before: number
  readonly end: number
  /** Calls that a window has when all are answered. */
  readonly calls: number
}

/** A window is as before when its p99 is at most so many times that of before, and hardly a call is missing. */
const P99_TIMES = 2
const ANSWERED_SHARE = 0.98
/** A window may be bad for other reasons; the machine is back when so many on end are good. */
const GOOD_ON_END = 3

/** Seconds from the end of an overload until calls are answered as before it; undefined when they never are. */
export function recoverySeconds(
  windows: readonly Window[],
  { windowMs, before, end, calls }: RecoveryOptions,
): number | undefined {
  const p99Before = quantile(
    windows.slice(0, before).map(({ p99Ms }) => p99Ms),
    0.5,
  )
  const isGood = (window: Window | undefined) =>
    window !== undefined && window.count >= calls * ANSWERED_SHARE && window.p99Ms <= p99Before * P99_TIMES
  for (let first = end; first + GOOD_ON_END <= windows.length; first++) {
    if (windows.slice(first, first + GOOD_ON_END).every(isGood)) return ((first - end) * windowMs) / 1_000
  }
  return undefined
}
