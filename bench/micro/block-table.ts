/**
 * The block table: nanoseconds per blockHarm for numbers of blocks nobody is reported in, for neighbours of reported numbers,
 * and for reported numbers with their record, with a table far beyond the caches; and what it takes to read a block again.
 *
 *   npx tsc && node dist/bench/micro/block-table.js [--large]     0.2 M reported numbers; with --large 2 M
 *
 * Numbers are seeded: half of them lie alone, half in pools of 1,000 of which 50 are reported. Every number asked is another
 * one, so that its entries are not in a cache. Prints a table and one JSON line.
 */

import { foldReport } from '../../src/domain/fold-report.ts'
import { createThousandSums } from '../../src/domain/number-block.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { readThousand } from '../../src/services/build-blocks.ts'
import { blockHarm, blockTableLoad, createBlockTable, openBlockTable } from '../../src/shm/block-table.ts'
import { writeThousand } from '../../src/shm/block-table-writer.ts'
import { createReputationMap } from '../complaints/reputation-map.ts'
import { machine } from '../lib/record-result.ts'
import { seededRandom } from '../lib/seeded-random.ts'
import { round, summarize } from '../lib/stats.ts'

const SEED = 20_261_127
const ROUNDS = 15
const ASKED = 200_000
const POOL_REPORTED = 50
const NOW = Date.UTC(2026, 10, 27)
const FIRST = 79_000_000_000
const NUMBERS = 1_000_000_000

const count = process.argv.includes('--large') ? 2_000_000 : 200_000
const random = seededRandom(SEED)
const somewhere = () => FIRST + Math.floor(random() * NUMBERS)
const record = foldReport(undefined, {
  reportId: 'r1',
  number: FIRST as PhoneNumber,
  channel: 'partner',
  scenario: 'other',
  reporter: 'f'.repeat(32),
  ingress: 2,
  atMs: NOW,
  receivedMs: NOW,
  weight: 1,
})

const reputations = createReputationMap()
const reported: number[] = []
for (let i = 0; i < count / 2; i++) reported.push(somewhere())
for (let i = 0; i < count / 2 / POOL_REPORTED; i++) {
  const pool = Math.floor(somewhere() / 1_000) * 1_000
  for (let j = 0; j < POOL_REPORTED; j++) reported.push(pool + Math.floor(random() * 1_000))
}
for (const number of reported) reputations.put(number as PhoneNumber, record)

const table = openBlockTable(createBlockTable(count * 4, NOW))
const sums = createThousandSums()
const blocks = [...new Set(reported.map((number) => Math.floor(number / 1_000) * 1_000))]
const startNs = process.hrtime.bigint()
for (const first of blocks) {
  readThousand(reputations, first, table.base, sums)
  writeThousand(table, first, sums)
}
const blockNs = Number(process.hrtime.bigint() - startNs) / blocks.length

const known = new Set(blocks)
function strangers(): number {
  let number = somewhere()
  while (known.has(Math.floor(number / 1_000) * 1_000)) number = somewhere()
  return number
}
const anyReported = () => reported[Math.floor(random() * reported.length)] ?? FIRST
const cases = [
  { name: 'block without a report', pick: strangers, record: undefined },
  { name: 'neighbour of a reported number', pick: () => Math.floor(anyReported() / 100) * 100 + 50, record: undefined },
  { name: 'reported number', pick: anyReported, record },
].map((each) => ({
  ...each,
  numbers: Float64Array.from({ length: ASKED * (ROUNDS + 2) }, each.pick),
  ns: [] as number[],
  sum: 0,
}))

for (let turn = -2; turn < ROUNDS; turn++) {
  for (const each of cases) {
    const { numbers, record: own } = each
    const from = (turn + 2) * ASKED
    const start = process.hrtime.bigint()
    for (let i = from; i < from + ASKED; i++) each.sum += blockHarm(table, numbers[i] ?? 0, 2, NOW, own)
    const ns = Number(process.hrtime.bigint() - start) / ASKED
    if (turn >= 0) each.ns.push(ns)
  }
}

const load = blockTableLoad(table)
const results = cases.map(({ name, ns, sum }) => {
  const { n, min, median, p99 } = summarize(ns)
  return { name, n, min: round(min), median: round(median), p99: round(p99), sum }
})
console.log(
  `${count} reported numbers, ${load.entries} entries of ${load.capacity}, ${load.lost} lost; ns per blockHarm`,
)
console.table(results)
console.log(`reading a block of 1,000 again: ${Math.round(blockNs)} ns (records in memory)`)
console.log(
  JSON.stringify({ bench: 'block-table', seed: SEED, count, rounds: ROUNDS, ...load, blockNs, results, ...machine() }),
)
