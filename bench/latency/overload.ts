/** More calls than can be answered: what is still answered in time, and how soon all is well again. */
import { type Answered, generate, generateAnswered, OVERLOADED } from '../generator/generator.ts'
import { interleave, ratios } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import type { Say } from '../lib/run-bench.ts'
import { privateMiB } from '../lib/service-client.ts'
import { median, quantile, round } from '../lib/stats.ts'
import type { Measured, ResultTable } from '../suite/part.ts'
import { holdToShare } from './core-share.ts'
import { CALLS_A_FRAME, DEADLINE_MS, type LatencyWorld, type Sizes, WARM_UP_SECONDS } from './latency-world.ts'
import { recoverySeconds, windowsOf } from './windows.ts'

/** Of its core: the generator on the other one can then send four times of what is answered. */
const CORE_SHARE = 0.25
const FACTORS = { full: [1.1, 2, 4], quick: [1.1, 4] } as const
/** A switch that waited for a connection for all of the 50 ms would send what cannot be answered in time any more. */
const PATIENCE_MS = DEADLINE_MS / 2
const MEMORY_EVERY_MS = 100
/** As long as it takes to tell a p99 of some thousand calls a second, and known to a tenth of a second. */
const WINDOWS = { widthMs: 500, stepMs: 100 } as const
const BURST = { beforeSeconds: 1, seconds: 2, afterSeconds: 3, baseShare: 0.5, factor: 4 } as const
/** No window begins later. */
const SEEN_SECONDS = BURST.afterSeconds - WINDOWS.widthMs / 1_000

export type Offered = {
  /** All of it, calls a second. */
  readonly offered: number
  /** Answered with a verdict within the deadline; answered "overloaded"; never sent. */
  readonly good: number
  readonly overloaded: number
  readonly givenUp: number
  /** Of calls that got a verdict. */
  readonly p99Ms: number
  readonly mostMs: number
  readonly grownMiB: number
}

export type Overload = {
  readonly means: string
  readonly peak: readonly number[]
  readonly offered: ReadonlyMap<number, readonly Offered[]>
  readonly recoverySeconds: readonly (number | undefined)[]
  /** The same with more patience, more connections, deep pipelines: what the caps of a switch are for. */
  readonly others: readonly { readonly name: string; readonly peak: number; readonly offered: Offered }[]
}

type Shape = {
  readonly connections: number
  readonly depth: number
  readonly patienceMs: number
  readonly isSocket: boolean
}
const STANDARD: Shape = { connections: 32, depth: 1, patienceMs: PATIENCE_MS, isSocket: false }
const OTHERS: readonly [name: string, shape: Shape][] = [
  ['a switch that waits 50 ms for a connection', { ...STANDARD, patienceMs: DEADLINE_MS }],
  ['256 connections', { ...STANDARD, connections: 256 }],
  ['1,024 connections', { ...STANDARD, connections: 1_024 }],
  ['binary WebSocket, 32 connections, 1 frame at a time', { ...STANDARD, isSocket: true }],
  ['binary WebSocket, 32 connections, 64 frames at a time', { ...STANDARD, isSocket: true, depth: 64 }],
]

export async function measureOverload(world: LatencyWorld, sizes: Sizes, say: Say): Promise<Overload> {
  const held = await holdToShare([world.verdictPid], CORE_SHARE)
  try {
    say(`overload; ${held.means}`)
    const factors = sizes.isQuick ? FACTORS.quick : FACTORS.full
    const sides = ['peak', ...factors.map(String)]
    let peak = await peakOf(world, STANDARD, sizes.seconds)
    const measure = async (side: string) => {
      say(`overload: ${side}`)
      if (side === 'peak') {
        peak = await peakOf(world, STANDARD, sizes.seconds)
        return peak
      }
      return offer(world, STANDARD, peak * Number(side), sizes.seconds)
    }
    const results = await interleave(sides, sizes.rounds, measure, { isWarm: sizes.isQuick })
    const recoveries: (number | undefined)[] = []
    for (let at = 0; at < sizes.rowRounds; at++) {
      say('overload: recovery')
      recoveries.push(await recoverFrom(world, peak))
    }
    const others = []
    for (const [name, shape] of sizes.isQuick ? [] : OTHERS) {
      say(`overload: ${name}`)
      const itsPeak = await peakOf(world, { ...shape, depth: Math.min(shape.depth, 4) }, sizes.seconds)
      for (const factor of [1.1, 4]) {
        const offered = await offer(world, shape, itsPeak * factor, sizes.seconds)
        others.push({ name: `${name}, ${factor} times`, peak: itsPeak, offered })
      }
    }
    return {
      means: held.means,
      peak: (results.peak ?? []) as number[],
      offered: new Map(factors.map((factor) => [factor, (results[String(factor)] ?? []) as Offered[]])),
      recoverySeconds: recoveries,
      others,
    }
  } finally {
    await held.release()
  }
}

function runOf(world: LatencyWorld, { connections, depth, isSocket }: Shape) {
  return { ...(isSocket ? world.socketDeadline : world.deadline), connections, depth, warmupSeconds: WARM_UP_SECONDS }
}

/** Calls a second in a closed loop. */
async function peakOf(world: LatencyWorld, shape: Shape, seconds: number): Promise<number> {
  const got = await generate({ ...runOf(world, shape), seconds })
  return got.answeredCalls / got.seconds
}

async function offer(world: LatencyWorld, shape: Shape, calls: number, seconds: number): Promise<Offered> {
  const perRequest = shape.isSocket ? CALLS_A_FRAME : 1
  const run = { ...runOf(world, shape), rate: calls / perRequest, seconds, patienceMs: shape.patienceMs }
  const before = privateMiB(world.verdictPid)
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, privateMiB(world.verdictPid))
  }, MEMORY_EVERY_MS)
  const got = await generateAnswered(run).finally(() => clearInterval(watch))
  const times = verdictTimes(got)
  const inTime = times.filter((ms) => ms <= DEADLINE_MS).length * perRequest
  return {
    offered: calls,
    // In a frame some calls may be late: their share is taken off.
    good: Math.max(0, inTime - (shape.isSocket ? got.overloaded : 0)) / seconds,
    overloaded: got.overloaded / seconds,
    givenUp: (got.givenUp * perRequest) / seconds,
    // Of none at all nobody had a verdict in all that time.
    p99Ms: times.length === 0 ? seconds * 1_000 : quantile(times, 0.99),
    mostMs: times.length === 0 ? seconds * 1_000 : quantile(times, 1),
    grownMiB: most - before,
  }
}

/** Milliseconds of the requests that got no "overloaded" (a frame of several calls counts whatever is in it). */
function verdictTimes({ samples }: Answered): number[] {
  return Array.from(
    samples.filter((sample) => sample < OVERLOADED),
    (sample) => sample / 10_000,
  )
}

async function recoverFrom(world: LatencyWorld, peak: number): Promise<number | undefined> {
  const { beforeSeconds, seconds, afterSeconds, baseShare, factor } = BURST
  const rate = peak * baseShare
  const total = beforeSeconds + seconds + afterSeconds
  const burst = { rate: peak * factor, fromSeconds: beforeSeconds, seconds }
  const run = { ...runOf(world, STANDARD), rate, seconds: total, burst, patienceMs: PATIENCE_MS }
  const windows = windowsOf(await generateAnswered(run), WINDOWS, total)
  const toSteps = (count: number) => Math.round((count * 1_000) / WINDOWS.stepMs)
  return recoverySeconds(windows, {
    stepMs: WINDOWS.stepMs,
    before: toSteps(beforeSeconds) - WINDOWS.widthMs / WINDOWS.stepMs + 1,
    end: toSteps(beforeSeconds + seconds),
    calls: (rate * WINDOWS.widthMs) / 1_000,
  })
}

const RECOVERED = `from the end of the overload to the first ${WINDOWS.widthMs} ms with the p99 of before, doubled at most`

export function measuredOverload({ peak, offered, recoverySeconds: recoveries, means }: Overload): {
  readonly 'overload-goodput': Measured
  readonly 'overload-p99': Measured
  readonly 'overload-memory': Measured
  readonly 'overload-recovery': Measured
} {
  const of = (factor: number, field: keyof Offered) => (offered.get(factor) ?? []).map((one) => one[field])
  return {
    'overload-goodput': measuredFrom(
      ratios(of(1.1, 'good'), peak),
      `calls wait ${PATIENCE_MS} ms for one of 32 connections`,
    ),
    'overload-p99': measuredFrom(of(4, 'p99Ms'), means),
    'overload-memory': measuredFrom(of(4, 'grownMiB')),
    'overload-recovery': measuredFrom(
      recoveries.map((seconds) => seconds ?? BURST.afterSeconds),
      recoveries.includes(undefined)
        ? `not seen within ${SEEN_SECONDS} s, ${BURST.afterSeconds} s stands for it`
        : RECOVERED,
    ),
  }
}

export function overloadTable({ peak, offered, others, means }: Overload): ResultTable {
  const row = (name: string, itsPeak: number, rounds: readonly Offered[]) => {
    const of = (field: keyof Offered) => median(rounds.map((one) => one[field]))
    const rates = [of('offered'), of('good'), of('overloaded'), of('givenUp')].map((rate) => Math.round(rate))
    return [name, ...rates, round(of('good') / itsPeak), round(of('p99Ms')), round(of('mostMs')), round(of('grownMiB'))]
  }
  return {
    title: 'Overload: calls a second',
    head: [
      'offered',
      'calls/s',
      'in time',
      'overloaded',
      'given up',
      'in time, to peak',
      'p99 ms',
      'most ms',
      'grown MiB',
    ],
    rows: [
      ...[...offered].map(([factor, rounds]) => row(`${factor} times`, median(peak), rounds)),
      ...others.map((one) => row(one.name, one.peak, [one.offered])),
    ],
    note:
      `The verdict process is held to a share of its core (${means}). Every call says that its answer is of no use ${DEADLINE_MS} ms after it was ` +
      `meant to be sent. 32 connections, one call at a time on each; a call that no connection took within ${PATIENCE_MS} ms is given up, unless ` +
      'the row says otherwise. Those rows are one round each. Times are of calls that got a verdict, from when they were meant to be sent.',
  }
}
