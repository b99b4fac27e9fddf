/**
 * The full decision without a transport: nanoseconds and bytes of heap per call, with every signal of the default policy, over
 * real shared memory and a real LMDB.
 *
 *   npx tsc && node dist/bench/micro/screen.js [--full | --quick] [--default-sizes] [--only=<kind>] [--compare]
 *
 * ```
 *               listed        reported    active callers    subscribers called
 *   --full      10 M          100,000     1 M               1 M
 *               1 M           10,000      100,000           100,000
 *   --quick     100,000       1,000       10,000            10,000
 * ```
 * The world is made as it would have come about: active callers (three to a block of 100 numbers; one in ten listed, one in
 * ten reported) have called within the last hour, most of them a few times, some tens, a few hundreds of times; nine in
 * ten were also seen two days before, so the rest are strangers. Every call is one of an active caller and a subscriber, both
 * drawn evenly (seeded), so hardly any line of memory of a call is in a cache. The clock moves on by two milliseconds a
 * call (in smaller worlds by more), so that active callers go on as they did.
 * Memory is sized as an operator would for the full world, or by --default-sizes as the configuration does.
 *
 * `ns` is time on the clock, `cpuNs` processor time of the process: on a machine that others use too the second is what a call
 * costs. Kinds of calls are interleaved round by round, so that a slow moment of the machine hits all of them. `again` is the same
 * call asked a second time (memory of recent calls); `new caller` was never seen before. With --compare each kind is also
 * measured with every look-up in LMDB, as it was before docs/adr/0011.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Call } from '../../src/domain/call-event.ts'
import { ALLOW } from '../../src/domain/verdict.ts'
import { createDecision } from '../../src/engine/decision.ts'
import { inlineFurther } from '../../src/processes/inline-further.ts'
import { drainRecords } from '../../src/shm/decision-ring.ts'
import { rotatePairs } from '../../src/shm/pairs.ts'
import { machine } from '../lib/record-result.ts'
import { seededRandom } from '../lib/seeded-random.ts'
import { round, summarize } from '../lib/stats.ts'
import { fillStore, numbersOf, openScreeningLoad, type Scale, trunkOf } from './screening-load.ts'

const has = (option: string) => process.argv.includes(option)
const SHARE = has('--full') ? 1 : has('--quick') ? 0.01 : 0.1
const SCALE: Scale = { listed: 10_000_000 * SHARE, reported: 100_000 * SHARE, active: 1_000_000 * SHARE }
const ONLY = process.argv.find((argument) => argument.startsWith('--only='))?.slice('--only='.length)
const WARM_ROUNDS = 6
const ROUNDS = 41
const CALLS_PER_ROUND = 10_000
/** The ring of decisions holds four times as many. */
const SLICE = 2_000
/** So that an active caller makes two calls an hour on average, however many there are. */
const MS_BETWEEN_CALLS = 2 / SHARE
const START_MS = Date.now()

const directory = mkdtempSync(path.join(tmpdir(), 'zaslon-bench-screen-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
setFlagsFromString('--expose-gc')
inlineFurther() // as a verdict process does
const collectGarbage: () => void = runInNewContext('gc')

const say = (text: string) => console.error(`${Math.round(performance.now() / 1_000)} s: ${text}`)
await fillStore(directory, SCALE)
say('the store is filled')
const { screener, behaviour, ring, askLmdb, close } = await openScreeningLoad(
  directory,
  SCALE,
  START_MS,
  has('--default-sizes'),
)
say('the memory is filled')

const numbers = numbersOf(SCALE)
const random = seededRandom(1)
const decision = createDecision()
const call: Call = {
  caller: 79_160_000_002,
  callee: 79_031_112_233,
  redirecting: -1,
  trunk: 0,
  ingress: 2,
  attestation: 0,
  verstat: 0,
  originating: 0,
  roaming: 0,
  treatment: 0,
  callHashLow: 0,
  callHashHigh: 0,
  nowMs: START_MS,
  deadlineMs: START_MS + 50,
}
const CALL_IDS = Array.from({ length: 64 }, (_, index) => `3848276298220188511-${index}@192.0.2.1`)

// Made before a slice is timed: the numbers of its calls.
const callers = new Float64Array(SLICE)
const callees = new Float64Array(SLICE)
const trunks = new Uint8Array(SLICE)
let made = 0

type Kind = {
  readonly caller: (index: number) => number
  readonly hasCallId: boolean
  readonly isAgain?: true
  readonly inLmdb?: true
}
const kinds: Record<string, Kind> = {
  'unlisted caller, no call id': { caller: numbers.unlisted, hasCallId: false },
  'unlisted caller': { caller: numbers.unlisted, hasCallId: true },
  'new caller': { caller: () => numbers.fresh(made++), hasCallId: true },
  'listed caller': { caller: numbers.listed, hasCallId: true },
  'reported caller': { caller: numbers.reported, hasCallId: true },
  again: { caller: () => 79_160_000_002, hasCallId: true, isAgain: true },
}

const drained = new Uint8Array(8_192 * 128)

/** `suspicious`: share of calls that are flagged or blocked. */
type Round = { readonly wall: number; readonly cpu: number; readonly suspicious: number }

/** One round of calls; in slices, so that the ring is emptied as in a verdict process. */
function run({ caller, hasCallId, isAgain, inLmdb }: Kind): Round {
  if (has('--compare')) askLmdb(inLmdb === true)
  let wall = 0
  let cpu = 0
  let suspicious = 0
  for (let done = 0; done < CALLS_PER_ROUND; done += SLICE) {
    for (let index = 0; index < SLICE; index++) {
      callers[index] = caller(Math.floor(random() * SCALE.active))
      trunks[index] = trunkOf(callers[index] ?? 0)
      callees[index] = isAgain ? 79_031_112_233 : numbers.subscriber(Math.floor(random() * SCALE.active))
    }
    rotatePairs(behaviour.pairs, call.nowMs)
    const cpuStart = process.cpuUsage()
    const start = process.hrtime.bigint()
    for (let index = 0; index < SLICE; index++) {
      call.caller = callers[index] ?? 0
      call.callee = callees[index] ?? 0
      call.trunk = trunks[index] ?? 0
      if (!isAgain) {
        call.nowMs += MS_BETWEEN_CALLS
        call.deadlineMs = call.nowMs + 50
      }
      if (hasCallId) screener.hashCall(call, isAgain ? 'again' : (CALL_IDS[index & 63] ?? ''))
      else {
        call.callHashLow = 0
        call.callHashHigh = 0
      }
      screener.screen(call, decision)
      if (decision.verdict !== ALLOW) suspicious++
    }
    wall += Number(process.hrtime.bigint() - start)
    const { user, system } = process.cpuUsage(cpuStart)
    cpu += (user + system) * 1_000
    drainRecords(ring, drained)
  }
  return { wall: wall / CALLS_PER_ROUND, cpu: cpu / CALLS_PER_ROUND, suspicious: suspicious / CALLS_PER_ROUND }
}

const chosen = Object.entries(kinds).filter(([kind]) => ONLY === undefined || kind === ONLY)
const measured = chosen.flatMap(([kind, calls]): [string, Kind][] => {
  return has('--compare')
    ? [
        [kind, calls],
        [`${kind}, LMDB`, { ...calls, inLmdb: true }],
      ]
    : [[kind, calls]]
})
const times = new Map(measured.map(([kind]) => [kind, [] as Round[]]))
for (let turn = -WARM_ROUNDS; turn < ROUNDS; turn++) {
  for (const [kind, calls] of measured) {
    const ns = run(calls)
    if (turn >= 0) times.get(kind)?.push(ns)
  }
}

function heapBytesPerCall(calls: Kind): number {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  run(calls)
  return (process.memoryUsage().heapUsed - before) / CALLS_PER_ROUND
}

const results = measured.map(([kind, calls]) => {
  const rounds = times.get(kind) ?? []
  const wall = summarize(rounds.map((ns) => ns.wall))
  const cpu = summarize(rounds.map((ns) => ns.cpu))
  return {
    kind,
    rounds: rounds.length,
    minNs: round(wall.min),
    medianNs: round(wall.median),
    cpuMinNs: round(cpu.min),
    cpuMedianNs: round(cpu.median),
    suspicious: round(summarize(rounds.map((ns) => ns.suspicious)).median),
    heapBytes: round(heapBytesPerCall(calls)),
  }
})
const { listed, reported, active } = SCALE
console.log(
  `${listed} listed, ${reported} reported, ${active} active; ${CALLS_PER_ROUND} calls a round; ns per decision`,
)
console.table(results)
console.log(JSON.stringify({ bench: 'screen', ...SCALE, results, ...machine() }))
await close()
