/**
 * Searches the decision log, newest first.
 *
 * ```
 *   segments by the time of their newest record   s1 ├────┤      only segments that overlap in time are open at once;
 *                                                 s2    ├────┤   each open one holds a chunk of 64 KiB
 *                                                 s3         ├────┤ ◀ newest: opened first
 * ```
 * A merge of cursors: the log of each process is in order, give or take the moment a record waits in its ring, so the
 * newest record of the open segments is the newest of all, once every segment that could hold a newer one is open.
 * Memory is bounded by the number of processes that wrote at the same time, not by the log.
 */
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { type DecisionEntry, decodeDecision } from '../../domain/decision-record.ts'
import { ScreeningError } from '../../domain/errors.ts'
import { type DecisionQuery, recordFilter } from './decision-query.ts'
import { openSegmentCursor, type RecordAt, type SegmentCursor } from './segment-cursor.ts'
import { parseSegmentName } from './segment-format.ts'

export const DECISIONS_PER_SEARCH_MAX = 1_000

/** How far records of a segment may be out of order: rings are drained many times a second. */
const DISORDER_MS = 10_000

export type DecisionLogOptions = {
  /** `<dataDir>/decisions`; one that does not exist is an empty log. */
  readonly directory: string
}

export type DecisionSearchDependencies = {
  /** A segment that cannot be read (damaged, of a newer release) is left out of the answer and told to this. */
  readonly onSkipped?: (file: string, cause: unknown) => void
}

type Source = {
  readonly cursor: SegmentCursor
  readonly record: RecordAt
}

/** The newest `limit` (1..DECISIONS_PER_SEARCH_MAX) decisions that match, newest first. Throws QUERY_INVALID. */
export async function searchDecisions(
  options: DecisionLogOptions,
  query: DecisionQuery & { readonly limit: number },
  dependencies: DecisionSearchDependencies = {},
): Promise<DecisionEntry[]> {
  const { limit } = query
  if (!Number.isInteger(limit) || limit < 1 || limit > DECISIONS_PER_SEARCH_MAX) {
    throw new ScreeningError('QUERY_INVALID', `limit must be an integer from 1 to ${DECISIONS_PER_SEARCH_MAX}.`)
  }
  const found: DecisionEntry[] = []
  for await (const entry of iterateDecisions(options, query, dependencies)) {
    found.push(entry)
    if (found.length === limit) break
  }
  return found.sort((a, b) => b.timeMs - a.timeMs)
}

/** All decisions that match, newest first to within DISORDER_MS; end the loop when you have enough. */
export async function* iterateDecisions(
  options: DecisionLogOptions,
  query: DecisionQuery,
  dependencies: DecisionSearchDependencies = {},
): AsyncGenerator<DecisionEntry, void, void> {
  const wanted = recordFilter(query)
  const sinceMs = query.sinceMs ?? 0
  const untilMs = query.untilMs ?? Number.POSITIVE_INFINITY
  const closed = await listSegments(options.directory, sinceMs, untilMs, dependencies)
  const open: SegmentCursor[] = []
  try {
    for (;;) {
      const newest = newestOf(open)
      // A closed segment may hold something newer: open it before believing in `newest`.
      const next = closed.at(-1)
      if (next && (!newest || next.newestMs + DISORDER_MS >= newest.record.timeMs)) {
        closed.pop()
        const cursor = await openOrSkip(next.file, dependencies)
        if (cursor && (await cursor.step(wanted))) open.push(cursor)
        else await cursor?.close()
        continue
      }
      if (!newest) return
      const { cursor, record } = newest
      yield decodeDecision(record.view, record.offset, cursor.trunks)
      if (!(await cursor.step(wanted))) {
        open.splice(open.indexOf(cursor), 1)
        await cursor.close()
      }
    }
  } finally {
    for (const cursor of open) await cursor.close()
  }
}

function newestOf(open: readonly SegmentCursor[]): Source | undefined {
  let newest: Source | undefined
  for (const cursor of open) {
    const record = cursor.current
    if (record && (!newest || record.timeMs > newest.record.timeMs)) newest = { cursor, record }
  }
  return newest
}

/** Segments that may hold records of the period, those with the newest records last. */
async function listSegments(
  directory: string,
  sinceMs: number,
  untilMs: number,
  dependencies: DecisionSearchDependencies,
): Promise<{ file: string; newestMs: number }[]> {
  const segments: { file: string; newestMs: number }[] = []
  for (const name of await readdirOrEmpty(directory)) {
    const named = parseSegmentName(name)
    if (!named || named.createdMs > untilMs + DISORDER_MS) continue
    const file = path.join(directory, name)
    const newestMs = await newestRecordMs(file, dependencies)
    if (newestMs !== undefined && newestMs >= sinceMs - DISORDER_MS) segments.push({ file, newestMs })
  }
  return segments.sort((a, b) => a.newestMs - b.newestMs)
}

async function newestRecordMs(file: string, dependencies: DecisionSearchDependencies): Promise<number | undefined> {
  const cursor = await openOrSkip(file, dependencies)
  if (!cursor) return undefined
  await cursor.step(() => true)
  const newestMs = cursor.current?.timeMs
  await cursor.close()
  return newestMs
}

async function openOrSkip(file: string, { onSkipped }: DecisionSearchDependencies): Promise<SegmentCursor | undefined> {
  try {
    return await openSegmentCursor(file)
  } catch (error) {
    // ENOENT: retention was faster than we.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) onSkipped?.(file, error)
    return undefined
  }
}

async function readdirOrEmpty(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw error
  }
}
