/**
 * Our gate against `bloom-filters` and a Set: nanoseconds per look-up, interleaved so that a slow moment of the machine
 * hits all of them, and the gate's share of wrong "maybe" at several fills.
 *
 *   npx tsc && node dist/bench/micro/gate.js [--large]     1 M keys; with --large 10 M
 *
 * Keys and probes are seeded. Prints a table and one JSON line. A Set of 10 M numbers takes 350 MB; `bloom-filters` hashes
 * strings and takes minutes to fill with 10 M keys, so with --large it holds 1 M.
 */
import bloomFilters from 'bloom-filters'
import { createGate, type Gate, gateAddAll, gateHas, openGate } from '../../src/shm/gate.ts'
import { machine } from '../lib/record-result.ts'
import { round, summarize } from '../lib/stats.ts'

const SEED = 20_250_131
const ROUNDS = 15
const FILLS = [0.5, 0.8, 1, 16 / 12, 2]

const large = process.argv.includes('--large')
const keyCount = large ? 10_000_000 : 1_000_000
const slowKeyCount = 1_000_000
const probeCount = 1_000_000
const slowProbeCount = 20_000
const random = mulberry32(SEED)

/** Odd numbers are keys, even ones are absent: both look like mobile numbers of one country. */
const keys = Float64Array.from({ length: keyCount }, () => 79_000_000_001 + 2 * Math.floor(random() * 499_999_999))
const absent = Float64Array.from({ length: probeCount }, () => 79_000_000_000 + 2 * Math.floor(random() * 499_999_999))
const present = Float64Array.from({ length: probeCount }, () => keys[Math.floor(random() * keyCount)] ?? 0)

type Contender = { name: string; probes: number; has: (number: number) => boolean; fillNs: number }

function fill(name: string, probes: number, count: number, run: () => (number: number) => boolean): Contender {
  const start = process.hrtime.bigint()
  const has = run()
  return { name, probes, has, fillNs: Number(process.hrtime.bigint() - start) / count }
}

function contenders(): Contender[] {
  return [
    fill('gate', probeCount, keyCount, () => {
      const gate = openGate(createGate(keyCount))
      gateAddAll(gate, keys)
      return (number) => gateHas(gate, number)
    }),
    fill('Set', probeCount, keyCount, () => {
      const set = new Set(keys)
      return (number) => set.has(number)
    }),
    fill('bloom-filters', slowProbeCount, slowKeyCount, () => {
      const filter = bloomFilters.BloomFilter.create(slowKeyCount, 0.001)
      for (let i = 0; i < slowKeyCount; i++) filter.add(String(keys[i]))
      return (number) => filter.has(String(number))
    }),
  ]
}

/** Nanoseconds per look-up. The hits are returned and printed, so that no engine can drop the loop. */
function time(contender: Contender, numbers: Float64Array): { ns: number; hits: number } {
  const { has, probes } = contender
  let hits = 0
  const start = process.hrtime.bigint()
  for (let i = 0; i < probes; i++) if (has(numbers[i] ?? 0)) hits++
  return { ns: Number(process.hrtime.bigint() - start) / probes, hits }
}

function falsePositives(gate: Gate): number {
  let wrong = 0
  for (let i = 0; i < probeCount; i++) if (gateHas(gate, absent[i] ?? 0)) wrong++
  return wrong / probeCount
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

function spread(values: readonly number[]) {
  const { n, min, median, p99, max } = summarize(values)
  return { n, min: round(min), median: round(median), p99: round(p99), max: round(max) }
}

const rivals = contenders()
const samples = rivals.map(() => ({ miss: [] as number[], hit: [] as number[], wrong: 0 }))
for (let turn = -2; turn < ROUNDS; turn++) {
  for (const [i, rival] of rivals.entries()) {
    const miss = time(rival, absent)
    const hit = time(rival, present)
    const sample = samples[i]
    if (turn < 0 || !sample) continue // warming up
    sample.miss.push(miss.ns)
    sample.hit.push(hit.ns)
    sample.wrong = miss.hits / rival.probes
  }
}
const results = rivals.map(({ name, fillNs }, i) => ({
  name,
  fillNs: Math.round(fillNs),
  missNs: spread(samples[i]?.miss ?? []),
  hitNs: spread(samples[i]?.hit ?? []),
  falsePositiveRate: samples[i]?.wrong ?? 0,
}))
const fills = FILLS.map((share) => {
  const gate = openGate(createGate(Math.ceil(keyCount / share)))
  gateAddAll(gate, keys)
  return { bitsPerKey: Number((16 / share).toFixed(1)), falsePositiveRate: falsePositives(gate) }
})

console.log(`${keyCount} keys, ${ROUNDS} rounds, median (min..max) in ns per look-up`)
console.table(
  results.map(({ name, fillNs, missNs, hitNs, falsePositiveRate }) => ({
    name,
    'fill ns/key': fillNs,
    miss: `${missNs.median} (${missNs.min}..${missNs.max})`,
    hit: `${hitNs.median} (${hitNs.min}..${hitNs.max})`,
    'wrong maybe': `${(falsePositiveRate * 100).toFixed(3)} %`,
  })),
)
console.table(fills)
console.log(JSON.stringify({ bench: 'gate', seed: SEED, keys: keyCount, rounds: ROUNDS, results, fills, ...machine() }))
