/**
 * The memory of pairs at its default size, seven days full and today half: nanoseconds per isKnownContact, noteCall and callMatch,
 * and the share of strangers taken for known, against one day in `bloom-filters`, asked for the rate of all eight.
 *
 *   npx tsc && node dist/bench/micro/pairs.js [--pairs N]     pairs a day; the default of verdict.pairsPerDay without it
 *
 * Pairs are seeded and asked in random order. The contenders take turns, so that a slow moment of the machine hits all of
 * them. `bloom-filters` hashes strings and takes minutes to fill with millions, so it holds one day of at most 200,000.
 */
import bloomFilters from 'bloom-filters'
import {
  callMatch,
  createPairs,
  isKnownContact,
  MATCH_YES,
  noteCall,
  noteContact,
  openPairs,
  rotatePairs,
} from '../../src/shm/pairs.ts'
import { machine } from '../lib/record-result.ts'
import { round, summarize } from '../lib/stats.ts'

const SEED = 20_261_127
const ROUNDS = 11
const WARM_UP = 3
/** Pairs of a contender in a round. New ones of all rounds must find room in half a day. */
const PROBES = 60_000
const SLOW_PROBES = 10_000
const SLOW_PAIRS_MAX = 200_000
const DAY_MS = 86_400_000
const TODAY_MS = Date.UTC(2026, 10, 27, 12)
const WANTED_RATE = 0.002

const at = process.argv.indexOf('--pairs')
const pairsPerDay = at > 0 ? Number(process.argv[at + 1]) : 2_097_152
const random = mulberry32(SEED)

/** Random subscribers: odd callers have been noted with their callee, even ones never. */
const subscriber = (isNoted: boolean) => 79_000_000_000 + 2 * Math.floor(random() * 499_999_999) + (isNoted ? 1 : 0)
const strangers = Float64Array.from({ length: 2 * PROBES }, () => subscriber(false))
const known = new Float64Array(2 * PROBES)

function filled() {
  const pairs = openPairs(createPairs(pairsPerDay), Uint32Array.of(1, 2))
  rotatePairs(pairs, TODAY_MS - 7 * DAY_MS)
  for (let day = 7; day >= 0; day--) {
    const nowMs = TODAY_MS - day * DAY_MS
    rotatePairs(pairs, nowMs)
    for (let i = 0; i < (day === 0 ? pairsPerDay / 2 : pairsPerDay); i++) {
      const caller = subscriber(true)
      const callee = subscriber(true)
      noteCall(pairs, caller, callee, nowMs)
      if (i % 2 === 0) noteContact(pairs, caller, callee, nowMs)
      if (day === 3 && i % 2 === 0 && i < 2 * PROBES) known.set([caller, callee], i)
    }
  }
  return pairs
}

function slowFilled() {
  const size = Math.min(pairsPerDay, SLOW_PAIRS_MAX)
  const filter = bloomFilters.BloomFilter.create(size, WANTED_RATE)
  for (let i = 0; i < size; i++) filter.add(`${subscriber(true)}/${subscriber(true)}`)
  return filter
}

type Contender = {
  name: string
  probes: number
  numbers: Float64Array
  /** `turn` counts the rounds: what is to be new each time takes it into the number. */
  run: (one: number, other: number, turn: number) => boolean
}

function contenders(): Contender[] {
  const pairs = filled()
  const slow = slowFilled()
  const newCaller = (caller: number, turn: number) => caller + (turn + WARM_UP + 1) * 1_000_000_000
  const contender = (name: string, numbers: Float64Array, run: Contender['run'], probes = PROBES) =>
    ({ name, probes, numbers, run }) satisfies Contender
  return [
    contender('isKnownContact, a stranger', strangers, (one, other) => isKnownContact(pairs, one, other, TODAY_MS)),
    contender('isKnownContact, three days ago', known, (one, other) => isKnownContact(pairs, one, other, TODAY_MS)),
    contender(
      'noteCall, a new pair',
      strangers.subarray(0, PROBES),
      (one, other, turn) => {
        noteCall(pairs, newCaller(one, turn), other, TODAY_MS)
        return true
      },
      PROBES / 2,
    ),
    contender(
      'isKnownContact and noteCall, a new pair',
      strangers.subarray(PROBES),
      (one, other, turn) => {
        const isKnown = isKnownContact(pairs, newCaller(one, turn), other, TODAY_MS)
        noteCall(pairs, newCaller(one, turn), other, TODAY_MS)
        return isKnown
      },
      PROBES / 2,
    ),
    contender('noteCall, noted today', known, (one, other) => {
      noteCall(pairs, one, other, TODAY_MS)
      return true
    }),
    contender('callMatch, a stranger, 7 days', strangers, (one, other) => {
      return callMatch(pairs, one, other, TODAY_MS - 7 * DAY_MS, TODAY_MS) === MATCH_YES
    }),
    contender('bloom-filters, one day', strangers, (one, other) => slow.has(`${one}/${other}`), SLOW_PROBES),
  ]
}

/** Nanoseconds per call. The hits are returned and printed, so that no engine can drop the loop. */
function time({ run, numbers, probes }: Contender, turn: number): { ns: number; hits: number } {
  let hits = 0
  const start = process.hrtime.bigint()
  for (let i = 0; i < probes * 2; i += 2) if (run(numbers[i] ?? 0, numbers[i + 1] ?? 0, turn)) hits++
  return { ns: Number(process.hrtime.bigint() - start) / probes, hits }
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

const rivals = contenders()
const samples = rivals.map(() => ({ ns: [] as number[], hits: 0 }))
for (let turn = -WARM_UP; turn < ROUNDS; turn++) {
  for (const [i, rival] of rivals.entries()) {
    const { ns, hits } = time(rival, turn)
    const sample = samples[i]
    if (turn < 0 || !sample) continue
    sample.ns.push(ns)
    sample.hits = hits
  }
}
const results = rivals.map(({ name, probes }, i) => {
  const { n, min, median, p99, max } = summarize(samples[i]?.ns ?? [])
  const ns = { n, min: round(min), median: round(median), p99: round(p99), max: round(max) }
  return { name, ns, yesShare: (samples[i]?.hits ?? 0) / probes }
})

console.log(
  `${pairsPerDay} pairs a day, seven full days and half of today, ${ROUNDS} rounds: ns per call, and the share answered yes`,
)
console.table(
  results.map(({ name, ns, yesShare }) => ({
    name,
    'median (min..max)': `${ns.median} (${ns.min}..${ns.max})`,
    yes: `${(yesShare * 100).toFixed(3)} %`,
  })),
)
console.log(JSON.stringify({ bench: 'pairs', seed: SEED, pairsPerDay, rounds: ROUNDS, results, ...machine() }))
