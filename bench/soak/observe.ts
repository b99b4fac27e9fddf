/**
 * Loaded into every process and thread of a service under measurement (NODE_OPTIONS=--import): once a second it writes how long the
 * garbage collector held the thread up and how late its event loop ran, as a line of JSON, to a file of its own. Once a minute it has
 * garbage collected: V8 lets tens of megabytes of it lie for as long as a soak lasts, which would be taken for growth.
 */
import { appendFileSync } from 'node:fs'
import path from 'node:path'
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { threadId } from 'node:worker_threads'
import { garbageCollector } from '../../src/processes/release-memory.ts'

export type Observed = {
  readonly title: string
  readonly thread: number
  readonly atMs: number
  readonly collections: number
  readonly pausedMs: number
  readonly longestPauseMs: number
  readonly lateP99Ms: number
  readonly lateMaxMs: number
}

const EVERY_MS = 1_000
const COLLECT_EVERY_MS = 60_000
const RESOLUTION_MS = 10
const directory = process.env.ZASLON_BENCH_OBSERVED

if (directory !== undefined) observe(path.join(directory, `observed-${process.pid}-${threadId}.jsonl`))

function observe(file: string): void {
  let pauses: number[] = []
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) pauses.push(entry.duration)
  }).observe({ entryTypes: ['gc'] })
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  const late = (nanoseconds: number) => (delays.count === 0 ? 0 : Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS))
  setInterval(() => {
    const observed: Observed = {
      title: process.title,
      thread: threadId,
      atMs: Date.now(),
      collections: pauses.length,
      pausedMs: pauses.reduce((total, pause) => total + pause, 0),
      longestPauseMs: Math.max(0, ...pauses),
      lateP99Ms: late(delays.percentile(99)),
      lateMaxMs: late(delays.max),
    }
    appendFileSync(file, `${JSON.stringify(observed)}\n`)
    pauses = []
    delays.reset()
  }, EVERY_MS).unref()
  setInterval(garbageCollector(), COLLECT_EVERY_MS).unref()
}
