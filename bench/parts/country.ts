/** Three times the calls of a national system and its reports, held for minutes: what the service takes for it. */
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningService } from '../../test/support/run-service.ts'
import { type GeneratorOptions, generate, generateTimed, percentileMs, type Timed } from '../generator/generator.ts'
import { EVENTS, postTraffic, socketBinaryTraffic } from '../generator/traffic.ts'
import { writeTrafficFile } from '../generator/traffic-file.ts'
import { comeFirst } from '../lib/come-first.ts'
import { fillTables } from '../lib/fill-tables.ts'
import { cpuMicroseconds } from '../lib/process-cpu.ts'
import type { Say } from '../lib/run-bench.ts'
import { privateMiB } from '../lib/service-client.ts'
import { everyPid, startWorld } from '../lib/standard-world.ts'
import { round } from '../lib/stats.ts'
import { steadyReports } from '../lib/steady-reports.ts'
import type { Measured, Part, PartResult, ResultTable } from '../suite/part.ts'

const CALLS_PER_SECOND = 21_000
const REPORTS_PER_SECOND = 50_000 / 3_600
const CALLS_A_FRAME = 16
const CONNECTIONS = 32
const WARM_UP_SECONDS = { full: 5, quick: 1 } as const

const FORMS = ['binary WebSocket, 16 a frame', 'HTTP POST'] as const
type Form = (typeof FORMS)[number]
type Held = {
  readonly form: Form
  readonly seconds: number
  /** Percent of one core. */
  readonly serviceCpu: number
  readonly verdictCpu: number
  readonly reports: number
  readonly reportsFailed: number
  readonly memoryMiB: number
  readonly timed: Timed
}

export const part: Part = {
  about: '21,000 calls a second with their ends and 50,000 reports an hour: processor time, p99.99, errors',
  minutes: 6,
  async run({ quick, say }): Promise<PartResult> {
    const listed = quick ? 300_000 : 10_000_000
    const seconds = quick ? 4 : 135
    const service = await startWorld({ listed, isQuick: quick }, say)
    await fillTables(service, listed, quick ? 'quick' : 'full', say)
    comeFirst(everyPid(service))
    const warmUp = quick ? WARM_UP_SECONDS.quick : WARM_UP_SECONDS.full
    const held: Held[] = []
    for (const form of FORMS) {
      const run = { ...trafficOf(form, listed), port: service.verdictPort, connections: CONNECTIONS, comesFirst: true }
      say(`${form}: warm-up`)
      await generate({ ...run, seconds: warmUp })
      held.push(await hold(service, form, { ...run, seconds }, say))
    }
    await service.stop()
    return {
      measured: measuredOf(held),
      tables: [tableOf(held)],
      raw: {
        listed,
        callsPerSecond: CALLS_PER_SECOND,
        reportsPerSecond: REPORTS_PER_SECOND,
        held: held.map(({ timed: { times: _, ...counts }, ...rest }) => ({
          ...rest,
          counts,
        })),
      },
    }
  },
}

function trafficOf(form: Form, listed: number): Pick<GeneratorOptions, 'traffic' | 'rate' | 'socket' | 'depth'> {
  const isFrames = form === FORMS[0]
  const traffic = path.join(os.tmpdir(), `country-${isFrames ? 'frames' : 'post'}.traffic`)
  writeTrafficFile(traffic, isFrames ? socketBinaryTraffic({ listed }, CALLS_A_FRAME) : postTraffic({ listed }), EVENTS)
  if (!isFrames) return { traffic, rate: CALLS_PER_SECOND }
  const socket = { path: '/v1/calls', protocol: 'zaslon.bin.v1' }
  return { traffic, socket, depth: 4, rate: CALLS_PER_SECOND / CALLS_A_FRAME }
}

async function hold(service: RunningService, form: Form, run: GeneratorOptions, say: Say): Promise<Held> {
  say(`${form}: ${run.seconds} s at ${CALLS_PER_SECOND} calls/s`)
  const pids = { all: everyPid(service), verdict: service.pids('verdict') }
  const cpuOf = (which: readonly number[]) => which.reduce((total, pid) => total + cpuMicroseconds(pid), 0)
  const reports = steadyReports(service, REPORTS_PER_SECOND)
  const before = { all: cpuOf(pids.all), verdict: cpuOf(pids.verdict), ms: performance.now() }
  const answered = generateTimed(run)
  // The generator reads its samples back after the last answer: that time is not part of it.
  await Promise.race([answered, sleep(run.seconds * 1_000)])
  const passedUs = (performance.now() - before.ms) * 1_000
  const share = (which: 'all' | 'verdict') => (100 * (cpuOf(pids[which]) - before[which])) / passedUs
  const [serviceCpu, verdictCpu] = [share('all'), share('verdict')]
  const timed = await answered
  await reports.stop()
  const memoryMiB = pids.all.reduce((total, pid) => total + privateMiB(pid), 0)
  return {
    form,
    seconds: run.seconds,
    serviceCpu,
    verdictCpu,
    reports: reports.done,
    reportsFailed: reports.failed,
    memoryMiB,
    timed,
  }
}

/** The form that answers sooner is what a country would take: of one that did not hold the rate the processor time says nothing. */
function measuredOf(held: readonly Held[]): { readonly 'country-cpu': Measured; readonly 'country-p9999': Measured } {
  const p9999 = ({ timed }: Held) => percentileMs(timed.times, 99.99)
  const better = held.reduce((a, b) => (p9999(b) < p9999(a) ? b : a))
  const { meanLateMs, maxLateMs } = better.timed
  return {
    'country-cpu': { value: better.serviceCpu, note: better.form },
    'country-p9999': {
      value: p9999(better),
      note: `${better.form}; generator late by ${round(meanLateMs)} ms on average, ${round(maxLateMs)} ms at most`,
    },
  }
}

function tableOf(held: readonly Held[]): ResultTable {
  return {
    title: `${CALLS_PER_SECOND} calls/s with an end for each, and ${Math.round(REPORTS_PER_SECOND * 3_600)} reports an hour`,
    head: [
      'form',
      'seconds',
      'service, % of a core',
      'verdict process',
      'p50 ms',
      'p99',
      'p99.9',
      'p99.99',
      'most',
      'errors',
      'overloaded',
      'unanswered',
      'reports',
      'failed',
      'MiB',
      'generator late: mean ms',
      'most',
    ],
    rows: held.map(({ form, timed, ...one }) => [
      form,
      one.seconds,
      ...[one.serviceCpu, one.verdictCpu].map(round),
      ...[50, 99, 99.9, 99.99, 100].map((percent) => round(percentileMs(timed.times, percent))),
      timed.errors,
      timed.overloaded,
      timed.unanswered,
      one.reports,
      one.reportsFailed,
      Math.round(one.memoryMiB),
      round(timed.meanLateMs),
      timed.maxLateMs,
    ]),
    note:
      'Service: all its processes, the supervisor and control (which takes the reports) included, on one core. Times are from when a call, or a frame ' +
      `of ${CALLS_A_FRAME}, was meant to be sent; a frame is meant to be sent when it is full, so what its first call waited for the last is not in them.`,
  }
}
