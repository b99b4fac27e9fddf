import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from '../generator/generator.ts'
import { interleave, ROUNDS, ratios } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import { cpuNanoseconds } from '../lib/process-cpu.ts'
import type { Say } from '../lib/run-bench.ts'
import { startWorld } from '../lib/standard-world.ts'
import { median } from '../lib/stats.ts'
import type { Measured, ResultTable } from '../suite/part.ts'
import { plain } from '../suite/print-result.ts'
import { type Contender, serviceContender } from './contender.ts'
import { formsOf } from './forms.ts'
import { measureRound, trafficFile, warmup } from './round.ts'

/** Calls a second: a quarter of what one thread can. */
const RATE = 10_000
const CONNECTIONS = 32
type Side = { readonly threads: 1 | 2; readonly times: 1 | 2; readonly name: string }
/** A thread takes less for a verdict the more of them one turn of its loop finds: only threads that are as busy compare. */
const SIDES = {
  one: { threads: 1, times: 1, name: 'one' },
  two: { threads: 2, times: 2, name: 'two, as busy each' },
  twice: { threads: 1, times: 2, name: 'one, as busy as two' },
} as const satisfies Record<string, Side>
type SideId = keyof typeof SIDES
const SIDE_IDS = Object.keys(SIDES) as SideId[]
type Round = { readonly perSecond: number; readonly cpuMicroseconds: number }

export type Threads = {
  readonly measured: Measured
  readonly table: ResultTable
  readonly raw: Record<string, unknown>
}

/**
 * Processor time of a verdict with one thread and with two, at the same offered rate a thread, so that they differ in what
 * threads of one process do to each other. Nothing is pinned: two threads on one core would only take turns. The generator
 * sleeps between its calls, so that it leaves most of a core.
 */
export async function measureThreads(
  { quick, listed }: { readonly quick: boolean; readonly listed: number },
  say: Say,
): Promise<Threads> {
  const world = async (threads: number) =>
    serviceContender(
      `${threads} threads`,
      await startWorld({ listed, threads, isPinned: false, hasHistory: false, isQuick: quick }, () => {}),
    )
  const [one, two] = await Promise.all([world(1), world(2)])
  const worlds: Record<Side['threads'], Contender> = { 1: one, 2: two }
  say(`one thread at ${RATE} calls/s, two at ${2 * RATE}`)
  const form = formsOf({ listed }).post
  const seconds = quick ? 0.8 : 3
  for (const world of [one, two]) await measureRound(world, form, warmup(form, quick))
  const measure = (id: SideId) => offer(worlds[SIDES[id].threads], SIDES[id].times, trafficFile(form), seconds)
  const rounds = await interleave(SIDE_IDS, quick ? 3 : ROUNDS, measure, { isWarm: quick })
  for (const { stop } of Object.values(worlds)) await stop()
  const atOneRate = median(ratios(rounds.two.map(cpu), rounds.twice.map(cpu)))
  const measured = measuredFrom(
    ratios(rounds.two.map(cpu), rounds.one.map(cpu)),
    `threads as busy each; ${atOneRate.toFixed(2)}x to one that has the work of two`,
  )
  return { measured, table: tableOf(rounds), raw: { rate: RATE, seconds, rounds } }
}

const cpu = ({ cpuMicroseconds }: Round) => cpuMicroseconds

async function offer({ port, pids }: Contender, times: number, traffic: string, seconds: number): Promise<Round> {
  await sleep(200)
  const before = cpuNanoseconds(pids)
  const got = await generate({
    port,
    traffic,
    connections: times * CONNECTIONS,
    depth: 2,
    seconds,
    rate: times * RATE,
    sleeps: true,
    isPinned: false,
  })
  const cpuNs = cpuNanoseconds(pids) - before
  return { perSecond: got.answeredCalls / got.seconds, cpuMicroseconds: cpuNs / 1_000 / got.servedCalls }
}

function tableOf(rounds: Readonly<Record<SideId, readonly Round[]>>): ResultTable {
  return {
    title: 'One verdict thread and two',
    head: ['threads', 'verdicts/s', 'processor time of a verdict', 'to the first'],
    rows: SIDE_IDS.map((id) => [
      SIDES[id].name,
      plain(median(rounds[id].map(({ perSecond }) => perSecond))),
      `${median(rounds[id].map(cpu)).toFixed(1)} µs`,
      id === 'one' ? '' : `${median(ratios(rounds[id].map(cpu), rounds.one.map(cpu))).toFixed(3)}x`,
    ]),
    note:
      `HTTP POST and ends, ${plain(RATE)} requests a second and thread at their times on ${CONNECTIONS} connections each, nothing pinned. A verdict ` +
      'costs more than under full load: a thread that is not busy wakes up for one or two requests.',
  }
}
