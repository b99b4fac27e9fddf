/**
 * How many of the last day's calls a change to a list would have hit, exactly: a merge join of the sorted change with the
 * sorted hours, less the callers the list hits anyway.
 *
 * Callers are counted once over all hours, and asked about once. For the change's own numbers two bits per number remember
 * that; callers that only a range covers are merged hour by hour, and asked about at the end.
 */
import { open, readdir } from 'node:fs/promises'
import path from 'node:path'
import { runSteps } from '../../domain/run-steps.ts'
import { type CallerCounts, createGathering, mergeCounts } from './caller-counts.ts'
import { decodeTrafficHour, hourOfTrafficFile, TRAFFIC_FILE_BYTES_MAX, type TrafficHour } from './traffic-file.ts'

const HOUR_MS = 3_600_000
export const IMPACT_HOURS = 24

/** Callers that only a range covers, over all hours: 96 MB, twice while hours merge. Beyond it the answer is not complete. */
const RANGE_CALLERS_MAX = 8_000_000

export type TrafficImpact = {
  /** Hours of the last 24 (this one included) of which anything was recorded. */
  readonly hours: number
  /** Calls the change would have hit, and the different callers who made them. */
  readonly calls: number
  readonly callers: number
  /** All calls of those hours. */
  readonly totalCalls: number
  /** False: a table had been full or a file is damaged, so the figures are lower bounds. */
  readonly complete: boolean
}

/** Of what blocks nobody, or where nobody asks. */
export const NO_TRAFFIC: TrafficImpact = { hours: 0, calls: 0, callers: 0, totalCalls: 0, complete: true }

/** What comes onto a list: `numbers` ascending and distinct, ranges ascending by `from`, overlaps welcome. */
export type ListedChange = {
  readonly numbers: Float64Array
  readonly ranges: { readonly from: Float64Array; readonly to: Float64Array }
  /** Whether the list covers this caller already. Asked once for every caller of the day that the change covers. */
  readonly isCovered: (caller: number) => boolean
}

export type TrafficLogReader = {
  /** What the change would have hit and the list did not. Holds one file at a time. */
  impactOf(change: ListedChange, nowMs: number): Promise<TrafficImpact>
}

/** `directory`: `<dataDir>/traffic`; one that does not exist has no hours. `onSkipped` is told of damaged files. */
export function createTrafficLogReader(
  options: { readonly directory: string },
  dependencies: { readonly onSkipped?: (file: string, cause: unknown) => void } = {},
): TrafficLogReader {
  async function impactOf(change: ListedChange, nowMs: number): Promise<TrafficImpact> {
    const newestHour = Math.floor(nowMs / HOUR_MS)
    const join = createJoin(change)
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

function createJoin({ numbers, ranges, isCovered }: ListedChange) {
  const seen = new Uint32Array((numbers.length + 31) >>> 5)
  const covered = new Uint32Array(seen.length)
  let rangeCallers: CallerCounts = { callers: new Float64Array(0), counts: new Uint32Array(0) }
  let overflowed = false
  let calls = 0
  let callers = 0

  /** Asks about a number when it calls for the first time. */
  function noteListed(index: number, count: number): void {
    const at = index >>> 5
    const bit = 1 << (index & 31)
    if (((seen[at] ?? 0) & bit) === 0) {
      seen[at] = (seen[at] ?? 0) | bit
      if (isCovered(numbers[index] ?? 0)) covered[at] = (covered[at] ?? 0) | bit
      else callers++
    }
    if (((covered[at] ?? 0) & bit) === 0) calls += count
  }

  function noteInRanges(found: CallerCounts): void {
    const { callers: all, counts } = runSteps(mergeCounts(rangeCallers, found))
    if (all.length > RANGE_CALLERS_MAX) overflowed = true
    rangeCallers = { callers: all.subarray(0, RANGE_CALLERS_MAX), counts: counts.subarray(0, RANGE_CALLERS_MAX) }
  }

  return {
    add(traffic: TrafficHour): void {
      const inRanges = createGathering()
      let at = 0
      let range = 0
      let coveredTo = Number.NEGATIVE_INFINITY
      for (let i = 0; i < traffic.callers.length; i++) {
        const caller = traffic.callers[i] ?? 0
        at = seek(numbers, at, caller)
        for (; range < ranges.from.length && (ranges.from[range] ?? 0) <= caller; range++) {
          coveredTo = Math.max(coveredTo, ranges.to[range] ?? 0)
        }
        if (numbers[at] === caller) noteListed(at, traffic.counts[i] ?? 0)
        else if (coveredTo >= caller) inRanges.add(caller, traffic.counts[i] ?? 0)
      }
      const found = inRanges.counts()
      if (found.callers.length > 0) noteInRanges(found)
    },
    finish() {
      for (const [i, caller] of rangeCallers.callers.entries()) {
        if (isCovered(caller)) continue
        calls += rangeCallers.counts[i] ?? 0
        callers++
      }
      return { calls, callers, complete: !overflowed }
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
