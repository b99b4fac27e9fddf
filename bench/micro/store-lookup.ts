/**
 * What confirming a gate's "maybe" costs: a listed number and one that is not, in LMDB and in its layer's number table; a reputation that
 * is there and one that is not, in LMDB and in the reputation table, and the gate that spares the second. Nanoseconds a look-up.
 *
 * Numbers are drawn evenly (seeded), so that hardly any look-up finds its page in a cache. Between two look-ups 32 lines
 * of a memory of 256 MB are read, as a call reads other memory: the next look-up cannot begin before, and finds the cache used.
 * What reading them takes alone is taken off.
 */
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
import { seededRandom } from '../lib/seeded-random.ts'
import { median } from '../lib/stats.ts'
import type { PartResult } from '../suite/part.ts'
import { numbersOf, type Scale } from './screening-load.ts'
import { cell, type Side, timeSides } from './sides.ts'

const LINES_BETWEEN = 32
const NOTHING = 'nothing'

type Way = {
  readonly draw: () => PhoneNumber
  readonly find: (number: PhoneNumber) => boolean
  /** Undefined: either, for a gate. */
  readonly finds: boolean
}

export type LookupOptions = { readonly scale: Scale; readonly rounds: number; readonly lookups: number }

/** `directory`: a store filled by fillStore with this scale. */
export async function measureLookups(directory: string, options: LookupOptions): Promise<PartResult> {
  const { scale, rounds, lookups } = options
  const store = await openVerdictStore({ directory })
  try {
    const { ways, tableBytes, buildMs } = await openWays(store, scale)
    const draw = seededRandom(2)
    // Written, for pages never written are all one page.
    const other = new Uint32Array(2 ** 26).fill(0)
    const sides = Object.fromEntries(
      Object.entries(ways).map(([name, way]) => [name, sideOf(way, { lookups, other, draw })]),
    )
    const results = await timeSides(sides, rounds)
    const idle = results[NOTHING]?.ns ?? []
    const net = Object.fromEntries(
      Object.entries(results)
        .filter(([name]) => name !== NOTHING)
        .map(([name, { ns }]) => [name, ns.map((value, turn) => value - (idle[turn] ?? 0))]),
    )
    const row = (title: string, lmdb: string, memory: string) => [title, cell(net[lmdb] ?? []), cell(net[memory] ?? [])]
    return {
      measured: {},
      tables: [
        {
          title: `Exact look-up, ns: ${scale.listed.toLocaleString('en-US')} listed, ${scale.reported.toLocaleString('en-US')} reported`,
          head: ['', 'LMDB', 'shared memory'],
          rows: [
            row('a listed number', 'listed, LMDB', 'listed, table'),
            row('a number that is not listed', 'absent, LMDB', 'absent, table'),
            row('the reputation of a reported number', 'reported, LMDB', 'reported, table'),
            row('that a number has none (in memory: the gate)', 'not reported, LMDB', 'not reported, gate'),
          ],
          note:
            `Median and range of ${rounds} rounds of ${lookups.toLocaleString('en-US')}, the ways in turn, all numbers cold. The table of numbers has ` +
            `${tableBytes.toLocaleString('en-US')} bytes and is made in ${Math.round(buildMs)} ms.`,
        },
      ],
      raw: { ...options, net, idle, median: median(idle), tableBytes, buildMs },
    }
  } finally {
    await store.close()
  }
}

type Store = Awaited<ReturnType<typeof openVerdictStore>>

async function openWays(store: Store, scale: Scale) {
  const layers = store.lists().flatMap((list) => list.active.layers)
  const layer = layers[0]
  if (layer === undefined) throw new Error('The list is empty.')
  const startMs = performance.now()
  const onRefused = () => {
    throw new Error('The layer has no table.')
  }
  const tables = createLayerTables({ bytesMax: 2 ** 30 }, { contents: store.contents, onRefused })
  await tables.update(layers)
  const buildMs = performance.now() - startMs
  const table = openNumberTable(tables.of(layer) ?? createGate(1))
  const reportedGate = createReportedGate({
    scanReported: (visit) => scanRows((after, into) => store.readReputationNumbers(after, into), visit),
  })
  await reportedGate.update()
  const gate = openGate(reportedGate.memory ?? createGate(1))

  const { listed, reported } = numbersOf(scale)
  const random = seededRandom(1)
  const { lookup } = store
  const nowMs = Date.now()
  const reputations = openReputationTable(createReputationTable(4 * scale.reported))
  const reads = keepingReputations(store, reputations)
  for (let index = 0; index < scale.reported; index++) reads.reputationOf(reported(index))
  const kept = withKeptReputations(lookup, reputations)
  const anyListed = () => {
    const index = Math.floor(random() * scale.listed)
    const callers = scale.active / 10
    return (index < callers ? listed(index) : 79_000_000_091 + (index - callers) * 90) as PhoneNumber
  }
  // Those that are listed and do not call end in 1: their neighbours are nobody.
  const anyAbsent = () => (79_000_000_095 + Math.floor(random() * scale.listed * 0.9) * 90) as PhoneNumber
  const anyReported = () => reported(Math.floor(random() * scale.reported))
  const inStore = (n: PhoneNumber) => lookup.entry(layer.layerId, n, nowMs) === ENTRY_PRESENT
  const inTable = (n: PhoneNumber) => numberTableState(table, n, nowMs) === ENTRY_PRESENT
  const ways: Record<string, Way> = {
    'listed, LMDB': { draw: anyListed, find: inStore, finds: true },
    'listed, table': { draw: anyListed, find: inTable, finds: true },
    'absent, LMDB': { draw: anyAbsent, find: inStore, finds: false },
    'absent, table': { draw: anyAbsent, find: inTable, finds: false },
    'reported, LMDB': { draw: anyReported, find: (n) => lookup.reputation(n) !== undefined, finds: true },
    'reported, table': { draw: anyReported, find: (n) => kept.reputation(n) !== undefined, finds: true },
    'not reported, LMDB': { draw: anyListed, find: (n) => lookup.reputation(n) !== undefined, finds: false },
    'not reported, gate': { draw: anyListed, find: (n) => gateHas(gate, n), finds: false },
    [NOTHING]: { draw: anyListed, find: () => true, finds: true },
  }
  return { ways, tableBytes: tables.bytes, buildMs }
}

type Between = { readonly lookups: number; readonly other: Uint32Array; readonly draw: () => number }

/** Look-ups with what is read between; throws when one is wrong. */
function sideOf({ draw: drawNumber, find, finds }: Way, { lookups, other, draw }: Between): Side {
  const numbers = new Float64Array(lookups)
  let at = 0
  return {
    count: lookups,
    prepare() {
      for (let index = 0; index < lookups; index++) numbers[index] = drawNumber()
      at = Math.floor(draw() * other.length)
    },
    work() {
      let wrong = 0
      for (let index = 0; index < lookups; index++) {
        let read = 0
        for (let line = 0; line < LINES_BETWEEN; line++) {
          at = (Math.imul(at, 1_664_525) + 1_013_904_223) & (other.length - 1)
          read |= other[at]!
        }
        // All zeros: the number is the same, and the look-up waits for them.
        if (find((numbers[index]! + read) as PhoneNumber) !== finds) wrong++
      }
      // The gate may be wrong about one in a thousand.
      if (wrong > lookups / 100) throw new Error(`${wrong} of ${lookups} look-ups were wrong.`)
      return wrong
    },
  }
}
