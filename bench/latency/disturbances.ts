/** p99.9 while something else goes on in the service, to quiet rounds in between. */
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { generateAnswered, percentileMs } from '../generator/generator.ts'
import { writeNumbersFile } from '../lib/generate-numbers.ts'
import { interleave, ratios } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import { GENERATOR_CORE, pin, SERVER_CORE } from '../lib/pin.ts'
import type { Say } from '../lib/run-bench.ts'
import { call, importFile } from '../lib/service-client.ts'
import { everyPid } from '../lib/standard-world.ts'
import { median, round } from '../lib/stats.ts'
import { waitUntil } from '../lib/wait-until.ts'
import type { Measured, ResultTable } from '../suite/part.ts'
import { type LatencyWorld, type Sizes, WARM_UP_SECONDS } from './latency-world.ts'
import { timesBetween } from './windows.ts'

export const STATES = ['quiet', 'import', 'rebuild', 'reload'] as const
export type State = (typeof STATES)[number]

export type Disturbed = {
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly meanLateMs: number
  readonly maxLateMs: number
}

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
  { rounds, seconds }: Pick<Sizes, 'rounds' | 'seconds'>,
  say: Say,
): Promise<Record<State, Disturbed[]>> {
  // As on two cores in life, where the generator is elsewhere: the verdict process has one, the rest of the service the other.
  pin(everyPid(world.service), GENERATOR_CORE)
  pin([world.verdictPid], SERVER_CORE)
  await call(world.service, 'PUT', '/v1/lists/other', { kind: 'deny' })
  for (const file of files) await importFile(world.service, 'other', file, 'mode=replace')
  const works: Record<State, (round: number) => Promise<unknown>> = {
    quiet: () => sleep(seconds * 1_000),
    import: (at) => importOther(world, files[Math.abs(at) % files.length] ?? ''),
    rebuild: () => restoreOther(world),
    reload: () => reload(world, seconds),
  }
  return interleave(STATES, rounds, (state, at) => {
    say(`meanwhile: ${state}`)
    return during(world, capacity * SHARE, () => works[state](at))
  })
}

export type Disturbing = {
  readonly world: LatencyWorld
  /** Calls a second. */
  readonly capacity: number
  readonly files: readonly string[]
}

/** Times of the calls from the beginning to the end of `work`. */
async function during(world: LatencyWorld, rate: number, work: () => Promise<unknown>): Promise<Disturbed> {
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

export function measuredDisturbances(results: Record<State, Disturbed[]>): {
  readonly 'import-p999': Measured
  readonly 'rebuild-p999': Measured
  readonly 'reload-p999': Measured
} {
  const p999 = (state: State) => results[state].map(({ p999Ms }) => p999Ms)
  const note = (state: State) =>
    `quiet ${round(median(p999('quiet')))} ms, generator late by ${round(median(results[state].map(({ maxLateMs }) => maxLateMs)))} ms at most`
  const to = (state: State) => measuredFrom(ratios(p999(state), p999('quiet')), note(state))
  return { 'import-p999': to('import'), 'rebuild-p999': to('rebuild'), 'reload-p999': to('reload') }
}

export function disturbancesTable(results: Record<State, Disturbed[]>, listed: number): ResultTable {
  const rows = STATES.map((state) => {
    const of = (field: keyof Disturbed) => round(median(results[state].map((one) => one[field])))
    const times = [of('p50Ms'), of('p99Ms'), of('p999Ms'), of('meanLateMs'), of('maxLateMs')]
    return [state, of('seconds'), ...times, results[state].length]
  })
  return {
    title: `While something else goes on, at ${SHARE * 100} % of capacity (medians of rounds, ms)`,
    head: ['state', 'seconds', 'p50', 'p99', 'p99.9', 'generator late: mean', 'most', 'rounds'],
    rows,
    note:
      `Import: ${listed} rows replace another list, until they are in force. Rebuild: an older version of that list is restored, which ` +
      'makes its table and the gate of all lists anew. Reload: the policy is put every second. The verdict process has a core; the rest of the ' +
      'service shares the other with the generator, which sleeps between calls and comes first when it wakes. So what a job takes from the ' +
      'verdict thread by caches and memory is in the figures, and by processor time only what threads of the verdict process itself take.',
  }
}
