import type { Verdict } from '../../../src/domain/verdict.ts'
import {
  ANSWER_WITHIN_MS,
  type CallerGroup,
  type CallsTaken,
  LATE_AFTER_MS,
  nothingTaken,
  STALE_WITHIN_MS,
  WRONG_KEPT_MAX,
} from './calls.ts'

/** One call from its intended time to its answer. Times are of performance.now() of the asking thread. */
export type Call = {
  readonly id: string
  readonly group: CallerGroup
  readonly caller: string
  readonly dueMs: number
  /** When the asking thread came to it: the deadline it is sent with counts from here, so its own lateness is not the service's. */
  readonly begunMs: number
  sentMs: number
  /** Local port of its connection, 0 before it is sent. */
  localPort: number
  isOver: boolean
}

type Known = { readonly allowed: readonly Verdict[]; readonly previous: readonly Verdict[]; readonly sinceMs: number }
type Stall = { readonly fromMs: number; readonly toMs: number }

/** A turn of the asking thread takes well under this when the machine lets it. */
const STALL_FROM_MS = 3
const STALLS_KEPT = 2_000

/** Counts what becomes of calls and judges their verdicts. Used by one thread. */
export type CallLedger = {
  onTurn(nowMs: number): void
  /** What was allowed before holds for calls that are on their way. */
  onKnown(caller: string, allowed: readonly Verdict[], previous: readonly Verdict[], nowMs: number): void
  begin(call: Call): void
  answer(call: Call, verdict: string, codes: readonly string[], nowMs: number): void
  fail(call: Call, how: 'cut' | 'silent' | 'unsent' | 'refused'): void
  /** Calls that have waited too long; they are counted. */
  overdue(nowMs: number): Call[]
  take(): CallsTaken
  readonly current: CallsTaken
}

export function createCallLedger(): CallLedger {
  const known = new Map<string, Known>()
  const pending: Call[] = []
  const stalls: Stall[] = []
  let taken = nothingTaken()
  let turnMs = Number.NaN
  /** How long the asking thread did not run before this turn: answers may have come meanwhile, and are read in it. */
  let gapMs = 0
  let answeredMs = Number.NaN
  let failedFromMs = Number.NaN

  /** How long this thread did not run between two moments. */
  function stalledBetween(fromMs: number, toMs: number): number {
    let sum = 0
    for (let i = stalls.length - 1; i >= 0; i--) {
      const stall = stalls[i]
      if (stall === undefined || stall.toMs < fromMs) break
      sum += Math.max(0, Math.min(stall.toMs, toMs) - Math.max(stall.fromMs, fromMs))
    }
    return sum
  }

  function judge(call: Call, verdict: string, isMarked: boolean): void {
    const now = known.get(call.caller)
    const isOnItsWay = now !== undefined && now.sinceMs >= call.sentMs
    const allowed: readonly string[] =
      now === undefined ? call.group.allowed : isOnItsWay ? [...now.previous, ...now.allowed] : now.allowed
    const isBlockedInVain = call.group.isNeverBlocked && verdict === 'block'
    if (!isBlockedInVain && (isMarked || allowed.includes(verdict))) return
    const isFresh = now !== undefined && call.sentMs - now.sinceMs < STALE_WITHIN_MS
    const wasRight = (now?.previous as readonly string[] | undefined)?.includes(verdict) === true
    if (isFresh && wasRight && !isBlockedInVain) {
      taken.stale++
      return
    }
    taken.wrongCount++
    const { caller, group } = call
    if (taken.wrong.length < WRONG_KEPT_MAX) taken.wrong.push({ caller, group: group.name, got: verdict, allowed })
  }

  return {
    onTurn(nowMs) {
      gapMs = nowMs - turnMs > STALL_FROM_MS ? nowMs - turnMs : 0
      if (gapMs > 0) {
        stalls.push({ fromMs: turnMs, toMs: nowMs })
        if (stalls.length > STALLS_KEPT) stalls.shift()
      }
      turnMs = nowMs
      if (nowMs - answeredMs > taken.longestSilenceMs) taken.longestSilenceMs = nowMs - answeredMs
    },
    onKnown: (caller, allowed, previous, nowMs) => void known.set(caller, { allowed, previous, sinceMs: nowMs }),
    begin(call) {
      taken.asked++
      taken.lateness.push(call.begunMs - call.dueMs)
      if (Number.isNaN(answeredMs)) answeredMs = call.begunMs
      pending.push(call)
    },
    answer(call, verdict, codes, nowMs) {
      if (call.isOver) return
      call.isOver = true
      answeredMs = nowMs
      const latencyMs = nowMs - call.dueMs
      const isMarked = codes.includes('overloaded') || codes.includes('not-ready')
      taken.answered++
      taken.latencies.push(latencyMs)
      if (isMarked) taken.overloaded++
      // The turn that reads this answer may be the late one.
      const ownMs = stalledBetween(call.dueMs, nowMs) + (nowMs - turnMs > STALL_FROM_MS ? nowMs - turnMs : 0)
      if (!isMarked && latencyMs - ownMs > LATE_AFTER_MS) taken.late++
      if (!isMarked) taken.unmarkedMaxMs = Math.max(taken.unmarkedMaxMs, latencyMs - ownMs)
      judge(call, verdict, isMarked)
    },
    fail(call, how) {
      if (call.isOver) return
      call.isOver = true
      taken[how]++
      if (call.localPort > 0) taken.unansweredPorts[call.localPort] = (taken.unansweredPorts[call.localPort] ?? 0) + 1
      if (Number.isNaN(failedFromMs)) failedFromMs = call.dueMs
      taken.unansweredForMs = Math.max(taken.unansweredForMs, call.dueMs - failedFromMs)
    },
    overdue(nowMs) {
      const late: Call[] = []
      for (let first = pending[0]; first !== undefined; first = pending[0]) {
        if (!first.isOver && nowMs - gapMs - first.begunMs < ANSWER_WITHIN_MS) break
        pending.shift()
        if (!first.isOver) late.push(first)
      }
      return late
    },
    take() {
      const result = taken
      taken = nothingTaken()
      failedFromMs = Number.NaN
      return result
    },
    get current() {
      return taken
    },
  }
}
