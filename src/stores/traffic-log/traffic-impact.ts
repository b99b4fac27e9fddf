/**
 * How many of the last day's calls a list would have hit, exactly: a merge join of the sorted list with the sorted hours.
 *
 * Callers are counted once over all hours. For the list's own numbers a bit per number remembers that; callers that only
 * a range covers are collected and made distinct at the end.
 */
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { decodeTrafficHour, hourOfTrafficFile, TRAFFIC_FILE_BYTES_MAX, type TrafficHour } from './traffic-file.ts'

const HOUR_MS = 3_600_000
export const IMPACT_HOURS = 24

/** Callers that only a range covers, over all hours: 64 MB. Beyond it the answer is not complete. */
const RANGE_CALLERS_MAX = 8_000_000

export type TrafficImpact = {
  /** Hours of the last 24 (this one included) of which anything was recorded. */
  readonly hours: number
  /** Calls the list would have hit, and the different callers who made them. */
  readonly calls: number
  readonly callers: number
  /** All calls of those hours. */
  readonly totalCalls: number
  /** False: a table had been full or a file is damaged, so the figures are lower bounds. */
  readonly complete: boolean
}

/** Of what blocks nobody, or where nobody asks. */
export const NO_TRAFFIC: TrafficImpact = { hours: 0, calls: 0, callers: 0, totalCalls: 0, complete: true }

export type TrafficLogReader = {
  /**
   * What a list of `numbers` (ascending, distinct) and ranges rangesFrom[i]..rangesTo[i] (ascending by from, overlaps
   * welcome) would have hit. Holds one file at a time.
   */
  impactOf(
    numbers: Float64Array,
    rangesFrom: Float64Array,
    rangesTo: Float64Array,
    nowMs: number,
  ): Promise<TrafficImpact>
}

/** `directory`: `<dataDir>/traffic`; one that does not exist has no hours. `onSkipped` is told of damaged files. */
export function createTrafficLogReader(
  options: { readonly directory: string },
  dependencies: { readonly onSkipped?: (file: string, cause: unknown) => void } = {},
): TrafficLogReader {
  async function impactOf(
    numbers: Float64Array,
    rangesFrom: Float64Array,
    rangesTo: Float64Array,
    nowMs: number,
  ): Promise<TrafficImpact> {
    const newestHour = Math.floor(nowMs / HOUR_MS)
    const join = createJoin(numbers, rangesFrom, rangesTo)
    const hours = new Set<number>()
    let totalCalls = 0
    let complete = true
    for (const name of await readdirOrEmpty(options.directory)) {
      const hour = hourOfTrafficFile(name)
      if (hour === undefined || hour > newestHour || hour <= newestHour - IMPACT_HOURS) continue
      const file = path.join(options.directory, name)
      try {
        const traffic = await readTrafficFile(file)
        hours.add(traffic.hour)
        totalCalls += traffic.calls
        complete &&= traffic.complete
        join.add(traffic)
      } catch (error) {
        complete = false
        dependencies.onSkipped?.(file, error)
      }
    }
    const hit = join.finish()
    return { hours: hours.size, calls: hit.calls, callers: hit.callers, totalCalls, complete: complete && hit.complete }
  }

  return { impactOf }
}

function createJoin(numbers: Float64Array, rangesFrom: Float64Array, rangesTo: Float64Array) {
  const seen = new Uint32Array((numbers.length + 31) >>> 5)
  let rangeCallers = new Float64Array(1_024)
  let rangeCallerCount = 0
  let overflowed = false
  let calls = 0
  let listedCallers = 0

  function noteListed(index: number): void {
    const word = seen[index >>> 5] ?? 0
    const bit = 1 << (index & 31)
    if ((word & bit) !== 0) return
    seen[index >>> 5] = word | bit
    listedCallers++
  }

  function noteInRange(caller: number): void {
    if (rangeCallerCount === rangeCallers.length) compact()
    if (rangeCallerCount === RANGE_CALLERS_MAX) overflowed = true
    else rangeCallers[rangeCallerCount++] = caller
  }

  /** Makes the collected callers distinct, and room for as many again, up to the bound. */
  function compact(): void {
    rangeCallerCount = distinctCount(rangeCallers.subarray(0, rangeCallerCount))
    const longer = new Float64Array(Math.min(RANGE_CALLERS_MAX, Math.max(1_024, rangeCallerCount * 2)))
    longer.set(rangeCallers.subarray(0, rangeCallerCount))
    rangeCallers = longer
  }

  return {
    add(traffic: TrafficHour): void {
      let at = 0
      let range = 0
      let coveredTo = Number.NEGATIVE_INFINITY
      for (let i = 0; i < traffic.callers.length; i++) {
        const caller = traffic.callers[i] ?? 0
        at = seek(numbers, at, caller)
        for (; range < rangesFrom.length && (rangesFrom[range] ?? 0) <= caller; range++) {
          coveredTo = Math.max(coveredTo, rangesTo[range] ?? 0)
        }
        if (numbers[at] === caller) noteListed(at)
        else if (coveredTo >= caller) noteInRange(caller)
        else continue
        calls += traffic.counts[i] ?? 0
      }
    },
    finish() {
      const distinct = distinctCount(rangeCallers.subarray(0, rangeCallerCount))
      return { calls, callers: listedCallers + distinct, complete: !overflowed }
    },
  }
}

/**
 * The first index at or after `from` whose number is not below `wanted`: doubling steps, then bisection (Bentley and Yao
 * 1976), because a list of ten million meets an hour of a few thousand callers as often as the other way round.
 */
function seek(numbers: Float64Array, from: number, wanted: number): number {
  let step = 1
  let low = from
  while (low + step < numbers.length && (numbers[low + step] ?? 0) < wanted) {
    low += step
    step *= 2
  }
  let length = Math.min(step + 1, numbers.length - low)
  while (length > 0) {
    const half = length >>> 1
    if ((numbers[low + half] ?? 0) < wanted) {
      low += half + 1
      length -= half + 1
    } else length = half
  }
  return low
}

/** Sorts in place and moves the distinct values to the front; returns how many there are. */
function distinctCount(values: Float64Array): number {
  values.sort()
  let count = 0
  for (let i = 0; i < values.length; i++) {
    if (i === 0 || values[i] !== values[i - 1]) values[count++] = values[i] ?? 0
  }
  return count
}

async function readTrafficFile(file: string): Promise<TrafficHour> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    if (size > TRAFFIC_FILE_BYTES_MAX) throw new RangeError(`The traffic file has ${size} bytes.`)
    const bytes = new Uint8Array(size)
    let done = 0
    while (done < size) {
      const { bytesRead } = await handle.read(bytes, done, size - done, done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return decodeTrafficHour(bytes)
  } finally {
    await handle.close()
  }
}

async function readdirOrEmpty(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
