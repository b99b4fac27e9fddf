import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DECISION_RECORD_BYTES, type DecisionEntry } from '../../src/domain/decision-record.ts'
import { VERDICTS } from '../../src/domain/verdict.ts'
import {
  createDecisionLogWriter,
  type DecisionLogWriterOptions,
  RETRY_AFTER_MS,
} from '../../src/stores/decision-log/decision-log-writer.ts'
import { DAY_MS, expiredSegments } from '../../src/stores/decision-log/retention.ts'
import {
  DECISIONS_PER_SEARCH_MAX,
  iterateDecisions,
  searchDecisions,
} from '../../src/stores/decision-log/search-decisions.ts'
import { openSegmentFiles, type SegmentFiles } from '../../src/stores/decision-log/segment-files.ts'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  SEGMENT_HEADER_BYTES_MAX,
  segmentHeaderBytes,
  segmentName,
} from '../../src/stores/decision-log/segment-format.ts'
import { decisionBytes } from '../fixtures/decision-bytes.ts'

const START_MS = Date.UTC(2025, 0, 31, 12)
let directory: string
let nowMs: number

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-decisions-'))
  nowMs = START_MS
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function openWriter(options: Partial<DecisionLogWriterOptions> = {}, files?: SegmentFiles) {
  return createDecisionLogWriter(
    { directory, process: 'verdict-0-1', trunks: ['', 'carrier-a'], ...options },
    { now: () => nowMs, ...(files && { files }) },
  )
}

const search = (query: Omit<Parameters<typeof searchDecisions>[1], 'limit'> = {}, limit = 1_000) =>
  searchDecisions({ directory }, { ...query, limit })

const times = (entries: readonly DecisionEntry[]) => entries.map(({ timeMs }) => timeMs - START_MS)

describe('the decision log', () => {
  it('gives back what was appended, newest first, across writers and batches', async () => {
    const writer = openWriter()
    writer.append(decisionBytes({ timeMs: START_MS + 1, caller: 79_160_000_002, trunk: 1 }, { timeMs: START_MS + 2 }))
    const other = openWriter({ process: 'verdict-1-2', trunks: ['', 'carrier-b'] })
    other.append(decisionBytes({ timeMs: START_MS + 3, trunk: 1 }))
    writer.append(decisionBytes({ timeMs: START_MS + 4 }))
    const found = await search()
    expect(times(found)).toEqual([4, 3, 2, 1])
    expect(found[1]?.trunk).toBe('carrier-b')
    expect(found[3]).toMatchObject({ trunk: 'carrier-a', caller: '+79160000002' })
    expect(writer.stats()).toEqual({ written: 3, lost: 0, failures: 0, failing: undefined })
    writer.close()
    other.close()
  })

  it('is empty when nothing was ever logged', async () => {
    rmSync(directory, { recursive: true })
    expect(await search()).toEqual([])
  })

  it('finds exactly what a filter over all records finds', async () => {
    const decision = fc.record({
      timeMs: fc.integer({ min: START_MS, max: START_MS + 5_000 }),
      caller: fc.constantFrom(79_160_000_002, 88_001_000_000, -1),
      verdict: fc.nat({ max: 2 }),
      callHash: fc.constantFrom<[number, number]>([0, 0], [1, 0xffffffff]),
      calleePseudonym: fc.constantFrom<[number, number]>([5, 6], [7, 8]),
      verdictId: fc.constantFrom<[number, number, number, number]>([1, 2, 3, 4], [0xffffffff, 0, 0, 9]),
    })
    const query = fc.record(
      {
        caller: fc.constantFrom(79_160_000_002, -1),
        verdict: fc.constantFrom(...VERDICTS),
        sinceMs: fc.integer({ min: START_MS, max: START_MS + 5_000 }),
        untilMs: fc.integer({ min: START_MS, max: START_MS + 5_000 }),
        callHash: fc.constant({ low: 1, high: 0xffffffff }),
        calleePseudonym: fc.constant(() => ({ low: 5, high: 6 })),
        verdictId: fc.constant('ffffffff000000000000000000000009'),
      },
      { requiredKeys: [] },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(decision, { maxLength: 60 }), query, async (decisions, asked) => {
        rmSync(directory, { recursive: true, force: true })
        const writer = openWriter({ segmentBytesMax: 4_096 + 7 * DECISION_RECORD_BYTES })
        const sorted = decisions.toSorted((a, b) => a.timeMs - b.timeMs)
        for (const each of sorted) writer.append(decisionBytes(each))
        writer.close()
        const expected = sorted.filter(
          (each) =>
            (asked.caller === undefined || each.caller === asked.caller) &&
            (asked.verdict === undefined || VERDICTS[each.verdict] === asked.verdict) &&
            each.timeMs >= (asked.sinceMs ?? 0) &&
            each.timeMs <= (asked.untilMs ?? Number.POSITIVE_INFINITY) &&
            (asked.callHash === undefined || each.callHash[0] === 1) &&
            (asked.calleePseudonym === undefined || each.calleePseudonym[0] === 5) &&
            (asked.verdictId === undefined || each.verdictId[3] === 9),
        )
        expect(times(await search(asked))).toEqual(expected.map(({ timeMs }) => timeMs - START_MS).reverse())
      }),
      { numRuns: 40 },
    )
  })

  it('asks for the pseudonym of a callee once for each day it meets', async () => {
    const writer = openWriter()
    writer.append(
      decisionBytes(
        { timeMs: START_MS - DAY_MS, calleePseudonym: [1, 1] },
        { timeMs: START_MS, calleePseudonym: [1, 1] },
        { timeMs: START_MS + 1, calleePseudonym: [2, 2] },
      ),
    )
    const days: number[] = []
    const found = await search({
      calleePseudonym: (dayMs) => {
        days.push(dayMs)
        return dayMs === Date.UTC(2025, 0, 31) ? { low: 2, high: 2 } : { low: 1, high: 1 }
      },
    })
    expect(times(found)).toEqual([1, -DAY_MS])
    expect(days.sort()).toEqual([Date.UTC(2025, 0, 30), Date.UTC(2025, 0, 31)])
    writer.close()
  })

  it('gives the newest up to the limit and refuses a limit beyond its bound', async () => {
    const writer = openWriter()
    for (let i = 0; i < 1_200; i++) writer.append(decisionBytes({ timeMs: START_MS + i }))
    writer.close()
    expect(times(await search({}, 3))).toEqual([1_199, 1_198, 1_197])
    expect(await search({}, DECISIONS_PER_SEARCH_MAX)).toHaveLength(1_000)
    await expect(search({}, DECISIONS_PER_SEARCH_MAX + 1)).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    await expect(search({}, 0)).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    await expect(search({ verdictId: 'zz' })).rejects.toMatchObject({ code: 'QUERY_INVALID' })
    let all = 0
    for await (const entry of iterateDecisions({ directory }, {})) all += entry.timeMs > 0 ? 1 : 0
    expect(all).toBe(1_200)
  })

  it('begins a new segment when one is full and when the day ends', () => {
    const writer = openWriter({ segmentBytesMax: 4_096 + 2 * DECISION_RECORD_BYTES })
    const append = () => writer.append(decisionBytes({ timeMs: nowMs }))
    append()
    append()
    expect(readdirSync(directory)).toHaveLength(1)
    append()
    expect(readdirSync(directory)).toHaveLength(2)
    nowMs = START_MS + DAY_MS
    append()
    const names = readdirSync(directory).sort()
    expect(names).toEqual([
      '20250131T120000000Z-verdict-0-1-0001.decisions',
      '20250131T120000000Z-verdict-0-1-0002.decisions',
      '20250201T120000000Z-verdict-0-1-0003.decisions',
    ])
    writer.close()
  })

  it('keeps its files to their owner', () => {
    rmSync(directory, { recursive: true })
    const writer = openWriter()
    writer.append(decisionBytes({ timeMs: nowMs }))
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(statSync(path.join(directory, readdirSync(directory)[0] ?? '')).mode & 0o777).toBe(0o600)
    writer.close()
  })

  it('skips the torn end of a crashed segment and zeros left by the file system', async () => {
    const writer = openWriter()
    writer.append(decisionBytes({ timeMs: START_MS + 1 }, { timeMs: START_MS + 2 }))
    writer.close()
    const [name = ''] = readdirSync(directory)
    const file = path.join(directory, name)
    appendFileSync(file, new Uint8Array(DECISION_RECORD_BYTES * 3))
    appendFileSync(file, decisionBytes({ timeMs: START_MS + 3 }).subarray(0, 100))
    expect(times(await search())).toEqual([2, 1])
  })

  it('skips a segment that is damaged or of a newer release, and says so', async () => {
    const writer = openWriter()
    writer.append(decisionBytes({ timeMs: START_MS + 1 }))
    writer.close()
    const [name = ''] = readdirSync(directory)
    const good = readFileSync(path.join(directory, name))
    const withWord = (word: number, at: number) => {
      const bytes = Buffer.from(good)
      bytes.writeUInt32LE(word, at)
      return bytes
    }
    // Magic, version, header length, JSON, cut inside the header, nothing at all.
    const variants = [
      withWord(1, 0),
      withWord(2, 4),
      withWord(3, 8),
      withWord(0, 40),
      good.subarray(0, 2_000),
      Buffer.of(),
    ]
    for (const [i, damaged] of variants.entries()) {
      writeFileSync(path.join(directory, segmentName(START_MS + i, 'verdict-9-9', i)), damaged)
    }
    writeFileSync(path.join(directory, 'notes.txt'), 'not a segment')
    const skipped = new Map<string, unknown>()
    const found = await searchDecisions(
      { directory },
      { limit: 10 },
      { onSkipped: (file, cause) => skipped.set(path.basename(file), cause) },
    )
    expect(times(found)).toEqual([1])
    expect(skipped.size).toBe(variants.length)
    for (const cause of skipped.values()) expect(cause).toMatchObject({ code: 'STORAGE_FORMAT' })
  })
})

describe('a full disk', () => {
  /** Real files on a disk with so many bytes left. */
  function diskWith(room: { bytes: number }): SegmentFiles {
    const files = openSegmentFiles(directory)
    return {
      ...files,
      write(file, bytes, position) {
        const taken = Math.min(bytes.byteLength, room.bytes)
        if (taken === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
        room.bytes -= taken
        return files.write(file, bytes.subarray(0, taken), position)
      },
    }
  }

  it('costs records, never an exception, and the log comes back when there is room', async () => {
    const room = { bytes: 4_096 + DECISION_RECORD_BYTES * 2 + 50 }
    const writer = openWriter({}, diskWith(room))
    writer.append(decisionBytes({ timeMs: START_MS + 1 }, { timeMs: START_MS + 2 }, { timeMs: START_MS + 3 }))
    expect(writer.stats()).toEqual({ written: 2, lost: 1, failures: 1, failing: 'ENOSPC' })
    // Not tried again at once, even if there is room.
    room.bytes = 1_000_000
    writer.append(decisionBytes({ timeMs: START_MS + 4 }))
    expect(writer.stats()).toMatchObject({ written: 2, lost: 2, failures: 1 })
    nowMs += RETRY_AFTER_MS
    writer.append(decisionBytes({ timeMs: START_MS + 5 }))
    expect(writer.stats()).toEqual({ written: 3, lost: 2, failures: 1, failing: undefined })
    expect(times(await search())).toEqual([5, 2, 1])
    writer.close()
  })

  it('that takes not even a header leaves no unreadable segment in use', async () => {
    const room = { bytes: 100 }
    const writer = openWriter({}, diskWith(room))
    writer.append(decisionBytes({ timeMs: START_MS + 1 }))
    room.bytes = 1_000_000
    nowMs += RETRY_AFTER_MS
    writer.append(decisionBytes({ timeMs: START_MS + 2 }))
    expect(writer.stats()).toMatchObject({ written: 1, lost: 1, failing: undefined })
    expect(times(await search())).toEqual([2])
    writer.close()
  })

  it('that cannot make a file counts and tries again', () => {
    let broken = true
    const files = openSegmentFiles(directory)
    const create = (name: string) => {
      if (broken) throw Object.assign(new Error('read-only file system'), { code: 'EROFS' })
      return files.create(name)
    }
    const writer = openWriter({}, { ...files, create })
    writer.append(decisionBytes({ timeMs: START_MS }))
    expect(writer.stats()).toMatchObject({ lost: 1, failing: 'EROFS' })
    broken = false
    nowMs += RETRY_AFTER_MS
    writer.append(decisionBytes({ timeMs: START_MS }))
    expect(writer.stats()).toMatchObject({ written: 1, failing: undefined })
    writer.close()
  })
})

describe('retention of the decision log', () => {
  const segment = (ageDays: number, bytes: number, process = 'v') => ({
    name: segmentName(START_MS - ageDays * DAY_MS, process, 1),
    bytes,
  })

  it('deletes what is too old, then the oldest until the rest fits', () => {
    const files = [segment(0.1, 40), segment(31, 10), segment(3, 40), segment(2, 40), { name: 'notes.txt', bytes: 999 }]
    const limits = { retentionDays: 30, retentionBytesMax: 80 }
    expect(expiredSegments(files, limits, START_MS)).toEqual([segment(31, 0).name, segment(3, 0).name])
    expect(expiredSegments(files, { ...limits, retentionBytesMax: 120 }, START_MS)).toEqual([segment(31, 0).name])
    expect(expiredSegments([segment(30, 1)], limits, START_MS)).toEqual([])
  })

  it('spares the segment a process may still be writing', () => {
    const files = [segment(0.9, 40, 'quiet'), segment(0.5, 40, 'busy'), segment(0.1, 40, 'busy')]
    const limits = { retentionDays: 30, retentionBytesMax: 50 }
    expect(expiredSegments(files, limits, START_MS)).toEqual([segment(0.5, 0, 'busy').name])
    expect(expiredSegments([segment(1.1, 60, 'quiet')], limits, START_MS)).toHaveLength(1)
  })

  it('is applied when a segment begins', async () => {
    const old = openWriter({ process: 'verdict-0-0' })
    old.append(decisionBytes({ timeMs: nowMs }))
    old.close()
    nowMs += 31 * DAY_MS
    const writer = openWriter()
    writer.append(decisionBytes({ timeMs: nowMs }))
    expect(times(await search())).toEqual([31 * DAY_MS])
    writer.close()
  })
})

describe('the head of a segment', () => {
  it('comes back as it was, and drops trunk names rather than pass its bound', () => {
    const meta = { createdMs: START_MS, process: 'v', trunks: ['', 'ünïcode'] }
    const bytes = encodeSegmentHeader(meta)
    expect(segmentHeaderBytes(bytes)).toBe(bytes.byteLength)
    expect(decodeSegmentHeader(bytes)).toEqual(meta)
    const trunks = Array.from({ length: 65_536 }, (_, i) => `a-long-name-of-a-trunk-${i}`)
    const large = encodeSegmentHeader({ ...meta, trunks })
    expect(large.byteLength).toBeLessThanOrEqual(SEGMENT_HEADER_BYTES_MAX)
    const kept = decodeSegmentHeader(large).trunks
    expect(kept.length).toBeGreaterThan(10_000)
    expect(kept).toEqual(trunks.slice(0, kept.length))
  })
})
