/** Open loop at shares of what a closed loop gets, ours and the bare app in turn at the same rates. */
import type { Histogram } from 'hdr-histogram-js'
import { emptyTimes, generate, generateTimed, percentileMs, type Timed } from '../generator/generator.ts'
import { interleave, ratios } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import type { Say } from '../lib/run-bench.ts'
import { median, round } from '../lib/stats.ts'
import type { Measured, ResultTable } from '../suite/part.ts'
import { CALLS_A_FRAME, type LatencyWorld, type SideName, type Sizes, WARM_UP_SECONDS } from './latency-world.ts'

export const SHARES = [0.1, 0.25, 0.5, 0.75, 0.9] as const
const QUICK_SHARES = [0.25, 0.5, 0.9] as const
const HALF = 0.5
const COMPILED_SECONDS = { quick: 1, full: 3 } as const
/** One connection carries so many frames at a time. */
const FRAMES_AT_ONCE = 4

export type Load = {
  /** Of the capacity. */
  readonly share: number
  readonly side: SideName | 'frames'
  readonly callsPerSecond: number
  readonly rounds: readonly Timed[]
  /** Of all rounds together. */
  readonly times: Histogram
}

export type Loads = {
  /** Calls a second in a closed loop. */
  readonly capacity: Readonly<Record<SideName, number>>
  readonly loads: readonly Load[]
}

export async function measureLoads(world: LatencyWorld, sizes: Sizes, say: Say): Promise<Loads> {
  const sides = ['zaslon', 'bare'] as const
  // The first seconds of either are those of code that is not compiled yet: half of what it does would be a sixth.
  for (const side of sides)
    await generate({ ...world.sides[side], seconds: COMPILED_SECONDS[sizes.isQuick ? 'quick' : 'full'] })
  const closed = await interleave(sides, sizes.rowRounds, async (side) => {
    say(`closed loop, ${side}`)
    const run = { ...world.sides[side], seconds: sizes.seconds, warmupSeconds: WARM_UP_SECONDS }
    return (await generate(run)).answeredCalls / sizes.seconds
  })
  const capacity = { zaslon: median(closed.zaslon), bare: median(closed.bare) }
  const loads: Load[] = []
  for (const share of sizes.isQuick ? QUICK_SHARES : SHARES) {
    const isHalf = share === HALF
    const rate = capacity.zaslon * share
    const measure = (side: SideName) => {
      say(`${share * 100} % of capacity, ${side}`)
      const seconds = isHalf ? 2 * sizes.seconds : sizes.seconds
      return generateTimed({ ...world.sides[side], rate, seconds, warmupSeconds: WARM_UP_SECONDS })
    }
    const rounds = isHalf ? sizes.rounds : sizes.rowRounds
    const got = await interleave(sides, rounds, measure, { isWarm: sizes.isQuick })
    for (const side of sides) loads.push(loadOf(share, side, rate, got[side]))
  }
  loads.push(await measureFrames(world, sizes, say))
  return { capacity, loads }
}

async function measureFrames(world: LatencyWorld, sizes: Sizes, say: Say): Promise<Load> {
  const run = { ...world.socket, depth: FRAMES_AT_ONCE, seconds: sizes.seconds, warmupSeconds: WARM_UP_SECONDS }
  const closed: number[] = []
  for (let at = 0; at < sizes.rowRounds; at++) {
    say('closed loop, frames')
    closed.push((await generate(run)).answeredCalls / sizes.seconds)
  }
  const callsPerSecond = median(closed) * HALF
  const rounds: Timed[] = []
  for (let at = 0; at < sizes.rowRounds; at++) {
    say('half of capacity, frames')
    rounds.push(await generateTimed({ ...run, rate: callsPerSecond / CALLS_A_FRAME }))
  }
  return loadOf(HALF, 'frames', callsPerSecond, rounds)
}

function loadOf(share: number, side: Load['side'], callsPerSecond: number, rounds: readonly Timed[]): Load {
  const times = emptyTimes()
  for (const one of rounds) times.add(one.times)
  return { share, side, callsPerSecond, rounds, times }
}

export function halfLoad({ loads }: Loads, side: SideName): Load {
  const found = loads.find((load) => load.share === HALF && load.side === side)
  if (found === undefined) throw new Error(`Half of capacity was not measured for ${side}.`)
  return found
}

export function measuredHalf(loads: Loads): {
  readonly 'half-p99': Measured
  readonly 'half-p999': Measured
  readonly 'half-p999-vs-bare': Measured
} {
  const [ours, bare] = [halfLoad(loads, 'zaslon'), halfLoad(loads, 'bare')]
  const at = (load: Load, percent: number) => load.rounds.map(({ times }) => percentileMs(times, percent))
  const note = `generator late by ${round(median(ours.rounds.map(({ meanLateMs }) => meanLateMs)))} ms on average, ${round(median(ours.rounds.map(({ maxLateMs }) => maxLateMs)))} ms at most`
  return {
    'half-p99': measuredFrom(at(ours, 99), note),
    'half-p999': measuredFrom(at(ours, 99.9), note),
    'half-p999-vs-bare': measuredFrom(ratios(at(ours, 99.9), at(bare, 99.9))),
  }
}

const NAMES = { zaslon: 'HTTP POST', bare: 'bare uWebSockets.js', frames: `binary WebSocket, ${CALLS_A_FRAME} a frame` }

export function loadsTable({ capacity, loads }: Loads): ResultTable {
  const sorted = [...loads].sort((a, b) => a.share - b.share)
  return {
    title: 'Milliseconds from the intended time to the answer, by load (all rounds together)',
    head: [
      'side',
      'of capacity',
      'calls/s',
      'p50',
      'p99',
      'p99.9',
      'p99.99',
      'most',
      'failed',
      'overloaded',
      'generator late: mean',
      'most',
    ],
    rows: sorted.map((load) => [
      NAMES[load.side],
      `${load.share * 100} %`,
      Math.round(load.callsPerSecond),
      ...[50, 99, 99.9, 99.99, 100].map((percent) => round(percentileMs(load.times, percent))),
      load.rounds.reduce((total, { errors, unanswered }) => total + errors + unanswered, 0),
      load.rounds.reduce((total, { overloaded }) => total + overloaded, 0),
      round(median(load.rounds.map(({ meanLateMs }) => meanLateMs))),
      Math.max(...load.rounds.map(({ maxLateMs }) => maxLateMs)),
    ]),
    note:
      `Capacity is what a closed loop of 32 connections gets: ${Math.round(capacity.zaslon)} calls/s here, ` +
      `${Math.round(capacity.bare)} of the bare app, which is measured at the same rates as ours. A call that failed or got no answer counts as one of 26.8 s. Server on one core, generator ` +
      'on the other, all of them with a higher priority where the bench may give it; the time that the generator itself is late (it waits for its core, or for a free connection) is in every figure.',
  }
}
