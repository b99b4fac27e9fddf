/**
 * Our gate against a blocked Bloom filter in C, a Set, and `bloom-filters`: nanoseconds a look-up at several numbers of keys, and the
 * share of wrong "maybe". Look-ups are independent of each other, so a processor has several of them on their way to memory at once,
 * on all sides.
 *
 * Every side has a loop of its own, which its compiler can inline the look-up into. Set is exact, and tells what must be found;
 * a filter that misses a key fails the bench.
 */
import bloomFilters from 'bloom-filters'
import { createGate, GATE_FALSE_POSITIVE_RATE, type Gate, gateAddAll, gateHas, openGate } from '../../src/shm/gate.ts'
import { type Compiled, compileC } from '../lib/compile-c.ts'
import { interleave, ratios } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import type { Say } from '../lib/run-bench.ts'
import { median, round } from '../lib/stats.ts'
import { svgChart } from '../lib/svg-chart.ts'
import type { PartResult, ResultChart, ResultTable } from '../suite/part.ts'
import { type Answers, FILTER_SOURCE, type Stream, startFilter } from './c-filter.ts'
import { type GateNumbers, gateNumbers, TRAFFIC_PRESENT_ONE_IN } from './gate-numbers.ts'
import { cell } from './sides.ts'

const SEED = 20_250_131
/** Keys to the capacity that the gate was made for. */
const FILLS = [0.5, 0.8, 1, 16 / 12, 2]
/** Of a side in a round, of which the least time counts. */
const PASSES = 3
/** A filter that says "maybe" to more strangers than this is broken. */
const WRONG_MAX = 0.005

export type GateOptions = {
  /** Ascending. The measures are taken at the last. */
  readonly sizes: readonly number[]
  readonly rounds: number
  readonly probeCount: number
  /** `bloom-filters` hashes strings: 10 us for a key or a look-up, so it gets fewer of both. */
  readonly slowKeyCount: number
  readonly slowProbeCount: number
}

type Name = 'gate' | 'c' | 'set' | 'bloom-filters'
const TITLES: Record<Name, string> = {
  gate: 'gate',
  c: 'blocked filter in C (cc -O2 -march=native)',
  set: 'Set',
  'bloom-filters': 'bloom-filters',
}

type Contender = {
  readonly keyCount: number
  readonly probeCount: number
  readonly fillNs: number
  readonly ask: (stream: Stream) => Answers | Promise<Answers>
  readonly close?: () => void
}

/** Of one contender, nanoseconds a look-up round by round. */
type Times = {
  readonly keyCount: number
  readonly fillNs: number
  readonly traffic: readonly number[]
  readonly present: readonly number[]
  /** Of the numbers that are no keys. */
  readonly wrongShare: number
}
type AtSize = { readonly keys: number; readonly sides: { readonly [name in Name]?: Times } }

export async function measureGate(options: GateOptions, say: Say, compiler = 'cc'): Promise<PartResult> {
  const compiled = compileC(FILTER_SOURCE, compiler)
  if ('missing' in compiled) say(`the filter in C is not run. ${compiled.missing}`)
  const sizes: AtSize[] = []
  for (const keys of options.sizes) {
    say(`gate: ${keys} keys`)
    sizes.push({ keys, sides: await measureSize(keys, options, compiled) })
  }
  const last = sizes.at(-1)
  if (last === undefined) throw new Error('No number of keys was named.')
  return {
    measured: measuresOf(last),
    tables: [lookupTable(last, options, compiled), sizeTable(sizes), fillTable(last.keys, options.probeCount)],
    charts: [chartOf(sizes)],
    raw: { seed: SEED, ...options, sizes },
  }
}

async function measureSize(keyCount: number, options: GateOptions, compiled: Compiled): Promise<AtSize['sides']> {
  const { probeCount, rounds } = options
  const numbers = gateNumbers(keyCount, probeCount, SEED)
  const contenders = new Map<Name, Contender>([
    ['gate', gateContender(numbers)],
    ['set', setContender(numbers)],
  ])
  if (keyCount === options.sizes.at(-1)) contenders.set('bloom-filters', slowContender(options))
  if ('program' in compiled) {
    const filter = await startFilter(compiled.program, { keyCount, probeCount, seed: SEED })
    if (filter.keysHash !== numbers.keysHash) throw new Error('The filter in C has made other keys.')
    contenders.set('c', { keyCount, probeCount, ...filter })
  }
  try {
    const measured = await interleave([...contenders.keys()], rounds, async (name) => {
      const contender = contenders.get(name)
      if (contender === undefined) throw new Error(`There is no ${name}.`)
      const traffic = await leastOf(contender, 'traffic')
      const present = await leastOf(contender, 'present')
      assertFound(name, contender.probeCount, traffic, present)
      return { traffic, present }
    })
    const entries = [...contenders].map(([name, { keyCount: keys, fillNs, probeCount: probes }]): [Name, Times] => {
      const traffic = measured[name].map((round) => round.traffic)
      const wrongShare = (traffic[0]?.wrong ?? 0) / (probes - presentIn(probes))
      const present = measured[name].map((round) => round.present.ns)
      return [name, { keyCount: keys, fillNs, traffic: traffic.map(({ ns }) => ns), present, wrongShare }]
    })
    return Object.fromEntries(entries)
  } finally {
    for (const { close } of contenders.values()) close?.()
  }
}

/** What a busy machine takes away in one pass it leaves in another. */
async function leastOf({ ask }: Contender, stream: Stream): Promise<Answers> {
  let least = await ask(stream)
  for (let pass = 1; pass < PASSES; pass++) {
    const next = await ask(stream)
    if (next.ns < least.ns) least = next
  }
  return least
}

/** Every key is found; strangers are not, but for a filter's few wrong "maybe". */
function assertFound(name: Name, probeCount: number, traffic: Answers, present: Answers): void {
  const strangers = probeCount - presentIn(probeCount)
  const wrongMax = name === 'set' ? 0 : Math.max(10, strangers * WRONG_MAX)
  const isRight = present.maybes === probeCount && traffic.maybes - traffic.wrong === presentIn(probeCount)
  if (!isRight || traffic.wrong > wrongMax) throw new Error(`${TITLES[name]} gives wrong answers: ${traffic.wrong}.`)
}

function presentIn(probeCount: number): number {
  return Math.ceil(probeCount / TRAFFIC_PRESENT_ONE_IN)
}

type Counting = { readonly count: (numbers: Float64Array) => number; readonly has: (number: number) => boolean }

/** `make` fills it; what the answers say must not is looked up once before, without a clock. */
function contenderOf({ keys, traffic, present }: GateNumbers, make: () => Counting): Contender {
  const start = process.hrtime.bigint()
  const { count, has } = make()
  const fillNs = Number(process.hrtime.bigint() - start) / keys.length
  // Keys are odd, other numbers even.
  const wrong = traffic.reduce((sum, number) => sum + Number(number % 2 === 0 && has(number)), 0)
  return {
    keyCount: keys.length,
    probeCount: traffic.length,
    fillNs,
    ask(stream) {
      const numbers = stream === 'traffic' ? traffic : present
      const askNs = process.hrtime.bigint()
      const maybes = count(numbers)
      return {
        ns: Number(process.hrtime.bigint() - askNs) / numbers.length,
        maybes,
        wrong: stream === 'traffic' ? wrong : 0,
      }
    },
  }
}

function gateContender(numbers: GateNumbers): Contender {
  return contenderOf(numbers, () => {
    const gate = openGate(createGate(numbers.keys.length))
    gateAddAll(gate, numbers.keys)
    return { count: (asked) => countInGate(gate, asked), has: (number) => gateHas(gate, number) }
  })
}

function countInGate(gate: Gate, numbers: Float64Array): number {
  let maybes = 0
  for (let i = 0; i < numbers.length; i++) if (gateHas(gate, numbers[i]!)) maybes++
  return maybes
}

function setContender(numbers: GateNumbers): Contender {
  return contenderOf(numbers, () => {
    const set = new Set(numbers.keys)
    return { count: (asked) => countInSet(set, asked), has: (number) => set.has(number) }
  })
}

function countInSet(set: ReadonlySet<number>, numbers: Float64Array): number {
  let found = 0
  for (let i = 0; i < numbers.length; i++) if (set.has(numbers[i]!)) found++
  return found
}

function slowContender({ slowKeyCount, slowProbeCount }: GateOptions): Contender {
  const numbers = gateNumbers(slowKeyCount, slowProbeCount, SEED)
  return contenderOf(numbers, () => {
    const filter = bloomFilters.BloomFilter.create(slowKeyCount, GATE_FALSE_POSITIVE_RATE)
    for (const key of numbers.keys) filter.add(String(key))
    const has = (number: number) => filter.has(String(number))
    return {
      has,
      count(asked) {
        let maybes = 0
        for (let i = 0; i < asked.length; i++) if (has(asked[i]!)) maybes++
        return maybes
      },
    }
  })
}

function measuresOf({ keys, sides }: AtSize): PartResult['measured'] {
  const { gate, set, c, 'bloom-filters': slow } = sides
  const noteOf = (side: Times) => `${keyText(side.keyCount)} keys`
  if (gate === undefined || set === undefined || slow === undefined) return {}
  const slowNote =
    slow.keyCount === keys ? noteOf(slow) : `the gate with ${noteOf(gate)}, bloom-filters with ${noteOf(slow)}`
  return {
    'gate-vs-bloom-filters': measuredFrom(ratios(slow.traffic, gate.traffic), slowNote),
    'gate-vs-set': measuredFrom(ratios(set.traffic, gate.traffic), noteOf(set)),
    ...(c === undefined ? {} : { 'gate-vs-c': measuredFrom(ratios(gate.traffic, c.traffic), noteOf(c)) }),
  }
}

function lookupTable({ keys, sides }: AtSize, { rounds, probeCount }: GateOptions, compiled: Compiled): ResultTable {
  const rows = (Object.keys(TITLES) as Name[]).map((name) => {
    const side = sides[name]
    if (side === undefined) return [TITLES[name], '', 'not run', 'not run', '', '']
    const { keyCount, fillNs, traffic, present, wrongShare } = side
    const wrong = name === 'set' ? '0' : `${round(wrongShare * 100)} %`
    return [TITLES[name], keyText(keyCount), cell(traffic), cell(present), wrong, round(fillNs)]
  })
  return {
    title: `Look-up of a number among ${keyText(keys)}, ${rounds} rounds in turn, of ${PASSES} passes of ${keyText(probeCount)}`,
    head: ['', 'keys', 'ns, 98 in 100 absent', 'ns, all present', 'wrong "maybe"', 'ns to add a key'],
    rows,
    note:
      'Median and range of the rounds, of each the least pass. Gate and C: 16 bits a key in blocks of 512; the one in C runs in a process of its own and makes the same ' +
      'numbers of the same seed. bloom-filters has as many bits as 0.1 % wrong needs, and strings for keys.' +
      ('missing' in compiled ? ` The one in C was not run. ${compiled.missing}` : ''),
  }
}

function sizeTable(sizes: readonly AtSize[]): ResultTable {
  const names = ['gate', 'c', 'set'] as const
  return {
    title: 'The same by number of keys, ns, 98 in 100 absent',
    head: ['keys', ...names.map((name) => TITLES[name])],
    rows: sizes.map(({ keys, sides }) => [
      keyText(keys),
      ...names.map((name) => (sides[name] === undefined ? 'not run' : cell(sides[name].traffic))),
    ]),
  }
}

function fillTable(keyCount: number, probeCount: number): ResultTable {
  const { keys, traffic } = gateNumbers(Math.min(keyCount, 1_000_000), probeCount, SEED)
  const rows = FILLS.map((share) => {
    const gate = openGate(createGate(Math.ceil(keys.length / share)))
    gateAddAll(gate, keys)
    const wrong = countInGate(gate, traffic) - presentIn(probeCount)
    return [
      `${share === 1 ? 'full' : `${round(share * 100)} %`}`,
      round(16 / share),
      `${round((wrong / (probeCount - presentIn(probeCount))) * 100)} %`,
    ]
  })
  return { title: 'How full a gate is, and how often it is wrong', head: ['', 'bits a key', 'wrong "maybe"'], rows }
}

function chartOf(sizes: readonly AtSize[]): ResultChart {
  const lines = (['gate', 'c', 'set'] as const).map((name) => ({
    name: name === 'c' ? 'blocked filter in C' : name,
    points: sizes.flatMap(({ keys, sides }): [number, number][] =>
      sides[name] === undefined ? [] : [[keys, median(sides[name].traffic)]],
    ),
  }))
  const ticks = sizes.map(({ keys }) => keys)
  return {
    name: 'gate-lookup',
    alt: 'Nanoseconds a look-up by number of keys, for the gate, a blocked filter in C and a Set: the table below has them.',
    svg: svgChart({
      title: 'Look-up by number of keys (98 in 100 absent)',
      x: { label: 'keys', min: ticks[0] ?? 1, max: ticks.at(-1) ?? 1, ticks, isLog: true },
      y: { label: 'ns', min: 1, max: 1_000, ticks: [1, 3, 10, 30, 100, 300, 1_000], isLog: true },
      lines,
    }),
  }
}

function keyText(count: number): string {
  return count.toLocaleString('en-US')
}
