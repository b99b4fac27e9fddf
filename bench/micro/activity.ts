/**
 * Activity of callers: nanoseconds to read a caller's row and count one attempt, against a Map of plain objects that does
 * the same work (whole-minute counts, distinct callees), at 1 M active callers (--quick: 100,000).
 *
 *   npx tsc && node dist/bench/micro/activity.js [--quick]
 *
 * Contenders are interleaved round by round. Cold: callers in seeded random order over all of them, each a miss of the
 * cache, with three attempts an hour; warm: 1,000 callers in turn, three attempts an hour each; frequent: 1,000 with 15;
 * busy: 20 with 10,000 callees an hour each, which have a sketch. The Map keeps no more than the last 8 attempts of a caller
 * and lives in one thread: it is what one would write first.
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
import { machine } from '../lib/record-result.ts'
import { round, summarize } from '../lib/stats.ts'

const SEED = 20_260_314
const CALLERS = process.argv.includes('--quick') ? 100_000 : 1_000_000
const ROUNDS = 9
const CALLS = 100_000
const BUSY_CALLERS = 20
const BUSY_CALLEES = 10_000
const START = Date.UTC(2026, 2, 14, 12, 0)
const OF = ACTIVITY_OF.caller + 2

const random = mulberry32(SEED)
/** In an order that is not that of the table. */
const caller = (index: number) => 79_000_000_000 + ((index * 7_919) % CALLERS) * 991

type Contender = {
  readonly name: string
  readonly call: (key: number, callee: number, nowMs: number) => number
}

function ours(): Contender {
  const activity = openActivity(createActivity(CALLERS))
  const view = createActivityView()
  return {
    name: 'activity',
    call(key, callee, nowMs) {
      readActivity(activity, key, OF, nowMs, view)
      noteAttempt(activity, key, OF, callee, 1, nowMs)
      return view.attempts60 + view.others60
    },
  }
}

function oursInOne(): Contender {
  const activity = openActivity(createActivity(CALLERS))
  const view = createActivityView()
  return {
    name: 'activity, in one',
    call(key, callee, nowMs) {
      readAndNoteAttempt(activity, key, OF, callee, 1, nowMs, view)
      return view.attempts60 + view.others60
    },
  }
}

type Row = { first: number; last: number; total: number; minutes: number[]; callees: number[] }

function mapOfObjects(): Contender {
  const rows = new Map<number, Row>()
  return {
    name: 'Map of objects',
    call(key, callee, nowMs) {
      const minute = Math.floor(nowMs / 60_000)
      let row = rows.get(key)
      let attempts = 0
      let others = 0
      if (row) {
        const { minutes, callees } = row
        for (let i = 0; i < minutes.length; i++) {
          if (minute - (minutes[i] ?? 0) >= 60) continue
          attempts++
          if (callees.lastIndexOf(callees[i] ?? 0) === i) others++
        }
      } else {
        row = { first: nowMs, last: nowMs, total: 0, minutes: [], callees: [] }
        rows.set(key, row)
      }
      row.last = nowMs
      row.total++
      row.minutes.push(minute)
      row.callees.push(callee)
      if (row.minutes.length > 8) {
        row.minutes.shift()
        row.callees.shift()
      }
      return attempts + others
    },
  }
}

function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

const cold = Float64Array.from({ length: CALLS }, () => caller(Math.floor(random() * CALLERS)))
const turns = Float64Array.from({ length: CALLS }, (_, i) => caller(i % 1_000))
const busy = Float64Array.from({ length: CALLS }, (_, i) => 74_950_000_000 + (i % BUSY_CALLERS))
const callees = Float64Array.from({ length: CALLS }, () => 79_310_000_000 + Math.floor(random() * 1e7))

/** Callers in their order, and how much later each call is than the one before it, in ms. */
const KINDS = {
  cold: { keys: cold, stepMs: (20 * 60_000) / CALLERS },
  warm: { keys: turns, stepMs: 20 * 60 },
  frequent: { keys: turns, stepMs: 4 * 60 },
  busy: { keys: busy, stepMs: 3_600_000 / (BUSY_CALLERS * BUSY_CALLEES) },
}
type Kind = keyof typeof KINDS
const kinds = Object.keys(KINDS) as Kind[]

/** Nanoseconds per call. The sum is printed, so that no engine can drop the loop. */
function time({ call }: Contender, kind: Kind, turn: number): { ns: number; sum: number } {
  const { keys, stepMs } = KINDS[kind]
  const startMs = START + turn * CALLS * stepMs
  let sum = 0
  const start = process.hrtime.bigint()
  for (let i = 0; i < CALLS; i++) sum += call(keys[i] ?? 0, callees[i] ?? 0, startMs + i * stepMs)
  return { ns: Number(process.hrtime.bigint() - start) / CALLS, sum }
}

/** A table per kind, because time passes at another pace in each. */
const contenders = [ours, oursInOne, mapOfObjects].map((make) => {
  const tables = { cold: make(), warm: make(), frequent: make(), busy: make() }
  for (let i = 0; i < CALLERS; i++) tables.cold.call(caller(i), 79_310_000_000 + i, START)
  return {
    name: tables.cold.name,
    tables,
    times: { cold: [], warm: [], frequent: [], busy: [] } as Record<Kind, number[]>,
  }
})
let sink = 0
for (let turn = 0; turn < ROUNDS + 2; turn++) {
  for (const { tables, times } of contenders) {
    for (const kind of kinds) {
      const { ns, sum } = time(tables[kind], kind, turn)
      sink += sum
      if (turn >= 2) times[kind].push(ns)
    }
  }
}

function spread(values: readonly number[]) {
  const { n, min, median, p99, max } = summarize(values)
  return { n, min: round(min), median: round(median), p99: round(p99), max: round(max) }
}

function timeSnapshot() {
  const activity = openActivity(createActivity(CALLERS))
  for (let i = 0; i < CALLERS; i++) noteAttempt(activity, caller(i), OF, 79_310_000_000 + i, 1, START)
  const begin = process.hrtime.bigint()
  const bytes = activityToBytes(activity)
  const middle = process.hrtime.bigint()
  activityFromBytes(bytes, CALLERS)
  const end = process.hrtime.bigint()
  return {
    keys: CALLERS,
    bytes: bytes.byteLength,
    toBytesMs: Number(middle - begin) / 1e6,
    fromBytesMs: Number(end - middle) / 1e6,
  }
}

/** The three rows of a call (caller, callee, block of the caller) of as many callers, callees and blocks, all cold. */
function timeCalls() {
  const activity = openActivity(createActivity(3 * CALLERS))
  const views = [createActivityView(), createActivityView(), createActivityView()] as const
  const callee = (index: number) => 78_000_000_000 + ((index * 104_729) % CALLERS) * 997
  const block = (key: number) => Math.floor(key / 100)
  let nowMs = START
  for (let i = 0; i < CALLERS; i++) {
    noteAttempt(activity, caller(i), OF, callee(i), 1, nowMs)
    noteAttempt(activity, callee(i), ACTIVITY_OF.callee, caller(i), 1, nowMs)
    noteAttempt(activity, block(caller(i)), ACTIVITY_OF.block, caller(i), 1, nowMs)
  }
  const rowByRow = (from: number, to: number) => {
    readActivity(activity, from, OF, nowMs, views[0])
    readActivity(activity, to, ACTIVITY_OF.callee, nowMs, views[1])
    readActivity(activity, block(from), ACTIVITY_OF.block, nowMs, views[2])
    noteAttempt(activity, from, OF, to, 1, nowMs)
    noteAttempt(activity, to, ACTIVITY_OF.callee, from, 1, nowMs)
    noteAttempt(activity, block(from), ACTIVITY_OF.block, from, 1, nowMs)
  }
  const inOne = (from: number, to: number) => {
    readAndNoteAttempt(activity, from, OF, to, 1, nowMs, views[0])
    readAndNoteAttempt(activity, to, ACTIVITY_OF.callee, from, 1, nowMs, views[1])
    readAndNoteAttempt(activity, block(from), ACTIVITY_OF.block, from, 1, nowMs, views[2])
  }
  const fetchedInOne = (from: number, to: number) => {
    const { rows } = activity
    const seconds = (nowMs / 1_000) >>> 0
    aimRows(activity, from, OF, to, block(from))
    fetchSets(activity)
    fetchHeads(activity)
    fetchLists(activity)
    readAndNoteRow(activity, rows.outgoing, rows.callee, 1, seconds, views[0])
    readAndNoteRow(activity, rows.called, rows.caller, 1, seconds, views[1])
    readAndNoteRow(activity, rows.block, rows.caller, 1, seconds, views[2])
  }
  const ways = { rowByRow, inOne, fetchedInOne }
  const times: Record<string, number[]> = { rowByRow: [], inOne: [], fetchedInOne: [] }
  for (let turn = -2; turn < ROUNDS; turn++) {
    for (const [name, call] of Object.entries(ways)) {
      const start = process.hrtime.bigint()
      for (let i = 0; i < CALLS; i++) {
        call(caller(Math.floor(random() * CALLERS)), callee(Math.floor(random() * CALLERS)))
        nowMs += 1_200_000 / CALLERS
      }
      if (turn >= 0) times[name]?.push(Number(process.hrtime.bigint() - start) / CALLS)
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, spread(values)]))
}

/** What a row costs that nobody else told of, and one that three others told of, among 60,000. */
function timeRemote() {
  const remote = openRemoteActivity(createRemoteActivity(65_536))
  for (const serial of [64, 65, 66]) {
    const activity = openActivity(createActivity(50_000))
    const collector = createActivityCollector(activity)
    for (let first = 0; first < 20_000; first += 1_000) {
      for (let i = 0; i < 4_000; i++)
        noteAttempt(activity, caller(first + (i % 1_000)), OF, 79_310_000_000 + i, 1, START)
      noteRows(remote, serial, collector.collect(START, 1_000), START)
    }
    hearSource(remote, serial, START)
  }
  const view = createActivityView()
  const times: Record<string, number[]> = { absent: [], present: [] }
  for (let turn = -2; turn < ROUNDS; turn++) {
    for (const [name, base] of [
      ['absent', 20_000],
      ['present', 0],
    ] as const) {
      const start = process.hrtime.bigint()
      for (let i = 0; i < CALLS; i++) {
        if (addRemoteActivity(remote, caller(base + Math.floor(random() * 20_000)), OF, START, view)) sink++
      }
      if (turn >= 0) times[name]?.push(Number(process.hrtime.bigint() - start) / CALLS)
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, values]) => [name, spread(values)]))
}

const results = contenders.map(({ name, times }) => ({
  name,
  ns: Object.fromEntries(kinds.map((kind) => [kind, spread(times[kind])])),
}))
const calls = timeCalls()
const remote = timeRemote()
const snapshot = timeSnapshot()
console.log(
  `${CALLERS} active callers, ${ROUNDS} rounds of ${CALLS} calls, median (min..max) ns to read and count one call`,
)
console.table(
  results.map(({ name, ns }) => ({
    name,
    ...Object.fromEntries(kinds.map((kind) => [kind, `${ns[kind]?.median} (${ns[kind]?.min}..${ns[kind]?.max})`])),
  })),
)
console.log('ns for the three rows of a call, all cold')
console.table(calls)
console.log('ns to add what others tell of a row')
console.table(remote)
console.table([snapshot])
console.log(
  JSON.stringify({
    bench: 'activity',
    seed: SEED,
    callers: CALLERS,
    rounds: ROUNDS,
    sink,
    results,
    calls,
    remote,
    snapshot,
    ...machine(),
  }),
)
