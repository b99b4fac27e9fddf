import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ACTIVITY_OF,
  createActivity,
  createActivityView,
  noteAttempt,
  noteEnd,
  openActivity,
  readActivity,
} from '../../../src/shm/activity.ts'
import { createActivityCollector, isSummary, SUMMARY_WORDS } from '../../../src/shm/activity-summary.ts'
import {
  addRemoteActivity,
  createRemoteActivity,
  hearSource,
  noteRows,
  openRemoteActivity,
  type RemoteActivity,
  SOURCE_SILENT_SECONDS,
} from '../../../src/shm/remote-activity.ts'

const NOW = Date.UTC(2026, 2, 14, 12, 0)
const MINUTE = 60_000
const CALLER = 79_160_000_002
const of = ACTIVITY_OF.caller + 3
/** Serials of sources in places 1, 2 and, a generation later, 1 again. */
const ONE = 64 + 1
const TWO = 64 + 2
const ONE_LATER = 128 + 1

/** What a process that counted `count` attempts of each caller tells. */
function told(count: number, callers: readonly number[] = [CALLER], nowMs = NOW): Uint32Array {
  const activity = openActivity(createActivity(1_000))
  const collector = createActivityCollector(activity)
  for (const caller of callers) {
    for (let i = 0; i < count; i++) {
      noteAttempt(activity, caller, of, 79_310_000_000 + i, 3, nowMs)
      if (i % 2 === 0) noteEnd(activity, caller, of, 79_310_000_000 + i, true, 0, 65_000, nowMs)
    }
  }
  return collector.collect(nowMs, 1_000)
}

function hear(remote: RemoteActivity, serial: number, summaries: Uint32Array, nowMs = NOW): void {
  expect(noteRows(remote, serial, summaries, nowMs)).toBe(0)
  hearSource(remote, serial, nowMs)
}

function view(remote: RemoteActivity, nowMs = NOW, key = CALLER, whose: number = of) {
  const into = createActivityView()
  return { added: addRemoteActivity(remote, key, whose, nowMs, into), ...into }
}

const open = (rows = 100) => openRemoteActivity(createRemoteActivity(rows))

describe('what a process tells of its busiest', () => {
  it('is the rows with four attempts or more that were counted since last asked, busiest first, at most so many', () => {
    const activity = openActivity(createActivity(1_000))
    const collector = createActivityCollector(activity)
    const dial = (caller: number, count: number) => {
      for (let i = 0; i < count; i++) noteAttempt(activity, caller, of, 79_310_000_000 + i * 9, 0, NOW)
    }
    const attempts = (max = 1_000) => Array.from(collector.collect(NOW, max)).filter((_, i) => i % SUMMARY_WORDS === 4)
    for (const count of [3, 30, 300, 5, 4]) dial(CALLER + count, count)
    expect(attempts()).toEqual([300, 30, 5, 4])
    expect(attempts()).toEqual([])
    for (const count of [30, 300, 5]) dial(CALLER + count, 1)
    expect(attempts(2)).toEqual([301, 31])
    // Far more than the ring holds: the newest are told.
    for (let i = 0; i < 9_000; i++) dial(CALLER + 300, 1)
    dial(CALLER + 5, 1)
    expect(attempts()).toEqual([9_301, 7])
  })

  it('begins with what is counted after it began', () => {
    const activity = openActivity(createActivity(1_000))
    for (let i = 0; i < 9; i++) noteAttempt(activity, CALLER, of, 79_310_000_000 + i, 0, NOW)
    const collector = createActivityCollector(activity)
    expect(collector.collect(NOW, 1_000)).toHaveLength(0)
  })

  it('is believed of any activity, in buckets or one by one', () => {
    const scratch = createActivityView()
    fc.assert(
      fc.property(fc.integer({ min: 5, max: 400 }), fc.integer({ min: 0, max: 40 }), (count, minutes) => {
        const summaries = told(count, [CALLER, 1_112, 999_999_999_999_999], NOW + minutes * MINUTE)
        expect(summaries).toHaveLength(3 * SUMMARY_WORDS)
        for (let at = 0; at < summaries.length; at += SUMMARY_WORDS)
          expect(isSummary(summaries, at, scratch)).toBe(true)
      }),
      { numRuns: 30 },
    )
  })

  it('is not believed where it contradicts itself', () => {
    const scratch = createActivityView()
    const good = told(40)
    // Each word in turn made impossible: id, windows, others, outcomes, talk, order, trunks, totals, days, first seen.
    const impossible = [
      [1, 2 ** 22],
      [1, 0x180000],
      [2, 41],
      [3, 41],
      [4, 2 ** 26 + 1],
      [4, 0],
      [5, 41],
      [6, 41],
      [7, 41],
    ]
      .concat([
        [8, 41],
        [9, 21],
        [10, 21],
        [11, 21],
        [12, 21],
        [13, 21],
        [14, 20 * 86_400 + 1],
        [15, 41],
        [16, 41],
      ])
      .concat([
        [17, 65_536],
        [17, 0],
        [18, 41],
        [19, 21],
        [20, 0],
        [20, 256],
        [21, 2 ** 32 - 1],
      ])
    for (const [word = 0, value = 0] of impossible) {
      const bad = good.slice()
      bad[word] = value
      expect([word, isSummary(bad, 0, scratch)]).toEqual([word, false])
    }
    const noKey = good.slice()
    noKey[0] = 0
    noKey[1] = 0
    expect(isSummary(noKey, 0, scratch)).toBe(false)
    const remote = open()
    expect(noteRows(remote, ONE, Uint32Array.of(...noKey, ...good, 7), NOW)).toBe(2)
    hearSource(remote, ONE, NOW)
    expect(view(remote).attempts60).toBe(40)
  })

  it('does no harm as noise', () => {
    const remote = open(64)
    fc.assert(
      fc.property(fc.uint32Array({ maxLength: 200 }), (noise) => {
        noteRows(remote, ONE, noise, NOW)
        hearSource(remote, ONE, NOW)
        const { attempts60, ended60, others60 } = view(remote, NOW, (noise[0] ?? 0) + 1)
        expect(ended60).toBeLessThanOrEqual(attempts60)
        expect(others60).toBeLessThanOrEqual(attempts60)
      }),
    )
  })
})

describe('activity that others tell of', () => {
  it('adds to what this process knows, over all sources; a row told again replaces the one before', () => {
    const remote = open()
    expect(view(remote)).toEqual({ added: false, ...createActivityView() })
    hear(remote, ONE, told(6))
    hear(remote, TWO, told(10))
    expect(view(remote)).toMatchObject({
      added: true,
      attempts60: 16,
      others60: 16,
      ended60: 8,
      long60: 8,
      trunks15: 1,
    })
    hear(remote, ONE, told(8))
    expect(view(remote)).toMatchObject({ attempts1: 18, attempts60: 18, totalAttempts: 18, days: 1 })
    const activity = openActivity(createActivity(10))
    noteAttempt(activity, CALLER, of, 79_310_000_000, 0, NOW - 30 * MINUTE)
    const into = createActivityView()
    readActivity(activity, CALLER, of, NOW, into)
    addRemoteActivity(remote, CALLER, of, NOW, into)
    expect(into).toMatchObject({ attempts1: 18, attempts60: 19, firstSeenMs: NOW - 30 * MINUTE, lastSeenMs: NOW })
  })

  it('is of that row alone', () => {
    const remote = open()
    hear(remote, ONE, told(6))
    expect(view(remote, NOW, CALLER + 1).added).toBe(false)
    expect(view(remote, NOW, CALLER, of - 1).added).toBe(false)
    expect(view(remote, NOW, -1).added).toBe(false)
  })

  it('leaves the windows by whole minutes after it was heard', () => {
    const remote = open()
    hear(remote, ONE, told(6))
    const later = (minutes: number) => {
      hearSource(remote, ONE, NOW + minutes * MINUTE) // it speaks on, but not of this row
      return view(remote, NOW + minutes * MINUTE)
    }
    expect(later(0)).toMatchObject({ attempts1: 6, attempts15: 6, attempts60: 6 })
    expect(later(1)).toMatchObject({ attempts1: 0, others1: 0, attempts15: 6, attempts60: 6 })
    expect(later(14)).toMatchObject({ attempts15: 6, trunks15: 1 })
    expect(later(15)).toMatchObject({ attempts15: 0, trunks15: 0, attempts60: 6 })
    expect(later(59)).toMatchObject({ attempts60: 6 })
    expect(later(60).added).toBe(false)
  })

  it('counts nothing of a source that fell silent, or whose place another one took', () => {
    const remote = open()
    hear(remote, ONE, told(6))
    const silence = SOURCE_SILENT_SECONDS * 1_000
    expect(view(remote, NOW + silence).attempts60).toBe(6)
    expect(view(remote, NOW + silence + 1_000).added).toBe(false)
    expect(view(remote, NOW - silence - 1_000).added).toBe(false)
    hear(remote, TWO, told(5), NOW + silence + 1_000)
    expect(view(remote, NOW + silence + 1_000).attempts60).toBe(5)
    hearSource(remote, ONE_LATER, NOW)
    expect(view(remote, NOW).attempts60).toBe(0)
  })

  it('makes room by what was told longest ago, and is never more than it has room for', () => {
    const remote = open(15)
    expect(remote.sets).toBe(1)
    const callers = Array.from({ length: 40 }, (_, i) => CALLER + i)
    for (const [i, caller] of callers.entries()) hear(remote, ONE, told(5, [caller]), NOW + i * MINUTE)
    const known = callers.filter((caller) => view(remote, NOW + 39 * MINUTE, caller).added)
    expect(known).toEqual(callers.slice(25))
    // Rows of a source that is gone go first, whatever their age.
    hear(remote, TWO, told(5, [CALLER]), NOW + 60 * MINUTE)
    expect(view(remote, NOW + 60 * MINUTE, CALLER).added).toBe(true)
    expect(() => createRemoteActivity(2 ** 20 + 1)).toThrow(RangeError)
  })

  it('is not read while it is written', () => {
    const remote = open(15)
    hear(remote, ONE, told(6))
    const set = remote.words.findIndex((word, at) => at >= 144 && word !== 0)
    remote.words[set] = (remote.words[set] ?? 0) + 1 // odd
    expect(view(remote)).toEqual({ added: false, ...createActivityView() })
  })
})
