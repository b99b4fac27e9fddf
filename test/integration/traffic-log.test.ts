import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runSteps } from '../../src/domain/run-steps.ts'
import { mergeCounts, sortCounts } from '../../src/stores/traffic-log/caller-counts.ts'
import { decodeTrafficHour, encodeTrafficHour, trafficFileName } from '../../src/stores/traffic-log/traffic-file.ts'
import { createTrafficLogReader, IMPACT_HOURS } from '../../src/stores/traffic-log/traffic-impact.ts'
import {
  createTrafficLogWriter,
  type ReadTrafficTable,
  TRAFFIC_HOURS_KEPT,
} from '../../src/stores/traffic-log/traffic-log-writer.ts'

const HOUR_MS = 3_600_000
const HOUR = 490_000
const NOW_MS = HOUR * HOUR_MS + 1_234
const beginRests = () => () => undefined
let directory: string

beforeEach(() => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-traffic-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

type Calls = Record<number, number>

/** A thread's table as the writer sees it: callers per hour; one more call an hour from a withheld caller. */
function tableOf(hours: Map<number, Calls>, complete = true): ReadTrafficTable {
  return function* (hour, visit) {
    const callers = Object.entries(hours.get(hour) ?? {})
    for (const [caller, count] of callers) visit(Number(caller), count)
    const calls = callers.reduce((sum, [, count]) => sum + count, 0)
    return { calls: calls === 0 ? 0 : calls + 1, complete }
  }
}

async function record(process: string, hour: number, ...threads: Calls[]): Promise<void> {
  const tables = threads.map((calls) => tableOf(new Map([[hour, calls]])))
  await createTrafficLogWriter({ directory, process }, { tables, beginRests }).write(hour * HOUR_MS)
}

const impact = (
  numbers: number[],
  ranges: [number, number][] = [],
  { isCovered = () => false, onSkipped = () => {} }: Partial<ImpactHow> = {},
) =>
  createTrafficLogReader({ directory }, { onSkipped }).impactOf(
    {
      numbers: Float64Array.from(numbers),
      ranges: {
        from: Float64Array.from(ranges, ([from]) => from),
        to: Float64Array.from(ranges, ([, to]) => to),
      },
      isCovered,
    },
    NOW_MS,
  )
type ImpactHow = { isCovered: (caller: number) => boolean; onSkipped: (file: string) => void }

describe('the traffic log', () => {
  it('adds up threads, processes and hours, and counts a caller once', async () => {
    await record('verdict-0-1', HOUR, { 100: 1, 200: 2 }, { 100: 4, 300: 8 })
    await record('verdict-1-2', HOUR, { 100: 16 })
    await record('verdict-0-1', HOUR - 1, { 200: 32 })
    expect(await impact([100, 200])).toEqual({ hours: 2, calls: 55, callers: 2, totalCalls: 67, complete: true })
    expect(await impact([], [[250, 999]])).toMatchObject({ calls: 8, callers: 1 })
    expect(
      await impact(
        [100],
        [
          [50, 150],
          [90, 300],
        ],
      ),
    ).toMatchObject({ calls: 63, callers: 3 })
    expect(await impact([])).toMatchObject({ calls: 0, callers: 0, hours: 2 })
  })

  it('counts only callers the list does not cover yet, and asks about each once', async () => {
    await record('verdict-0-1', HOUR, { 100: 1, 200: 2, 300: 4, 400: 8 }, { 100: 16, 300: 32 })
    await record('verdict-0-1', HOUR - 1, { 100: 64, 300: 128, 400: 256 })
    const asked: number[] = []
    const isCovered = (caller: number) => {
      asked.push(caller)
      return caller === 100 || caller === 300
    }
    const found = await impact([100, 200], [[250, 450]], { isCovered })
    expect(found).toMatchObject({ calls: 2 + 8 + 256, callers: 2, totalCalls: 514, complete: true })
    expect(asked.sort()).toEqual([100, 200, 300, 400])
  })

  it('says nothing was recorded when nothing was', async () => {
    rmSync(directory, { recursive: true })
    expect(await impact([1])).toEqual({ hours: 0, calls: 0, callers: 0, totalCalls: 0, complete: true })
  })

  it('looks back a day and not an hour more', async () => {
    for (const hour of [HOUR + 1, HOUR, HOUR - IMPACT_HOURS + 1, HOUR - IMPACT_HOURS]) {
      await record(`verdict-${hour}`, hour, { 100: 1 })
    }
    expect(await impact([100])).toMatchObject({ hours: 2, calls: 2, callers: 1 })
  })

  it('keeps the counts of before a restart within the hour', async () => {
    await record('verdict-0-11', HOUR, { 100: 5 })
    await record('verdict-0-12', HOUR, { 100: 2 })
    expect(await impact([100])).toMatchObject({ hours: 1, calls: 7, callers: 1 })
  })

  it('replaces the running hour and finishes the one before', async () => {
    const hours = new Map<number, Calls>([[HOUR, { 100: 1 }]])
    const writer = createTrafficLogWriter(
      { directory, process: 'verdict-0-1' },
      { tables: [tableOf(hours)], beginRests },
    )
    await writer.write(NOW_MS)
    hours.set(HOUR, { 100: 3, 200: 1 })
    await writer.write(NOW_MS + 30_000)
    expect(await impact([100])).toMatchObject({ calls: 3 })
    hours.set(HOUR, { 100: 4, 200: 1 })
    hours.set(HOUR + 1, { 100: 10 })
    await writer.write(NOW_MS + HOUR_MS)
    expect(readdirSync(directory).sort()).toEqual([
      trafficFileName(HOUR, 'verdict-0-1'),
      trafficFileName(HOUR + 1, 'verdict-0-1'),
    ])
    expect(await impact([100])).toMatchObject({ calls: 4, totalCalls: 6 })
    expect(writer.stats()).toEqual({ writes: 3, failures: 0, failing: undefined })
  })

  it('says when a table had been full', async () => {
    const full = tableOf(new Map([[HOUR, { 100: 1 }]]), false)
    await createTrafficLogWriter({ directory, process: 'v' }, { tables: [full], beginRests }).write(NOW_MS)
    expect(await impact([100])).toMatchObject({ calls: 1, complete: false })
  })

  it('removes hours that have had their time, of every process', async () => {
    await record('verdict-a', HOUR - TRAFFIC_HOURS_KEPT, { 1: 1 })
    await record('verdict-b', HOUR - TRAFFIC_HOURS_KEPT + 1, { 1: 1 })
    writeFileSync(path.join(directory, `${trafficFileName(HOUR - 2, 'crashed')}.tmp`), 'half')
    writeFileSync(path.join(directory, `${trafficFileName(HOUR, 'writing')}.tmp`), 'half')
    writeFileSync(path.join(directory, 'notes.txt'), '')
    await record('verdict-c', HOUR, { 1: 1 })
    expect(readdirSync(directory).sort()).toEqual(
      [
        trafficFileName(HOUR - TRAFFIC_HOURS_KEPT + 1, 'verdict-b'),
        trafficFileName(HOUR, 'verdict-c'),
        `${trafficFileName(HOUR, 'writing')}.tmp`,
        'notes.txt',
      ].sort(),
    )
  })

  it('leaves out a damaged file and says the answer is not complete', async () => {
    await record('verdict-0', HOUR, { 100: 1 })
    await record('verdict-1', HOUR, { 100: 2 })
    const file = path.join(directory, trafficFileName(HOUR, 'verdict-1'))
    const good = readFileSync(file)
    const newer = Buffer.from(good)
    newer.writeUInt32LE(2, 4)
    for (const bad of [good.subarray(0, 70), Buffer.alloc(0), Buffer.concat([good, Buffer.alloc(12)]), newer]) {
      writeFileSync(file, bad)
      const skipped: string[] = []
      expect(await impact([100], [], { onSkipped: (name) => skipped.push(name) })).toMatchObject({
        calls: 1,
        complete: false,
      })
      expect(skipped).toEqual([file])
    }
  })

  it('notices any single bit turned in a file', () => {
    const traffic = {
      hour: HOUR,
      calls: 9,
      complete: true,
      callers: Float64Array.of(100, 200),
      counts: Uint32Array.of(3, 4),
    }
    const good = runSteps(encodeTrafficHour(traffic))
    expect(decodeTrafficHour(Uint8Array.from(good))).toEqual(traffic)
    for (let bit = 0; bit < good.length * 8; bit++) {
      const bad = Uint8Array.from(good)
      bad[bit >>> 3] = (bad[bit >>> 3] ?? 0) ^ (1 << (bit & 7))
      expect(() => decodeTrafficHour(bad), `bit ${bit}`).toThrowError(
        expect.objectContaining({ code: 'STORAGE_FORMAT' }),
      )
    }
  })

  it('never rejects: what cannot be written is counted, and the next write makes up for it', async () => {
    rmSync(directory, { recursive: true })
    appendFileSync(directory, 'a file where the directory should be')
    const tables = [tableOf(new Map([[HOUR, { 100: 1 }]]))]
    const writer = createTrafficLogWriter({ directory, process: 'v' }, { tables, beginRests })
    await writer.write(NOW_MS)
    expect(writer.stats()).toEqual({ writes: 0, failures: 1, failing: 'EEXIST' })
    rmSync(directory)
    await Promise.all([writer.write(NOW_MS), writer.write(NOW_MS)])
    expect(writer.stats()).toEqual({ writes: 1, failures: 1, failing: undefined })
    expect(await impact([100])).toMatchObject({ calls: 1 })
  })

  it('agrees with counting one by one on any lists and any traffic', async () => {
    const caller = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 10 ** 14, max: 10 ** 14 + 5 }))
    const calls = fc.dictionary(caller.map(String), fc.integer({ min: 1, max: 9 }), { maxKeys: 40 })
    const range = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.nat({ max: 10 }))
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat({ max: 3 }), calls), { maxLength: 5 }),
        fc.uniqueArray(caller, { maxLength: 30 }),
        fc.array(range, { maxLength: 5 }),
        fc.uniqueArray(caller, { maxLength: 30 }),
        async (recorded, listed, spans, before) => {
          rmSync(directory, { recursive: true, force: true })
          const numbers = listed.toSorted((a, b) => a - b)
          const ranges = spans
            .map(([from, length]): [number, number] => [from, from + length])
            .toSorted((a, b) => a[0] - b[0] || a[1] - b[1])
          const isCovered = (number: number) => before.includes(number)
          const hit = (number: number) =>
            !isCovered(number) &&
            (listed.includes(number) || ranges.some(([from, to]) => from <= number && number <= to))
          let expected = 0
          const callers = new Set<number>()
          for (const [i, [age, counted]] of recorded.entries()) {
            await record(`verdict-${i}`, HOUR - age, counted)
            for (const [number, count] of Object.entries(counted)) {
              if (!hit(Number(number))) continue
              expected += count
              callers.add(Number(number))
            }
          }
          expect(await impact(numbers, ranges, { isCovered })).toMatchObject({
            calls: expected,
            callers: callers.size,
            complete: true,
          })
        },
      ),
      { numRuns: 40 },
    )
  })
})

describe('caller counts', () => {
  const pairs = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 2 ** 50 }), fc.nat()), {
    selector: ([caller]) => caller,
  })
  const countsOf = (entries: readonly (readonly [number, number])[]) => ({
    callers: Float64Array.from(entries, ([caller]) => caller),
    counts: Uint32Array.from(entries, ([, count]) => count),
  })
  const ascending = (entries: readonly (readonly [number, number])[]) => entries.toSorted((a, b) => a[0] - b[0])

  it('are sorted with their callers', () => {
    fc.assert(
      fc.property(pairs, (entries) => {
        expect(runSteps(sortCounts(countsOf(entries)))).toEqual(countsOf(ascending(entries)))
      }),
    )
  })

  it('merge into their sums', () => {
    fc.assert(
      fc.property(pairs, pairs, (a, b) => {
        const sums = new Map(a)
        for (const [caller, count] of b) sums.set(caller, ((sums.get(caller) ?? 0) + count) >>> 0)
        const merged = runSteps(mergeCounts(countsOf(ascending(a)), countsOf(ascending(b))))
        expect(merged).toEqual(countsOf(ascending([...sums])))
      }),
    )
  })
})
