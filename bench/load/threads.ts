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

/** Less than half of what one thread can, so that both have the machine to themselves now and then. */
const RATE = 20_000
const SIDES = ['1', '2'] as const
type Round = { readonly perSecond: number; readonly cpuMicroseconds: number }

export type Threads = {
  readonly measured: Measured
  readonly table: ResultTable
  readonly raw: Record<string, unknown>
}

/**
 * Processor time of a verdict with one thread and with two, at the same offered rate. Nothing is pinned: two threads on one
 * core would only take turns. The generator sleeps between its calls, so that it leaves most of a core.
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
  const worlds: Record<(typeof SIDES)[number], Contender> = { '1': one, '2': two }
  say(`one thread and two at ${RATE} calls/s`)
  const form = formsOf({ listed }).post
  const seconds = quick ? 0.8 : 3
  for (const side of SIDES) await measureRound(worlds[side], form, warmup(form, quick))
  const measure = (side: (typeof SIDES)[number]) => offer(worlds[side], trafficFile(form), seconds)
  const rounds = await interleave(SIDES, quick ? 3 : ROUNDS, measure, { isWarm: quick })
  for (const { stop } of Object.values(worlds)) await stop()
  const measured = measuredFrom(ratios(rounds['2'].map(cpu), rounds['1'].map(cpu)))
  return { measured, table: tableOf(rounds, measured), raw: { rate: RATE, seconds, rounds } }
}

const cpu = ({ cpuMicroseconds }: Round) => cpuMicroseconds

async function offer({ port, pids }: Contender, traffic: string, seconds: number): Promise<Round> {
  await sleep(200)
  const before = cpuNanoseconds(pids)
  const got = await generate({
    port,
    traffic,
    connections: 64,
    depth: 2,
    seconds,
    rate: RATE,
    sleeps: true,
    isPinned: false,
  })
  const cpuNs = cpuNanoseconds(pids) - before
  return { perSecond: got.answeredCalls / got.seconds, cpuMicroseconds: cpuNs / 1_000 / got.servedCalls }
}

function tableOf(rounds: Record<(typeof SIDES)[number], Round[]>, { value }: Measured): ResultTable {
  return {
    title: 'One verdict thread and two',
    head: ['threads', 'verdicts/s', 'processor time of a verdict', 'to one thread'],
    rows: SIDES.map((side) => [
      side,
      plain(median(rounds[side].map(({ perSecond }) => perSecond))),
      `${median(rounds[side].map(cpu)).toFixed(1)} µs`,
      side === '1' ? '' : `${value.toFixed(3)}x`,
    ]),
    note:
      `HTTP POST and ends, ${plain(RATE)} requests a second at their times on 64 connections, nothing pinned. A verdict costs more than under ` +
      'full load: a thread that is not busy wakes up for one or two requests.',
  }
}
