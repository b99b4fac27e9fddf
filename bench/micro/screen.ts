/**
 * One decision without a transport: nanoseconds and bytes of heap per call, over real shared memory and a real LMDB with
 * a deny list of 1 M numbers (--quick: 100,000) and 10,000 reported numbers.
 *
 *   npx tsc && node dist/bench/micro/screen.js [--quick]
 *
 * Kinds of calls are interleaved round by round, so that a slow moment of the machine hits all of them. Callers are
 * seeded and never the same twice in a row, so listed and reported callers pay for cold cache lines and pages. `again`
 * is the same call asked a second time (memory of recent calls).
 */
import { randomFillSync } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parse } from 'yaml'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { Call } from '../../src/domain/call-event.ts'
import { diallingRules } from '../../src/domain/parse-phone-number.ts'
import { parsePolicy } from '../../src/domain/parse-policy.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { createDecision } from '../../src/engine/decision.ts'
import { createScreener } from '../../src/engine/screen.ts'
import { createSnapshotBuilder } from '../../src/services/build-snapshot.ts'
import { createCounters, openCounters } from '../../src/shm/counters.ts'
import { createDecisionRing, drainRecords, openDecisionRing } from '../../src/shm/decision-ring.ts'
import { createPairs, openPairs, rotatePairs } from '../../src/shm/pairs.ts'
import { createRecentCalls, openRecentCalls } from '../../src/shm/recent-calls.ts'
import { createTraffic, openTraffic } from '../../src/shm/traffic.ts'
import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { openVerdictStore } from '../../src/stores/lmdb/verdict-store.ts'
import { machine } from '../lib/record-result.ts'
import { round, summarize } from '../lib/stats.ts'

const LISTED = process.argv.includes('--quick') ? 100_000 : 1_000_000
const REPORTED = 10_000
const ROUNDS = 21
const CALLS_PER_ROUND = 50_000
const NOW = Date.now()
const ACTOR = 'bench'

const directory = mkdtempSync(path.join(tmpdir(), 'zaslon-bench-screen-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Listed numbers end in 1, reported ones in 3, unknown ones in 5: spread over a country's mobile numbers. */
const listed = (index: number) => 79_000_000_001 + ((index * 7_919) % LISTED) * 990
const reported = (index: number) => 79_000_000_003 + ((index * 7_919) % REPORTED) * 99_000
const unknown = (index: number) => 79_000_000_005 + ((index * 7_919) % 9_999_991) * 90

async function fillStore(): Promise<void> {
  const store = await openRecordStore({ directory })
  const contents = openListContents({ directory, readOnly: false })
  const text = readFileSync(path.join(PACKAGE_DIRECTORY, 'data', 'policy.yaml'), 'utf8')
  await store.putPolicy({ text, document: parsePolicy(parse(text)) }, {}, ACTOR)
  await store.putList({ name: 'deny', kind: 'deny', title: '' }, ACTOR)
  const numbers = Float64Array.from({ length: LISTED }, (_, index) => 79_000_000_001 + index * 990)
  const layerId = await store.allocateLayer()
  const none = new Float64Array(0)
  contents.putLayer(layerId, { numbers, rangesFrom: none, rangesTo: none, dictionary: [] })
  const layers = [{ layerId, numberCount: LISTED, rangeCount: 0 }]
  const { version } = await store.stageVersion('deny', { layers, entryCount: LISTED }, ACTOR)
  await store.activateVersion('deny', version, {}, ACTOR)
  const reports = Array.from({ length: REPORTED * 3 }, (_, index) => ({
    reportId: `r${index}`,
    number: (79_000_000_003 + (index % REPORTED) * 99_000) as PhoneNumber,
    channel: 'app' as const,
    scenario: 'bank' as const,
    reporter: index.toString(16).padStart(32, '0'),
    ingress: 0,
    atMs: NOW,
    receivedMs: NOW,
    weight: 1,
  }))
  for (let at = 0; at < reports.length; at += 1_000) {
    await Promise.all(reports.slice(at, at + 1_000).map((report) => store.appendReport(report, ACTOR)))
  }
  await contents.close()
  await store.close()
}

await fillStore()
const store = await openVerdictStore({ directory })
const builder = createSnapshotBuilder(
  { trunks: [{ name: '', kind: 'unknown', screening: 'enforce', failMode: 'open' }], withGates: true },
  {
    store,
    contents: store.contents,
    readGateFile: async () => undefined,
    onGateRebuilt: () => undefined,
    onRangesRefused: () => undefined,
  },
)
const ring = createDecisionRing(8_192)
const pairs = openPairs(createPairs(2_097_152), Uint32Array.of(5, 6))
rotatePairs(pairs, NOW)
const screener = createScreener(
  { home: diallingRules('RU'), callKey: Uint32Array.of(1, 2), logKey: Uint32Array.of(3, 4), sampleOneIn: 100 },
  {
    lookup: store.lookup,
    counters: openCounters(createCounters(1), 0),
    ring: openDecisionRing(ring),
    recent: openRecentCalls(createRecentCalls(65_536)),
    pairs,
    traffic: openTraffic(createTraffic(65_536)),
    fillRandom: (words) => void randomFillSync(words),
    nowNs: () => performance.now() * 1e6,
    onFailure(error) {
      throw error
    },
  },
)
screener.install(await builder.build())

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
  nowMs: NOW,
  deadlineMs: NOW + 50,
}
const CALL_IDS = Array.from({ length: 64 }, (_, index) => `3848276298220188511-${index}@192.0.2.1`)

const kinds: Record<string, (index: number) => void> = {
  'unknown caller, no call id': (index) => {
    call.caller = unknown(index)
    call.callHashLow = 0
    call.callHashHigh = 0
  },
  'unknown caller': (index) => {
    call.caller = unknown(index)
    screener.hashCall(call, CALL_IDS[index & 63] ?? '')
  },
  'listed caller': (index) => {
    call.caller = listed(index)
    screener.hashCall(call, CALL_IDS[index & 63] ?? '')
  },
  'reported caller': (index) => {
    call.caller = reported(index)
    screener.hashCall(call, CALL_IDS[index & 63] ?? '')
  },
  again: () => {
    call.caller = 79_160_000_002
    screener.hashCall(call, 'again')
  },
}

const drained = new Uint8Array(8_192 * 128)
const reader = openDecisionRing(ring)
let next = 0
let verdicts = 0

/** One round of calls; in slices, so that the ring is emptied as in a verdict process. */
function run(prepare: (index: number) => void): number {
  let elapsed = 0
  for (let slice = 0; slice < CALLS_PER_ROUND; slice += 5_000) {
    const start = process.hrtime.bigint()
    for (let index = 0; index < 5_000; index++) {
      prepare(next++)
      screener.screen(call, decision)
      verdicts += decision.verdict
    }
    elapsed += Number(process.hrtime.bigint() - start)
    drainRecords(reader, drained)
  }
  // Past the window of recent calls: the next round asks new calls.
  call.nowMs += 61_000
  call.deadlineMs = call.nowMs + 50
  return elapsed / CALLS_PER_ROUND
}

const times = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]))
for (let turn = -3; turn < ROUNDS; turn++) {
  for (const [kind, prepare] of Object.entries(kinds)) {
    const ns = run(prepare)
    if (turn >= 0) times.get(kind)?.push(ns)
  }
}

function heapBytesPerCall(prepare: (index: number) => void): number {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  run(prepare)
  return (process.memoryUsage().heapUsed - before) / CALLS_PER_ROUND
}

const results = Object.entries(kinds).map(([kind, prepare]) => {
  const { n, min, median, p99 } = summarize(times.get(kind) ?? [])
  return {
    kind,
    rounds: n,
    minNs: round(min),
    medianNs: round(median),
    p99Ns: round(p99),
    heapBytes: round(heapBytesPerCall(prepare)),
  }
})
console.log(`${LISTED} listed, ${REPORTED} reported numbers; ${CALLS_PER_ROUND} calls a round; ns per decision`)
console.table(results)
console.log(JSON.stringify({ bench: 'screen', listed: LISTED, verdicts, results, ...machine() }))
await store.close()
