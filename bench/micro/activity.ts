/**
 * Activity of callers: nanoseconds to read a caller's row and count one attempt, against a Map of plain objects that does
 * the same work (whole-minute counts, distinct callees); the three rows of a call; what others tell of a row; a snapshot.
 *
 * Cold: callers in seeded random order over all of them, each a miss of the cache, with three attempts an hour; warm: 1,000
 * callers in turn, three attempts an hour each; frequent: 1,000 with 15; busy: 20 with 10,000 callees an hour each, which have
 * a sketch. The Map keeps no more than the last 8 attempts of a caller and lives in one thread: it is what one would write first.
 */
import {
  ACTIVITY_OF,
  aimRows,
  createActivity,
  createActivityView,
  fetchHeads,
  fetchLists,
  fetchSets,
  noteAttempt,
  openActivity,
  readActivity,
  readAndNoteAttempt,
  readAndNoteRow,
} from '../../src/shm/activity.ts'
import { activityFromBytes, activityToBytes } from '../../src/shm/activity-snapshot.ts'
import { createActivityCollector } from '../../src/shm/activity-summary.ts'
import {
  addRemoteActivity,
  createRemoteActivity,
  hearSource,
  noteRows,
  openRemoteActivity,
} from '../../src/shm/remote-activity.ts'
import { seededRandom } from '../lib/seeded-random.ts'
import type { PartResult } from '../suite/part.ts'
import { assertSame, cell, foldAnswer, NO_ANSWERS, type Side, type SideRounds, timeSides } from './sides.ts'

const SEED = 20_260_314
const BUSY_CALLERS = 20
const BUSY_CALLEES = 10_000
const START = Date.UTC(2026, 2, 14, 12, 0)
const OF = ACTIVITY_OF.caller + 2
const MAP_ATTEMPTS = 8

export type ActivityOptions = { readonly callers: number; readonly calls: number; readonly rounds: number }

/** Reads and counts a call of each key from `startMs` on, and returns the hash of what was read. */
type Counting = (keys: Float64Array, callees: Float64Array, startMs: number, stepMs: number) => number

/** In an order that is not that of the table. */
function callerAt(index: number, callers: number): number {
  return 79_000_000_000 + ((index * 7_919) % callers) * 991
}

function separately(callers: number): Counting {
  const activity = openActivity(createActivity(callers))
  const view = createActivityView()
  return (keys, callees, startMs, stepMs) => {
    let answers = NO_ANSWERS
    for (let i = 0; i < keys.length; i++) {
      const nowMs = startMs + i * stepMs
      readActivity(activity, keys[i]!, OF, nowMs, view)
      noteAttempt(activity, keys[i]!, OF, callees[i]!, 1, nowMs)
      answers = foldAnswer(answers, view.attempts60 + view.others60)
    }
    return answers
  }
}

function inOne(callers: number): Counting {
  const activity = openActivity(createActivity(callers))
  const view = createActivityView()
  return (keys, callees, startMs, stepMs) => {
    let answers = NO_ANSWERS
    for (let i = 0; i < keys.length; i++) {
      readAndNoteAttempt(activity, keys[i]!, OF, callees[i]!, 1, startMs + i * stepMs, view)
      answers = foldAnswer(answers, view.attempts60 + view.others60)
    }
    return answers
  }
}

type Row = { first: number; last: number; total: number; minutes: number[]; callees: number[] }

function mapOfObjects(): Counting {
  const rows = new Map<number, Row>()
  return (keys, callees, startMs, stepMs) => {
    let answers = NO_ANSWERS
    for (let i = 0; i < keys.length; i++) {
      answers = foldAnswer(answers, countInMap(rows, keys[i]!, callees[i]!, startMs + i * stepMs))
    }
    return answers
  }
}

function countInMap(rows: Map<number, Row>, key: number, callee: number, nowMs: number): number {
  const minute = Math.floor(nowMs / 60_000)
  let row = rows.get(key)
  let seen = 0
  if (row) {
    const { minutes, callees } = row
    for (let i = 0; i < minutes.length; i++) {
      if (minute - (minutes[i] ?? 0) >= 60) continue
      seen++
      if (callees.lastIndexOf(callees[i] ?? 0) === i) seen++
    }
  } else {
    row = { first: nowMs, last: nowMs, total: 0, minutes: [], callees: [] }
    rows.set(key, row)
  }
  row.last = nowMs
  row.total++
  row.minutes.push(minute)
  row.callees.push(callee)
  if (row.minutes.length > MAP_ATTEMPTS) {
    row.minutes.shift()
    row.callees.shift()
  }
  return seen
}

export async function measureActivity(options: ActivityOptions): Promise<PartResult> {
  const rows = await timeRows(options)
  const calls = await timeCalls(options)
  const remote = await timeRemote(options)
  const snapshot = timeSnapshot(options.callers)
  const count = options.callers.toLocaleString('en-US')
  const times = (results: Record<string, SideRounds>) =>
    Object.fromEntries(Object.entries(results).map(([name, { ns }]) => [name, ns]))
  return {
    measured: {},
    tables: [
      {
        title: `Activity: a caller's row read and the call counted, ns, ${count} active callers, ${options.rounds} rounds in turn`,
        head: ['callers', 'in one', 'read, then counted', 'Map of objects'],
        rows: Object.entries(rows).map(([kind, { one, two, map }]) => [kind, cell(one.ns), cell(two.ns), cell(map.ns)]),
        note:
          'Median and range. Cold: any of all; warm, frequent: 1,000 in turn with 3 and 15 attempts an hour; busy: 20 with 10,000 callees an hour. The ' +
          'Map keeps the last 8 attempts of a caller, so it answers less for those with more; the other two answer alike.',
      },
      {
        title: 'Activity: more of a call, ns',
        head: ['', 'ns'],
        rows: [
          ['three rows of a call, all cold, row by row', cell(calls.rowByRow.ns)],
          ['each read and counted in one', cell(calls.inOne.ns)],
          ['fetched ahead together, as a decision does', cell(calls.fetched.ns)],
          ['what others tell of a row, when they tell nothing', cell(remote.absent.ns)],
          ['when three others do', cell(remote.present.ns)],
        ],
        note: `A snapshot of ${count} rows has ${snapshot.bytes.toLocaleString('en-US')} bytes and takes ${Math.round(snapshot.toBytesMs)} ms, to open it ${Math.round(snapshot.fromBytesMs)} ms.`,
      },
    ],
    raw: {
      seed: SEED,
      ...options,
      rows: Object.fromEntries(Object.entries(rows).map(([kind, results]) => [kind, times(results)])),
      threeRows: times(calls),
      remote: times(remote),
      snapshot,
    },
  }
}

async function timeRows({ callers, calls, rounds }: ActivityOptions) {
  const random = seededRandom(SEED)
  const turns = Float64Array.from({ length: calls }, (_, i) => callerAt(i % 1_000, callers))
  const callees = Float64Array.from({ length: calls }, () => 79_310_000_000 + Math.floor(random() * 1e7))
  /** Callers in their order, and how much later each call is than the one before it, in ms. */
  const kinds = {
    cold: {
      keys: Float64Array.from({ length: calls }, () => callerAt(Math.floor(random() * callers), callers)),
      stepMs: (20 * 60_000) / callers,
    },
    warm: { keys: turns, stepMs: 20 * 60 },
    frequent: { keys: turns, stepMs: 4 * 60 },
    busy: {
      keys: Float64Array.from({ length: calls }, (_, i) => 74_950_000_000 + (i % BUSY_CALLERS)),
      stepMs: 3_600_000 / (BUSY_CALLERS * BUSY_CALLEES),
    },
  }
  const everybody = Float64Array.from({ length: callers }, (_, i) => callerAt(i, callers))
  const first = Float64Array.from({ length: callers }, (_, i) => 79_310_000_000 + i)
  const results: Record<string, Record<'one' | 'two' | 'map', SideRounds>> = {}
  for (const [kind, { keys, stepMs }] of Object.entries(kinds)) {
    // Tables of their own, because time passes at another pace in each.
    const sideOf = (counting: Counting): Side => {
      if (kind === 'cold') counting(everybody, first, START, 0)
      return { count: calls, work: (turn) => counting(keys, callees, START + (turn + 1) * calls * stepMs, stepMs) }
    }
    const sides = { one: sideOf(inOne(callers)), two: sideOf(separately(callers)), map: sideOf(mapOfObjects()) }
    results[kind] = await timeSides(sides, rounds)
    assertSame(`activity, ${kind}`, results[kind].one, results[kind].two)
  }
  return results
}

/** The three rows of a call (caller, callee, block of the caller) of as many callers, callees and blocks, all cold. */
async function timeCalls({ callers, calls, rounds }: ActivityOptions) {
  const activity = openActivity(createActivity(3 * callers))
  const views = [createActivityView(), createActivityView(), createActivityView()] as const
  const random = seededRandom(SEED)
  const callee = (index: number) => 78_000_000_000 + ((index * 104_729) % callers) * 997
  const block = (key: number) => Math.floor(key / 100)
  let nowMs = START
  for (let i = 0; i < callers; i++) {
    const from = callerAt(i, callers)
    noteAttempt(activity, from, OF, callee(i), 1, nowMs)
    noteAttempt(activity, callee(i), ACTIVITY_OF.callee, from, 1, nowMs)
    noteAttempt(activity, block(from), ACTIVITY_OF.block, from, 1, nowMs)
  }
  const rowByRow = (from: number, to: number) => {
    readActivity(activity, from, OF, nowMs, views[0])
    readActivity(activity, to, ACTIVITY_OF.callee, nowMs, views[1])
    readActivity(activity, block(from), ACTIVITY_OF.block, nowMs, views[2])
    noteAttempt(activity, from, OF, to, 1, nowMs)
    noteAttempt(activity, to, ACTIVITY_OF.callee, from, 1, nowMs)
    noteAttempt(activity, block(from), ACTIVITY_OF.block, from, 1, nowMs)
  }
  const readAndNote = (from: number, to: number) => {
    readAndNoteAttempt(activity, from, OF, to, 1, nowMs, views[0])
    readAndNoteAttempt(activity, to, ACTIVITY_OF.callee, from, 1, nowMs, views[1])
    readAndNoteAttempt(activity, block(from), ACTIVITY_OF.block, from, 1, nowMs, views[2])
  }
  const fetched = (from: number, to: number) => {
    const { rows } = activity
    const seconds = (nowMs / 1_000) >>> 0
    aimRows(activity, from, OF, to, block(from))
    fetchSets(activity)
    fetchHeads(activity, seconds)
    fetchLists(activity)
    readAndNoteRow(activity, rows.outgoing, rows.callee, 1, seconds, views[0])
    readAndNoteRow(activity, rows.called, rows.caller, 1, seconds, views[1])
    readAndNoteRow(activity, rows.block, rows.caller, 1, seconds, views[2])
  }
  const sideOf = (call: (from: number, to: number) => void): Side => ({
    count: calls,
    work() {
      for (let i = 0; i < calls; i++) {
        call(callerAt(Math.floor(random() * callers), callers), callee(Math.floor(random() * callers)))
        nowMs += 1_200_000 / callers
      }
      return views[0].attempts60
    },
  })
  return timeSides({ rowByRow: sideOf(rowByRow), inOne: sideOf(readAndNote), fetched: sideOf(fetched) }, rounds)
}

/** What a row costs that nobody else told of, and one that three others told of, among 60,000. */
async function timeRemote({ callers, calls, rounds }: ActivityOptions) {
  const remote = openRemoteActivity(createRemoteActivity(65_536))
  for (const serial of [64, 65, 66]) {
    const activity = openActivity(createActivity(50_000))
    const collector = createActivityCollector(activity)
    for (let first = 0; first < 20_000; first += 1_000) {
      for (let i = 0; i < 4_000; i++) {
        noteAttempt(activity, callerAt(first + (i % 1_000), callers), OF, 79_310_000_000 + i, 1, START)
      }
      noteRows(remote, serial, collector.collect(START, 1_000), START)
    }
    hearSource(remote, serial, START)
  }
  const view = createActivityView()
  const random = seededRandom(SEED)
  const sideOf = (base: number): Side => ({
    count: calls,
    work() {
      let told = 0
      for (let i = 0; i < calls; i++) {
        const key = callerAt(base + Math.floor(random() * 20_000), callers)
        if (addRemoteActivity(remote, key, OF, START, view)) told++
      }
      return told
    },
  })
  return timeSides({ absent: sideOf(20_000), present: sideOf(0) }, rounds)
}

function timeSnapshot(callers: number) {
  const activity = openActivity(createActivity(callers))
  for (let i = 0; i < callers; i++) noteAttempt(activity, callerAt(i, callers), OF, 79_310_000_000 + i, 1, START)
  const startMs = performance.now()
  const bytes = activityToBytes(activity)
  const middleMs = performance.now()
  activityFromBytes(bytes, callers)
  return { bytes: bytes.byteLength, toBytesMs: middleMs - startMs, fromBytesMs: performance.now() - middleMs }
}
