/**
 * Carries the hourly caller counts of a process's verdict threads to disk. One per verdict process, on its main thread.
 *
 * Every write replaces the file of the hour as a whole (temporary file, then rename), so a reader sees the old one or the
 * new one. The file belongs to one start of one process: after a restart within the hour the counts of before stay in
 * theirs, and readers add up all files of an hour. Nothing here throws into the caller: a full disk costs counts, and
 * the next write makes up for it, because it writes the whole hour again.
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type CallerCounts, createGathering, mergeCounts, sortCounts } from './caller-counts.ts'
import { encodeTrafficHour, hourOfTrafficFile, TRAFFIC_CALLERS_MAX, trafficFileName } from './traffic-file.ts'

const HOUR_MS = 3_600_000

/** How often the process should call write: what a crash may lose. */
export const TRAFFIC_WRITE_EVERY_MS = 30_000

/** The last day, the hour that is running, and one to spare for a reader that has just begun. */
export const TRAFFIC_HOURS_KEPT = 26

/** Visits the callers of an hour of one thread's table: readTrafficHour of shm/traffic.ts, bound to its memory. */
export type ReadTrafficTable = (
  hour: number,
  visit: (caller: number, count: number) => void,
) => Generator<undefined, { readonly calls: number; readonly complete: boolean }>

type Rest = () => Promise<void> | undefined

export type TrafficLogWriterDependencies = {
  readonly tables: readonly ReadTrafficTable[]
  /**
   * Called as a write begins. What it returns is awaited after each step of some microseconds: an hour of 200,000 callers takes
   * about 60 ms in all.
   */
  readonly beginRests: () => Rest
}

export type TrafficLogWriterOptions = {
  /** `<dataDir>/traffic`. */
  readonly directory: string
  /** Unique for each start of a process: e.g. `verdict-0-<pid>-<start>`; letters, digits and hyphens. */
  readonly process: string
}

export type TrafficLogStats = {
  readonly writes: number
  readonly failures: number
  /** errno code of the newest failure; undefined while writes succeed. */
  readonly failing: string | undefined
}

export type TrafficLogWriter = {
  /**
   * Writes the hour of `nowMs`, and the hour before when it has ended since the last write. Call it every
   * TRAFFIC_WRITE_EVERY_MS and on stop. A call while one is under way joins that one. Never rejects.
   */
  write(nowMs: number): Promise<void>
  stats(): TrafficLogStats
}

export function createTrafficLogWriter(
  options: TrafficLogWriterOptions,
  dependencies: TrafficLogWriterDependencies,
): TrafficLogWriter {
  if (!/^[A-Za-z0-9-]{1,64}$/.test(options.process)) {
    throw new RangeError(`A process label is made of letters, digits and hyphens, got "${options.process}".`)
  }
  const { directory } = options
  let lastHour = 0
  let underWay: Promise<void> | undefined
  let writes = 0
  let failures = 0
  let failing: string | undefined

  async function writeHours(nowMs: number): Promise<void> {
    const hour = Math.floor(nowMs / HOUR_MS)
    const rest = dependencies.beginRests()
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 })
      // Threads kept two hours: anything older than the last one is gone already.
      if (lastHour > 0 && lastHour < hour) await writeHour(hour - 1, rest)
      await writeHour(hour, rest)
      lastHour = hour
      await removeOld(directory, hour)
      writes++
      failing = undefined
    } catch (error) {
      failures++
      failing = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN'
    }
  }

  async function writeHour(hour: number, rest: Rest): Promise<void> {
    const traffic = await collectHour(hour, dependencies.tables, rest)
    if (traffic.calls === 0) return
    const name = trafficFileName(hour, options.process)
    const temporary = path.join(directory, `${name}.tmp`)
    try {
      const bytes = await withRests(encodeTrafficHour(traffic), rest)
      await writeFile(temporary, bytes, { mode: 0o600 })
      await rename(temporary, path.join(directory, name))
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => undefined) // the first error is the one to tell
      throw error
    }
  }

  return {
    write(nowMs) {
      underWay ??= writeHours(nowMs).finally(() => {
        underWay = undefined
      })
      return underWay
    },
    stats: () => ({ writes, failures, failing }),
  }
}

/** All tables of an hour as one. */
async function collectHour(hour: number, tables: readonly ReadTrafficTable[], rest: Rest) {
  let merged: CallerCounts | undefined
  let calls = 0
  let complete = true
  for (const read of tables) {
    const gathering = createGathering()
    const totals = await withRests(read(hour, gathering.add), rest)
    const sorted = await withRests(sortCounts(gathering.counts()), rest)
    merged = merged === undefined ? sorted : await withRests(mergeCounts(merged, sorted), rest)
    calls += totals.calls
    complete &&= totals.complete
  }
  merged ??= { callers: new Float64Array(0), counts: new Uint32Array(0) }
  if (merged.callers.length > TRAFFIC_CALLERS_MAX) {
    complete = false
    merged = {
      callers: merged.callers.subarray(0, TRAFFIC_CALLERS_MAX),
      counts: merged.counts.subarray(0, TRAFFIC_CALLERS_MAX),
    }
  }
  return { hour, calls, complete, ...merged }
}

async function withRests<Result>(steps: Generator<undefined, Result>, rest: Rest): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    const pause = rest()
    if (pause !== undefined) await pause
  }
}

/** Removes the hours that have had their time, of all processes, and what crashed writers left behind. */
async function removeOld(directory: string, hour: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const isTemporary = name.endsWith('.tmp')
    const fileHour = hourOfTrafficFile(isTemporary ? name.slice(0, -'.tmp'.length) : name)
    // A temporary file of the hour before last is nobody's any more.
    const oldest = hour - (isTemporary ? 1 : TRAFFIC_HOURS_KEPT - 1)
    if (fileHour !== undefined && fileHour < oldest) await rm(path.join(directory, name), { force: true })
  }
}
