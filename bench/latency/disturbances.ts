/** p99.9 while something else goes on in the service, to the quiet rounds before and after. */
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateAnswered, percentileMs } from '../generator/generator.ts'
import { writeNumbersFile } from '../lib/generate-numbers.ts'
import { interleave } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import { GENERATOR_CORE, pin, SERVER_CORE } from '../lib/pin.ts'
import type { Say } from '../lib/run-bench.ts'
import { call, importFile } from '../lib/service-client.ts'
import { everyPid } from '../lib/standard-world.ts'
import { median, round, spread } from '../lib/stats.ts'
import { waitUntil } from '../lib/wait-until.ts'
import type { Measured, ResultTable } from '../suite/part.ts'
import { type LatencyWorld, type Sizes, WARM_UP_SECONDS } from './latency-world.ts'
import { timesBetween } from './windows.ts'

const STATES = ['import', 'rebuild', 'reload'] as const
type State = (typeof STATES)[number]

type Times = {
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly meanLateMs: number
  readonly maxLateMs: number
}

type Round = {
  readonly meanwhile: Times
  /** The quiet rounds before it and after it. */
  readonly around: readonly [Times, Times]
}
type Rounds = Readonly<Record<State, readonly Round[]>>

/** Of capacity. */
const SHARE = 0.35
/** Nothing here takes as long on a machine that others use too. */
const SECONDS_MAX = 120
const OTHER_NUMBERS = 100_000_000
const CALM_SECONDS = 0.3

/** Two files of other numbers, imported by turns into the list `other`: a tenth of them differs (an import that removes more than a fifth is held). */
export function writeOtherNumbers({ listed }: Sizes, say: Say): string[] {
  return [0, 1].map((which) => {
    const file = path.join(os.tmpdir(), `other-${which}.csv`)
    say(`writing ${file}`)
    writeNumbersFile(file, listed, OTHER_NUMBERS + (which * listed) / 10)
    return file
  })
}

export async function measureDisturbances(
  { world, capacity, files }: Disturbing,
  sizes: Sizes,
  say: Say,
): Promise<Rounds> {
  const seconds = 2 * sizes.seconds
  // As on two cores in life, where the generator is elsewhere: the verdict process has one, the rest of the service the other.
  pin(everyPid(world.service), GENERATOR_CORE)
  pin([world.verdictPid], SERVER_CORE)
  await call(world.service, 'PUT', '/v1/lists/other', { kind: 'deny' })
  for (const file of files) await importFile(world.service, 'other', file, 'mode=replace')
  const works: Record<State, (round: number) => Promise<unknown>> = {
    import: (at) => importOther(world, files[Math.abs(at) % files.length] ?? ''),
    rebuild: () => restoreOther(world),
    reload: () => reload(world, seconds),
  }
  const quiet = () => during(world, capacity * SHARE, () => sleep(seconds * 1_000))
  let before = await quiet()
  const measure = async (state: State, at: number): Promise<Round> => {
    say(`meanwhile: ${state}, and quiet`)
    const meanwhile = await during(world, capacity * SHARE, () => works[state](at))
    const after = await quiet()
    const around = [before, after] as const
    before = after
    return { meanwhile, around }
  }
  return interleave(STATES, sizes.rounds, measure, { isWarm: sizes.isQuick })
}

export type Disturbing = {
  readonly world: LatencyWorld
  /** Calls a second. */
  readonly capacity: number
  readonly files: readonly string[]
}

/** Times of the calls from the beginning to the end of `work`. */
async function during(world: LatencyWorld, rate: number, work: () => Promise<unknown>): Promise<Times> {
  const span = sleep(CALM_SECONDS * 1_000 + WARM_UP_SECONDS * 1_000).then(async () => {
    const fromMs = Date.now()
    await work()
    return { fromMs, toMs: Date.now() }
  })
  const run = {
    ...world.sides.zaslon,
    sleeps: true,
    rate,
    warmupSeconds: WARM_UP_SECONDS,
    seconds: SECONDS_MAX,
    until: span,
  }
  const [answered, { fromMs, toMs }] = await Promise.all([generateAnswered(run), span])
  const times = timesBetween(answered, fromMs - answered.beganMs, toMs - answered.beganMs)
  const at = (percent: number) => percentileMs(times, percent)
  const { meanLateMs, maxLateMs } = answered
  return { seconds: (toMs - fromMs) / 1_000, p50Ms: at(50), p99Ms: at(99), p999Ms: at(99.9), meanLateMs, maxLateMs }
}

async function importOther(world: LatencyWorld, file: string): Promise<void> {
  await untilInForce(world, async () => {
    const { record } = await importFile(world.service, 'other', file, 'mode=replace')
    if (record.state !== 'active')
      throw new Error(`The import ended ${record.state}: ${JSON.stringify(record.problem)}`)
  })
}

/** Another version becomes the active one: its table and a new gate for all lists are built. */
async function restoreOther(world: LatencyWorld): Promise<void> {
  type Versions = { versions: { version: number; active: boolean; entries: number }[] }
  const { versions } = await call<Versions>(world.service, 'GET', '/v1/lists/other/versions')
  const before = versions.find(({ active, entries }) => !active && entries > 0)
  if (before === undefined) throw new Error('There is no version to restore.')
  const body = { version: before.version }
  await untilInForce(world, () => call(world.service, 'POST', '/v1/lists/other/restore', body))
}

async function reload(world: LatencyWorld, seconds: number): Promise<void> {
  const { text } = await call<{ text: string }>(world.service, 'GET', '/v1/policy')
  for (let second = 0; second < seconds; second++) {
    await Promise.all([call(world.service, 'PUT', '/v1/policy', { text }), sleep(1_000)])
  }
}

async function untilInForce({ service }: LatencyWorld, change: () => Promise<unknown>): Promise<void> {
  const generation = async () => {
    const response = await fetch(`${service.verdictUrl}/health/ready`)
    return ((await response.json()) as { generation: number }).generation
  }
  const before = await generation()
  await change()
  const isNewer = async () => (await generation()) > before
  await waitUntil('a new generation', isNewer, { limitMs: SECONDS_MAX * 1_000, everyMs: 50 })
}

const p999Of = ({ p999Ms }: Times) => p999Ms
/** What a round in which others took the core says spoils neither a median of all nor the rounds of the others. */
const quietOf = (rounds: readonly Round[]) => [...new Set(rounds.flatMap(({ around }) => around))]

/** Each round to the median of the quiet ones before and after all of its kind. */
export function measuredDisturbances(results: Rounds): {
  readonly 'import-p999': Measured
  readonly 'rebuild-p999': Measured
  readonly 'reload-p999': Measured
} {
  const to = (state: State) => {
    const rounds = results[state]
    const quiet = quietOf(rounds).map(p999Of)
    const late = round(median(rounds.map(({ meanwhile }) => meanwhile.maxLateMs)))
    return measuredFrom(
      rounds.map(({ meanwhile }) => meanwhile.p999Ms / median(quiet)),
      `quiet ${spread(quiet.map(round))} ms, generator late by ${late} ms at most`,
    )
  }
  return { 'import-p999': to('import'), 'rebuild-p999': to('rebuild'), 'reload-p999': to('reload') }
}

export function disturbancesTable(results: Rounds, listed: number): ResultTable {
  const row = (name: string, rounds: readonly Times[], quiet: readonly Times[]) => {
    const of = (field: keyof Times) => round(median(rounds.map((one) => one[field])))
    const spreadOf = (some: readonly Times[]) => spread(some.map(p999Of).map(round))
    const times = [of('p50Ms'), of('p99Ms'), spreadOf(rounds), quiet.length === 0 ? '' : spreadOf(quiet)]
    return [name, of('seconds'), ...times, of('meanLateMs'), of('maxLateMs'), rounds.length]
  }
  const meanwhile = (state: State) => results[state].map((one) => one.meanwhile)
  const rows = [
    row('quiet', quietOf(STATES.flatMap((state) => results[state])), []),
    ...STATES.map((state) => row(state, meanwhile(state), quietOf(results[state]))),
  ]
  return {
    title: `While something else goes on, at ${SHARE * 100} % of capacity (medians of rounds, ms; of p99.9 the range too)`,
    head: [
      'state',
      'seconds',
      'p50',
      'p99',
      'p99.9',
      'quiet before and after',
      'generator late: mean',
      'most',
      'rounds',
    ],
    rows,
    note:
      `Import: ${listed} rows replace another list, until they are in force. Rebuild: an older version of that list is restored, which ` +
      'makes its table and the gate of all lists anew. Reload: the policy is put every second. Before and after each there is a quiet round.' +
      ' The verdict process has a core; the rest of the ' +
      'service shares the other with the generator, which sleeps between calls and comes first when it wakes. So what a job takes from the ' +
      'verdict thread by caches and memory is in the figures, and by processor time only what threads of the verdict process itself take.',
  }
}
