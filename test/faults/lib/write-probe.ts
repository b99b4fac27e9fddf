import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round } from '../../../bench/lib/stats.ts'
import { ask, Refusal, type Target } from './api.ts'
import type { Acknowledged } from './changes.ts'
import { numberIn } from './numbers.ts'
import type { World } from './world.ts'

/**
 * Reports at a steady pace over all partitions, each of another number: how long a write takes at most, and for how long
 * after a fault some are not recorded. Open loop: times count from the moment a report is meant to be sent at.
 */
export type WriteProbe = {
  /** The fault begins now. */
  mark(): void
  /** Milliseconds from the mark until everything is recorded again; undefined while something of the last second was not. */
  recordedAgainMs(): number | undefined
  readonly reports: Acknowledged['reports']
  /** Ends it and writes its figures. */
  stop(): Promise<ProbeSummary>
}
type ProbeSummary = {
  readonly writes: number
  readonly recorded: number
  readonly queued: number
  readonly refused: number
  readonly unanswered: number
  /** From the intended time. */
  readonly longestMs: number
  /** What this process was late to send, at most: it reads answers as late. */
  readonly latenessMs: number
  readonly recordedAgainMs: number
  /** False: the neighbours took the processor from this process, and from the service: times say nothing about it. */
  readonly isCalm: boolean
}

type Write = { readonly dueMs: number; readonly tookMs: number; readonly state: string }

const QUIET_MS = 1_000
const CALM_LATENESS_MS = 40

export function startWriteProbe(world: World, target: Target, options: { seed: number; everyMs?: number }): WriteProbe {
  const { seed, everyMs = 20 } = options
  const writes: Write[] = []
  const reports: Acknowledged['reports'] = []
  const lateness: number[] = []
  const open = new Set<Promise<void>>()
  let markedMs = Number.NaN
  let isOver = false

  async function write(index: number, dueMs: number): Promise<void> {
    const number = numberIn('reported', seed + index)
    const sentMs = performance.now()
    lateness.push(sentMs - dueMs)
    const took = () => performance.now() - dueMs
    try {
      const body = { number, channel: 'hotline', scenario: 'bank', reporter: `w-${seed}` }
      const { reportId, state } = await ask<{ reportId: string; state: string }>(target, 'POST', '/v1/reports', body)
      writes.push({ dueMs, tookMs: took(), state })
      reports.push({ reportId, number, state })
    } catch (error) {
      writes.push({ dueMs, tookMs: took(), state: error instanceof Refusal ? error.code : 'unanswered' })
    }
  }

  const running = (async () => {
    const startMs = performance.now()
    for (let index = 0; !isOver; index++) {
      const dueMs = startMs + index * everyMs
      if (dueMs > performance.now()) await sleep(dueMs - performance.now())
      const one = write(index, dueMs).finally(() => open.delete(one))
      open.add(one)
    }
    await Promise.all(open)
  })()
  /** The last of the writes that were not recorded, up to a second in which all were. */
  const lastMissed = () => {
    let lastMs = markedMs
    const missed = writes.filter(({ dueMs, state }) => dueMs >= markedMs && state !== 'recorded')
    for (const { dueMs } of missed.sort((one, other) => one.dueMs - other.dueMs)) {
      if (dueMs - lastMs >= QUIET_MS) break
      lastMs = dueMs
    }
    return lastMs
  }
  const recordedAgain = () => lastMissed() - markedMs
  return {
    mark() {
      markedMs = performance.now()
    },
    recordedAgainMs() {
      const nowMs = performance.now()
      return nowMs - lastMissed() < QUIET_MS ? undefined : recordedAgain()
    },
    reports,
    async stop() {
      isOver = true
      await running
      const count = (...states: string[]) => writes.filter(({ state }) => states.includes(state)).length
      const latenessMs = round(Math.max(...lateness))
      const summary = {
        isCalm: latenessMs <= CALM_LATENESS_MS,
        writes: writes.length,
        recorded: count('recorded'),
        queued: count('queued'),
        refused: writes.length - count('recorded', 'queued', 'unanswered'),
        unanswered: count('unanswered'),
        longestMs: round(Math.max(...writes.map(({ tookMs }) => tookMs))),
        latenessMs,
        recordedAgainMs: Number.isNaN(markedMs) ? 0 : round(recordedAgain()),
      }
      world.figure('probe writes', summary.writes)
      world.figure('probe queued', summary.queued)
      world.figure('probe refused', summary.refused + summary.unanswered)
      const healthy = writes.filter(({ state }) => state === 'recorded').map(({ tookMs }) => tookMs)
      world.figure('recorded write median ms', round(quantile(healthy, 0.5)))
      world.figure('longest write ms', summary.longestMs)
      world.figure('own lateness max ms', latenessMs)
      if (!Number.isNaN(markedMs)) world.figure('recorded again ms', summary.recordedAgainMs)
      return summary
    },
  }
}
