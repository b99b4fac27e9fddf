import { ScreeningError } from '../domain/errors.ts'
import { PARTITIONS } from '../stores/fact.ts'
import type { RecordTrouble } from '../stores/redis/record-follower.ts'
import type { RecordStatus } from '../stores/redis/redis-record-store.ts'

/** What came and went within this time is not said; troubles of many partitions that come together are one line. */
const SAY_EVERY_MS = 500
/** Connections are made and scripts loaded: what is wrong for longer than an ordinary start is said. */
const START_MS = 5_000

export type FollowLogOptions = { readonly everyMs?: number; readonly startMs?: number }

export type FollowLogDependencies = {
  readonly status: () => Pick<RecordStatus, 'states' | 'problem'>
  readonly log: { info(fields: object, text: string): void; warn(fields: object, text: string): void }
}

/** Says in the log when the record is not followed, and when all of it is again. */
export function createFollowLog(
  { everyMs = SAY_EVERY_MS, startMs = START_MS }: FollowLogOptions,
  { status, log }: FollowLogDependencies,
): { trouble(trouble: RecordTrouble): void; stop(): void } {
  const startedMs = performance.now()
  let pending: RecordTrouble[] = []
  let sinceMs: number | undefined = startedMs
  let isFirst = true
  let isSaid = false

  function look(): void {
    const nowMs = performance.now()
    if (nowMs - startedMs < startMs) return
    const { states, problem } = status()
    const following = states.following ?? 0
    const [ofNone] = pending.filter(({ partition }) => partition < 0)
    if (following === PARTITIONS && ofNone === undefined) {
      if (isSaid) log.info({ awaySeconds: secondsSince(sinceMs, nowMs) }, 'the record is followed again')
      isSaid = false
      sinceMs = undefined
    } else if (pending.length > 0 || (isFirst && problem !== undefined)) {
      const [first] = pending
      const known = problem === undefined ? {} : { code: problem.code, problem: problem.detail }
      const found = first === undefined ? known : { partition: first.partition, state: first.state, ...said(first) }
      const which = following === 0 ? 'the record is not followed' : 'some partitions of the record are not followed'
      log.warn({ ...found, others: Math.max(0, PARTITIONS - following - 1) }, which)
      isSaid = true
    }
    pending = []
    isFirst = false
  }
  const timer = setInterval(look, everyMs)
  timer.unref()

  return {
    trouble(trouble) {
      sinceMs ??= performance.now()
      pending.push(trouble)
    },
    stop: () => clearInterval(timer),
  }
}

function said({ error }: RecordTrouble): { code: string; problem: string } {
  const code = error instanceof ScreeningError ? error.code : 'INTERNAL'
  return { code, problem: error instanceof Error ? error.message : String(error) }
}

function secondsSince(sinceMs: number | undefined, nowMs: number): number {
  return sinceMs === undefined ? 0 : Math.round((nowMs - sinceMs) / 100) / 10
}
