import { describe, expect, it } from 'vitest'
import {
  ACTIVITY_OF,
  type Activity,
  activityLosses,
  aimRows,
  createActivity,
  createActivityView,
  fetchHeads,
  fetchLists,
  fetchSets,
  flushActivity,
  noteAttempt,
  noteCallerEnd,
  noteEnd,
  openActivity,
  readActivity,
  readAndNoteAttempt,
  readAndNoteRow,
  readPast,
  readRowsPast,
} from '../../../src/shm/activity.ts'
import { ACTIVITY_MAX, BLOCK_WORDS, lineOf, PENDING_MAX, POOL_WORDS, POOLS } from '../../../src/shm/activity-layout.ts'

const NOW = Date.UTC(2026, 2, 14, 12, 0)
const MINUTE = 60_000
const CALLER = 79_160_000_002
const CALLEE = 79_031_112_233
const of = ACTIVITY_OF.caller + 2

const open = (capacity = 100) => openActivity(createActivity(capacity))

function view(activity: Activity, key = CALLER, nowMs = NOW, whose: number = of) {
  const into = createActivityView()
  const known = readActivity(activity, key, whose, nowMs, into)
  return { known, ...into }
}

function dial(activity: Activity, count: number, nowMs = NOW, key = CALLER): void {
  for (let i = 0; i < count; i++) noteAttempt(activity, key, of, CALLEE + i * 10, 1, nowMs)
}

/** As if another thread held every set. */
function holdAll(activity: Activity, held: boolean): void {
  for (let set = 0; set < activity.sets; set++) activity.words[lineOf(set)] = held ? 1 : 0
}

describe('what activity counts', () => {
  it('tells rows of one number apart: caller by ingress kind, callee, block', () => {
    const activity = open()
    for (let whose = 0; whose <= ACTIVITY_OF.block; whose++) {
      for (let i = 0; i <= whose; i++) noteAttempt(activity, CALLER, whose, CALLEE + i, 0, NOW)
    }
    for (let whose = 0; whose <= ACTIVITY_OF.block; whose++) {
      expect(view(activity, CALLER, NOW, whose).attempts60).toBe(whose + 1)
    }
  })

  it.each([0, -1, -4, Number.NaN])('ignores a key that is no number (%s)', (key) => {
    const activity = open()
    noteAttempt(activity, key, of, CALLEE, 0, NOW)
    expect(view(activity, key).known).toBe(false)
    expect(noteEnd(activity, key, of, CALLEE, true, 0, 0, NOW)).toBe(false)
    expect(noteCallerEnd(activity, key, CALLEE, true, 0, 0, NOW)).toBe(-1)
  })

  it('counts an attempt to a withheld callee, but no distinct callee', () => {
    const activity = open()
    noteAttempt(activity, CALLER, of, -1, 0, NOW)
    noteAttempt(activity, CALLER, of, CALLEE, 0, NOW)
    expect(view(activity)).toMatchObject({ attempts1: 2, others1: 1, others60: 1 })
  })

  it.each([
    ['hung up at once', true, 0, { answered60: 102, short60: 102, brief60: 0, long60: 0, oneRing60: 0 }],
    ['brief', true, 29_000, { answered60: 102, short60: 0, brief60: 102, long60: 0, talkSeconds60: 102 * 29 }],
    ['neither brief nor long', true, 30_000, { answered60: 102, short60: 0, brief60: 0, long60: 0 }],
    ['of a day', true, 86_400_000, { answered60: 102, long60: 102, oneRing60: 0, talkSeconds60: 102 * 86_400 }],
    ['rung once', false, 0, { answered60: 0, short60: 0, oneRing60: 102, talkSeconds60: 0 }],
  ])('sums the longest list where all calls are %s, and one more', (_, answered, talkMs, outcomes) => {
    const activity = open()
    for (let i = 0; i < 102; i++) noteAttempt(activity, CALLER, of, CALLEE + i, i + 1, NOW)
    for (let i = 0; i < 102; i++) noteEnd(activity, CALLER, of, CALLEE + i, answered, 4_000, talkMs, NOW)
    const all = { attempts1: 102, attempts15: 102, attempts60: 102, others1: 102, others15: 102, others60: 102 }
    const sums = { ...all, trunks15: 102, sequential60: 101, ended60: 102, ...outcomes }
    expect(view(activity)).toMatchObject(sums)
    // Counted as it was read while the next attempt is noted, which is by the minute from then on.
    const read = createActivityView()
    readAndNoteAttempt(activity, CALLER, of, CALLEE + 102, 103, NOW, read)
    expect(read).toMatchObject(sums)
    expect(view(activity)).toMatchObject({ attempts60: 103, sequential60: 102, ended60: 102, ...outcomes })
  })

  it('covers whole minutes: the current one and the 0, 14 and 59 before it', () => {
    const activity = open()
    noteAttempt(activity, CALLER, of, CALLEE, 7, NOW)
    const at = (minutes: number) => view(activity, CALLER, NOW + minutes * MINUTE)
    expect(at(0)).toMatchObject({ attempts1: 1, attempts15: 1, attempts60: 1, trunks15: 1 })
    expect(at(0.99)).toMatchObject({ attempts1: 1 })
    expect(at(1)).toMatchObject({ attempts1: 0, attempts15: 1, attempts60: 1 })
    expect(at(14)).toMatchObject({ attempts15: 1, trunks15: 1 })
    expect(at(15)).toMatchObject({ attempts15: 0, attempts60: 1, trunks15: 0 })
    expect(at(59)).toMatchObject({ attempts60: 1, others60: 1 })
    expect(at(60)).toMatchObject({ known: true, attempts60: 0, others60: 0, totalAttempts: 1 })
  })

  it.each([10, 100, 1_000])(
    'empties the windows after a clock that jumped ahead, and after it jumped back (%i)',
    (n) => {
      const activity = open()
      dial(activity, n)
      const ahead = NOW + 300 * MINUTE
      dial(activity, 1, ahead)
      expect(view(activity, CALLER, ahead)).toMatchObject({ attempts60: 1, totalAttempts: n + 1 })
      dial(activity, 2, ahead - 60 * MINUTE) // a little back: the newest minute goes on
      expect(view(activity, CALLER, ahead - 60 * MINUTE)).toMatchObject({ attempts1: 3, lastSeenMs: ahead })
      expect(view(activity, CALLER, NOW)).toMatchObject({ attempts60: 0, totalAttempts: n + 3 })
      dial(activity, 4, NOW - 500 * MINUTE) // far back: all begins anew, totals stay
      expect(view(activity, CALLER, NOW - 500 * MINUTE)).toMatchObject({
        attempts1: 4,
        attempts60: 4,
        totalAttempts: n + 7,
      })
      expect(view(activity, CALLER, NOW - 500 * MINUTE).firstSeenMs).toBe(NOW - 500 * MINUTE)
    },
  )

  it.each([Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 4.2e12, 1e300])('survives a clock of %s', (nowMs) => {
    const activity = open()
    for (const count of [2, 20, 400]) {
      dial(activity, count)
      dial(activity, count, nowMs)
      noteEnd(activity, CALLER, of, CALLEE, true, 1_000, 1_000, nowMs)
      const { attempts60, ended60 } = view(activity, CALLER, nowMs)
      expect(attempts60).toBeGreaterThanOrEqual(ended60)
    }
    dial(activity, 1, NOW)
    expect(view(activity).attempts1).toBeGreaterThanOrEqual(1)
  })
})

describe('ends of attempts', () => {
  it('counts each attempt once, however often its end comes', () => {
    const activity = open()
    dial(activity, 2)
    const end = () => noteEnd(activity, CALLER, of, CALLEE, true, 3_000, 70_000, NOW + 80_000)
    expect([end(), end(), end()]).toEqual([true, false, false])
    expect(view(activity)).toMatchObject({ ended60: 1, answered60: 1, long60: 1, talkSeconds60: 70, totalLong: 1 })
  })

  it('counts nothing for a number that was not dialled, known one by one or by the sketch', () => {
    const activity = open()
    for (const count of [2, 300]) {
      dial(activity, count)
      expect(noteEnd(activity, CALLER, of, 79_777_777_777, true, 0, 0, NOW)).toBe(false)
      expect(view(activity).ended60).toBe(0)
    }
  })

  it.each([2, 20, 300])('counts nothing for an end an hour late (%i attempts)', (count) => {
    const activity = open()
    dial(activity, count)
    expect(noteEnd(activity, CALLER, of, CALLEE, true, 0, 3_600_000, NOW + 60 * MINUTE)).toBe(false)
    expect(view(activity)).toMatchObject({ ended60: 0, totalAnswered: 0 })
    expect(noteEnd(activity, CALLER, of, CALLEE, true, 0, 3_500_000, NOW + 59 * MINUTE)).toBe(true)
  })

  it.each([2, 300])('never has more ends than attempts (%i attempts)', (count) => {
    const activity = open()
    dial(activity, count)
    let counted = 0
    for (let i = 0; i < count * 3; i++) {
      if (noteEnd(activity, CALLER, of, CALLEE + (i % count) * 10, i % 2 === 0, 1_000, 10_000, NOW + 9_000)) counted++
    }
    expect(counted).toBe(count)
    expect(view(activity).ended60).toBe(count)
  })

  it('clamps talk to a day and takes what is no time for none', () => {
    const activity = open()
    dial(activity, 3)
    noteEnd(activity, CALLER, of, CALLEE, true, 0, 1e12, NOW)
    noteEnd(activity, CALLER, of, CALLEE + 10, true, Number.NaN, Number.NaN, NOW)
    noteEnd(activity, CALLER, of, CALLEE + 20, true, -5, -5, NOW)
    expect(view(activity)).toMatchObject({ answered60: 3, talkSeconds60: 86_400, long60: 1, short60: 2 })
  })

  it('finds the ingress kind of a caller by the open attempt', () => {
    const activity = open()
    noteAttempt(activity, CALLER, 1, CALLEE, 0, NOW)
    noteAttempt(activity, CALLER, 3, CALLEE + 1, 0, NOW)
    expect(noteCallerEnd(activity, CALLER, CALLEE + 1, true, 0, 9_000, NOW)).toBe(3)
    expect(noteCallerEnd(activity, CALLER, CALLEE + 1, true, 0, 9_000, NOW)).toBe(-1)
    for (let i = 0; i < 300; i++) noteAttempt(activity, CALLER, 0, CALLEE + i, 0, NOW)
    // Row 0 is in buckets and would take the end; row 1 knows the attempt.
    expect(noteCallerEnd(activity, CALLER, CALLEE, true, 0, 9_000, NOW)).toBe(1)
    expect(noteCallerEnd(activity, CALLER, CALLEE, true, 0, 9_000, NOW)).toBe(0)
  })
})

describe('rows that are fetched together', () => {
  const fetch = (activity: Activity, caller: number, callee: number) => {
    aimRows(activity, caller, of, callee, Math.floor(caller / 100))
    fetchSets(activity)
    fetchHeads(activity, NOW / 1_000)
    fetchLists(activity)
  }

  it.each([1, 12, 30, 300])('are those that single events read and count (%i attempts)', (count) => {
    const [one, other] = [open(), open()]
    for (const activity of [one, other]) {
      dial(activity, count)
      for (let i = 0; i < count; i++) {
        noteAttempt(activity, CALLEE, ACTIVITY_OF.callee, CALLER + i, 1, NOW)
        noteAttempt(activity, CALLER, ACTIVITY_OF.callee, CALLEE + i, 1, NOW)
      }
    }
    const later = NOW + 2 * MINUTE
    for (const callee of [CALLEE, -1]) {
      const read = [createActivityView(), createActivityView(), createActivityView(), createActivityView()] as const
      fetch(one, CALLER, callee)
      const { outgoing, block, incoming, caller, callee: called } = one.rows
      readRowsPast(one, incoming, read[0])
      readAndNoteRow(one, outgoing, called, 3, later / 1_000, read[1])
      readAndNoteRow(one, block, caller, 3, later / 1_000, read[2])
      if (callee > 0) readAndNoteRow(one, one.rows.called, caller, 3, later / 1_000, read[3])
      const expected = [createActivityView(), createActivityView(), createActivityView(), createActivityView()] as const
      readPast(other, CALLER, ACTIVITY_OF.callee, expected[0])
      readAndNoteAttempt(other, CALLER, of, callee, 3, later, expected[1])
      readAndNoteAttempt(other, Math.floor(CALLER / 100), ACTIVITY_OF.block, CALLER, 3, later, expected[2])
      if (callee > 0) readAndNoteAttempt(other, CALLEE, ACTIVITY_OF.callee, CALLER, 3, later, expected[3])
      expect(read).toEqual(expected)
    }
    expect(Uint8Array.from(one.bytes)).toEqual(Uint8Array.from(other.bytes))
  })

  it('are found though their place was given to another since', () => {
    const activity = open(12)
    const into = createActivityView()
    dial(activity, 2)
    fetch(activity, CALLER, CALLEE)
    for (let i = 1; i <= 40; i++) dial(activity, 1, NOW + i * MINUTE, CALLER + i)
    readAndNoteRow(activity, activity.rows.outgoing, activity.rows.callee, 1, NOW / 1_000 + 3_000, into)
    expect(into).toEqual(createActivityView())
    expect(view(activity, CALLER, NOW + 50 * MINUTE)).toMatchObject({ attempts60: 1, totalAttempts: 1 })
  })

  it('are counted with the next event when their set is held', () => {
    const activity = open()
    const into = createActivityView()
    for (const callee of [CALLEE, -1]) {
      fetch(activity, CALLER, callee)
      holdAll(activity, true)
      readAndNoteRow(activity, activity.rows.outgoing, activity.rows.callee, 7, NOW / 1_000, into)
      expect(into).toEqual(createActivityView())
      holdAll(activity, false)
    }
    expect(view(activity)).toMatchObject({ attempts60: 2, others60: 1, trunks15: 1 })
    expect(noteEnd(activity, CALLER, of, CALLEE, true, 0, 9_000, NOW)).toBe(true)
  })

  it('are nothing at their first call, whatever was read before', () => {
    const activity = open()
    const into = createActivityView()
    // By lists, by the minute, and not at all.
    for (const [key, count] of Object.entries({ [CALLER]: 30, [CALLER + 1]: 300, [CALLER + 2]: 0 })) {
      dial(activity, count, NOW, Number(key))
      fetch(activity, Number(key), CALLEE)
      readAndNoteRow(activity, activity.rows.outgoing, activity.rows.callee, 7, NOW / 1_000, into)
      expect(into).toMatchObject({ attempts60: count, totalAttempts: count })
    }
    expect(into).toEqual(createActivityView())
  })

  it('are only read, whatever they are', () => {
    const activity = open()
    for (const [i, count] of [1, 5, 30, 300].entries()) dial(activity, count, NOW, CALLER + i)
    const before = Uint8Array.from(activity.bytes)
    const keys = [CALLER, CALLER + 1, CALLER + 2, CALLER + 3, 79_999_999_999, 1, 0, -1, -4, 999_999_999_999_999]
    for (const one of keys) {
      for (const two of keys) fetch(activity, one, two)
    }
    expect(Uint8Array.from(activity.bytes)).toEqual(before)
    expect(view(activity, CALLER + 3).attempts60).toBe(300)
  })
})

describe('the past of a row', () => {
  const past = (activity: Activity, key: number) => {
    const into = { ...createActivityView(), attempts60: 9, totalLong: 9 }
    const known = readPast(activity, key, of, into)
    return { known, ...into }
  }

  it.each([1, 5, 30, 300])('is what a whole reading of it has, without the windows: %i attempts', (count) => {
    const activity = open()
    dial(activity, count, NOW - 2 * 86_400_000)
    dial(activity, count)
    expect(noteEnd(activity, CALLER, of, CALLEE, true, 0, 60_000, NOW)).toBe(true)
    const { firstSeenMs, lastSeenMs, days, totalAttempts, totalAnswered, totalLong } = view(activity)
    expect([days, totalAttempts, totalAnswered, totalLong]).toEqual([2, 2 * count, 1, 1])
    const totals = { firstSeenMs, lastSeenMs, days, totalAttempts, totalAnswered, totalLong }
    expect(past(activity, CALLER)).toEqual({ known: true, ...createActivityView(), ...totals })
  })

  it('is read while another thread holds the set', () => {
    const activity = open()
    dial(activity, 3)
    holdAll(activity, true)
    expect(past(activity, CALLER).totalAttempts).toBe(3)
  })

  it.each([CALLER + 1, 0, -1])('is nothing for a key that is not there: %i', (key) => {
    const activity = open()
    dial(activity, 3)
    expect(past(activity, key)).toEqual({ known: false, ...createActivityView() })
  })
})

describe('totals', () => {
  it('are halved together when attempts would pass 65,535', () => {
    const activity = open()
    for (let i = 0; i < 65_535; i++) {
      noteAttempt(activity, CALLER, of, CALLEE, 0, NOW)
      if (i < 40_001) noteEnd(activity, CALLER, of, CALLEE, true, 0, i < 101 ? 60_000 : 0, NOW)
    }
    expect(view(activity)).toMatchObject({ totalAttempts: 65_535, totalAnswered: 40_001, totalLong: 101 })
    noteAttempt(activity, CALLER, of, CALLEE, 0, NOW)
    expect(view(activity)).toMatchObject({ totalAttempts: 32_768, totalAnswered: 20_000, totalLong: 50 })
    expect(view(activity).attempts60).toBe(65_536)
  })

  it('count days, at most 255', () => {
    const activity = open()
    for (let day = 0; day < 254; day++) dial(activity, 1, NOW + day * 1_440 * MINUTE)
    expect(view(activity).days).toBe(254)
    for (let day = 254; day < 260; day++) dial(activity, 1, NOW + day * 1_440 * MINUTE)
    expect(view(activity)).toMatchObject({ days: 255, firstSeenMs: NOW })
  })
})

describe('a table that is full', () => {
  it('evicts the key of a set that was not seen for longest, and no other', () => {
    const activity = open(12) // one set of 15
    expect(activity.sets).toBe(1)
    for (let i = 1; i <= 15; i++) dial(activity, 1, NOW + i * MINUTE, CALLER + i)
    dial(activity, 1, NOW + 20 * MINUTE, CALLER + 1)
    dial(activity, 1, NOW + 21 * MINUTE, CALLER + 16)
    const known = (i: number) => view(activity, CALLER + i).known
    expect(known(2)).toBe(false)
    for (const i of [1, 3, 4, 15, 16]) expect(known(i)).toBe(true)
  })

  it.each([0, 5, 14])('keeps a caller whose own callees fill it within a minute, after %i other keys', (before) => {
    const activity = open(12) // one set of 15
    for (let i = 1; i <= before; i++) dial(activity, 1, NOW, CALLER + i)
    for (let call = 0; call < 55; call++) {
      const nowMs = NOW + (call + 1) * 1_000
      noteAttempt(activity, CALLER, of, CALLEE + call * 10, 1, nowMs)
      noteAttempt(activity, CALLEE + call * 10, ACTIVITY_OF.callee, CALLER, 1, nowMs)
    }
    expect(view(activity, CALLER, NOW + MINUTE)).toMatchObject({ attempts60: 55, totalAttempts: 55 })
  })

  it('keeps the newest keys of a flood of strangers', () => {
    const activity = open(1_000)
    for (let i = 0; i < 20_000; i++) noteAttempt(activity, CALLER + i, of, CALLEE, 0, NOW + i * 1_000)
    let known = 0
    for (let i = 19_700; i < 20_000; i++) if (view(activity, CALLER + i).known) known++
    expect(known).toBe(300)
  })

  it.each([
    [12, 9],
    [30, 9],
    [250, 5],
  ])('evicts the key not seen for longest when blocks for %i attempts run out', (n, keys) => {
    const activity = open(12)
    for (let i = 0; i < keys; i++) dial(activity, n, NOW + i * MINUTE, CALLER + i)
    expect(view(activity, CALLER).known).toBe(false)
    for (let i = 1; i < keys; i++) expect(view(activity, CALLER + i, NOW + i * MINUTE).attempts60).toBe(n)
    expect(activityLosses(activity).overruns).toBe(0)
  })

  it('takes blocks of keys idle for an hour first, and these keep what they were', () => {
    const activity = open(12)
    for (let i = 0; i < 8; i++) dial(activity, 12, NOW, CALLER + i)
    dial(activity, 12, NOW + 62 * MINUTE, CALLER + 8)
    for (let i = 0; i < 8; i++) expect(view(activity, CALLER + i)).toMatchObject({ known: true, totalAttempts: 12 })
  })

  it.each([12, 30, 300])('gives blocks back when a caller has become quiet (%i attempts)', (count) => {
    const activity = open()
    const blocks = () => [1, 2, 3].map((size) => ownedBlocks(activity, size))
    dial(activity, count)
    expect(blocks().reduce((sum, owned) => sum + owned, 0)).toBe(1)
    dial(activity, 1, NOW + 30 * MINUTE)
    dial(activity, 1, NOW + 59 * MINUTE)
    dial(activity, 1, NOW + 89 * MINUTE)
    expect(view(activity, CALLER, NOW + 89 * MINUTE)).toMatchObject({ attempts60: 3, totalAttempts: count + 3 })
    // A sketch stays until an hour has passed without a call.
    expect(blocks()).toEqual([0, 0, count === 300 ? 1 : 0])
    dial(activity, 1, NOW + 149 * MINUTE)
    expect(blocks()).toEqual([0, 0, 0])
  })

  it('finds a block again that was given back while the stack was locked', () => {
    const activity = open(12)
    const lock = POOLS + POOL_WORDS
    dial(activity, 12)
    activity.words[lock] = 1 // as another thread that holds it
    dial(activity, 1, NOW + 62 * MINUTE)
    expect(ownedBlocks(activity, 1)).toBe(1)
    activity.words[lock] = 0
    const callers = Array.from({ length: activity.poolCount[1]! }, (_, i) => CALLER + 1 + i)
    for (const caller of callers) dial(activity, 12, NOW + 62 * MINUTE, caller)
    for (const caller of callers) expect(view(activity, caller, NOW + 62 * MINUTE).attempts60).toBe(12)
  })

  it('forgets the oldest attempt when every block is just being used elsewhere', () => {
    const activity = open(150)
    const own = setOf(activity, CALLER)
    for (let i = 1, blocks = 0; blocks < activity.poolCount[1]!; i++) {
      if (setOf(activity, CALLER + i) === own) continue
      dial(activity, 12, NOW, CALLER + i)
      blocks++
    }
    for (let i = 0; i < 9; i++) noteAttempt(activity, CALLER, of, CALLEE + i * 10, 0, NOW + i * MINUTE)
    holdAll(activity, true)
    activity.words[lineOf(own)] = 0
    noteAttempt(activity, CALLER, of, CALLEE + 90, 0, NOW + 9 * MINUTE)
    expect(activityLosses(activity).overruns).toBe(1)
    expect(view(activity, CALLER, NOW + 59 * MINUTE)).toMatchObject({ attempts60: 9, totalAttempts: 10 })
    expect(view(activity, CALLER, NOW + 60 * MINUTE)).toMatchObject({ attempts60: 9 }) // the first is not among them
  })

  it('has bounds', () => {
    expect(() => createActivity(ACTIVITY_MAX + 1)).toThrow(RangeError)
    expect(() => createActivity(-1)).toThrow(RangeError)
    dial(open(0), 1_000)
  })
})

function ownedBlocks(activity: Activity, size: number): number {
  const { words, poolAt, poolCount } = activity
  const owners = Array.from({ length: poolCount[size]! }, (_, i) => words[poolAt[size]! + i * BLOCK_WORDS[size]!])
  return owners.filter((owner) => owner !== 0).length
}

function setOf(activity: Activity, key: number): number {
  readActivity(activity, key, of, NOW, createActivityView())
  return activity.row.set
}

describe('a set that another thread holds', () => {
  it('keeps events waiting, in order, and counts them with the next event', () => {
    const activity = open()
    dial(activity, 1)
    holdAll(activity, true)
    noteAttempt(activity, CALLER, of, CALLEE + 1, 5, NOW)
    expect(noteEnd(activity, CALLER, of, CALLEE + 1, true, 0, 65_000, NOW)).toBe(true)
    noteAttempt(activity, CALLER, 1, CALLEE, 5, NOW)
    expect(noteCallerEnd(activity, CALLER, CALLEE, false, 1_000, 0, NOW)).toBe(0)
    expect(view(activity).known).toBe(false)
    expect(flushActivity(activity)).toBe(false)
    holdAll(activity, false)
    noteAttempt(activity, CALLER, of, CALLEE + 2, 5, NOW)
    expect(view(activity)).toMatchObject({ attempts60: 3, ended60: 1, long60: 1, sequential60: 2 })
    expect(view(activity, CALLER, NOW, 1)).toMatchObject({ attempts60: 1, ended60: 1, oneRing60: 1 })
    expect(flushActivity(activity)).toBe(true)
  })

  it('keeps as many as there is room for, and counts what it had to give up', () => {
    const activity = open()
    holdAll(activity, true)
    for (let i = 0; i < PENDING_MAX; i++) noteAttempt(activity, CALLER, of, CALLEE, 0, NOW)
    expect(activityLosses(activity).lost).toBe(0)
    noteAttempt(activity, CALLER, of, CALLEE, 0, NOW)
    expect(activityLosses(activity).lost).toBe(1)
    holdAll(activity, false)
    expect(view(activity).attempts60).toBe(PENDING_MAX)
  })
})
