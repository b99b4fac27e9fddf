/**
 * What confirming a gate's "maybe" costs: a listed number in LMDB and in its layer's number table, a reputation that is there and one
 * that is not in LMDB, and the gate that spares the second. Nanoseconds per look-up, the ways interleaved round by round.
 *
 *   npx tsc && node dist/bench/micro/exact-lookup.js [--quick]     10 M listed, 100,000 reported; with --quick a hundredth
 *
 * Numbers are drawn evenly (seeded), so that hardly any look-up finds its page in a cache. Between two look-ups 32 lines
 * of a memory of 256 MB are read, as a call reads other memory: the next look-up cannot begin before, and finds the cache used.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ENTRY_PRESENT } from '../../src/domain/lookup.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { keepingReputations, withKeptReputations } from '../../src/services/kept-reputations.ts'
import { createLayerTables } from '../../src/services/layer-tables.ts'
import { createReportedGate } from '../../src/services/reported-gate.ts'
import { scanRows } from '../../src/services/scan-rows.ts'
import { createGate, gateHas, openGate } from '../../src/shm/gate.ts'
import { numberTableState, openNumberTable } from '../../src/shm/number-table.ts'
import { createReputationTable, openReputationTable } from '../../src/shm/reputation-table.ts'
import { openVerdictStore } from '../../src/stores/lmdb/verdict-store.ts'
import { machine } from '../lib/record-result.ts'
import { seededRandom } from '../lib/seeded-random.ts'
import { round, summarize } from '../lib/stats.ts'
import { fillStore, numbersOf, type Scale } from './screening-load.ts'

const SHARE = process.argv.includes('--quick') ? 0.01 : 1
const SCALE: Scale = { listed: 10_000_000 * SHARE, reported: 100_000 * SHARE, active: 1_000_000 * SHARE }
const ROUNDS = 21
const LOOKUPS = 5_000
const LINES_BETWEEN = 32

const directory = mkdtempSync(path.join(tmpdir(), 'zaslon-bench-exact-'))
process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
await fillStore(directory, SCALE)
const store = await openVerdictStore({ directory })
const layers = store.lists().flatMap((list) => list.active.layers)
const layer = layers[0]
if (layer === undefined) throw new Error('The list is empty.')

const startMs = performance.now()
const tables = createLayerTables(
  { bytesMax: 2 ** 30 },
  {
    contents: store.contents,
    onRefused() {
      throw new Error('The layer has no table.')
    },
  },
)
await tables.update(layers)
const buildMs = performance.now() - startMs
const table = openNumberTable(tables.of(layer) ?? createGate(1))
const reportedGate = createReportedGate({
  scanReported: (visit) => scanRows((after, into) => store.readReputationNumbers(after, into), visit),
})
await reportedGate.update()
const gate = openGate(reportedGate.memory ?? createGate(1))

const { listed, reported } = numbersOf(SCALE)
const random = seededRandom(1)
// Written, for pages never written are all one page.
const other = new Uint32Array(2 ** 26).fill(0)
const { lookup } = store
const NOW = Date.now()
const reputations = openReputationTable(createReputationTable(4 * SCALE.reported))
const reads = keepingReputations(store, reputations)
for (let index = 0; index < SCALE.reported; index++) reads.reputationOf(reported(index))
const kept = withKeptReputations(lookup, reputations)
const anyListed = () => {
  const index = Math.floor(random() * SCALE.listed)
  const callers = SCALE.active / 10
  return (index < callers ? listed(index) : 79_000_000_091 + (index - callers) * 90) as PhoneNumber
}
const anyReported = () => reported(Math.floor(random() * SCALE.reported))

type Way = {
  readonly draw: () => PhoneNumber
  readonly find: (number: PhoneNumber) => boolean
  readonly finds: boolean
}
const ways: Record<string, Way> = {
  'listed, LMDB': { draw: anyListed, find: (n) => lookup.entry(layer.layerId, n, NOW) === ENTRY_PRESENT, finds: true },
  'listed, table': { draw: anyListed, find: (n) => numberTableState(table, n, NOW) === ENTRY_PRESENT, finds: true },
  'reported, LMDB': { draw: anyReported, find: (n) => lookup.reputation(n) !== undefined, finds: true },
  'reported, memory': { draw: anyReported, find: (n) => kept.reputation(n) !== undefined, finds: true },
  'not reported, LMDB': { draw: anyListed, find: (n) => lookup.reputation(n) !== undefined, finds: false },
  'not reported, gate': { draw: anyListed, find: (n) => gateHas(gate, n), finds: false },
  nothing: { draw: anyListed, find: () => true, finds: true },
}

const numbers = new Float64Array(LOOKUPS)
let sink = 0

/** Nanoseconds per look-up with what is read between. */
function run({ draw, find, finds }: Way): number {
  for (let index = 0; index < LOOKUPS; index++) numbers[index] = draw()
  let wrong = 0
  let at = Math.floor(random() * other.length)
  const start = process.hrtime.bigint()
  for (let index = 0; index < LOOKUPS; index++) {
    let read = 0
    for (let line = 0; line < LINES_BETWEEN; line++) {
      at = (Math.imul(at, 1_664_525) + 1_013_904_223) & (other.length - 1)
      read |= other[at] ?? 0
    }
    // All zeros: the number is the same, and the look-up waits for them.
    const number = ((numbers[index] ?? 0) + read) as PhoneNumber
    if (find(number) !== finds) wrong++
  }
  const ns = Number(process.hrtime.bigint() - start) / LOOKUPS
  sink ^= at
  // The gate may be wrong about one in a thousand.
  if (wrong > LOOKUPS / 100) throw new Error(`${wrong} of ${LOOKUPS} look-ups were wrong.`)
  return ns
}

const times = new Map(Object.keys(ways).map((way) => [way, [] as number[]]))
for (let turn = -3; turn < ROUNDS; turn++) {
  for (const [name, way] of Object.entries(ways)) {
    const ns = run(way)
    if (turn >= 0) times.get(name)?.push(ns)
  }
}
const idle = summarize(times.get('nothing') ?? [])
const results = Object.keys(ways).map((way) => {
  const { n, min, median } = summarize(times.get(way) ?? [])
  return { way, rounds: n, minNs: round(min - idle.min), medianNs: round(median - idle.median) }
})
console.log(`${SCALE.listed} listed, ${SCALE.reported} reported; ns per look-up, beyond what is read between two`)
console.table(results)
console.log(`The table: ${tables.bytes} bytes, made in ${Math.round(buildMs)} ms. (${sink & 1})`)
console.log(
  JSON.stringify({ bench: 'exact-lookup', ...SCALE, results, buildMs, tableBytes: tables.bytes, ...machine() }),
)
await store.close()
