import { type Counters, countDecisionTime } from '../shm/counters.ts'

/**
 * Two clock readings cost about 60 ns, a tenth of a decision: one decision in so many is timed, for the metrics. A
 * prime: of frames that are all as long no call is timed more often than another.
 */
const TIMED_ONE_IN = 61
const NOT_TIMED = -1

/** From a parsed call to its decision, with its share of the time in which calls of a frame wait for memory together. */
export type DecisionTimer = {
  /** Around what is done for the next calls together. */
  beginGroup(callCount: number): void
  endGroup(callCount: number): void
  /** Around each decision. */
  begin(): void
  end(): void
}

/** `nowNs`: a clock for measuring, in nanoseconds, above zero. */
export function createDecisionTimer(counters: Counters, nowNs: () => number): DecisionTimer {
  let decisions = 0
  let startNs = NOT_TIMED
  let groupStartNs = NOT_TIMED
  let shareNs = 0

  return {
    beginGroup(callCount) {
      const untilTimed = (TIMED_ONE_IN - (decisions % TIMED_ONE_IN)) % TIMED_ONE_IN
      groupStartNs = untilTimed < callCount ? nowNs() : NOT_TIMED
    },
    endGroup(callCount) {
      shareNs = groupStartNs === NOT_TIMED ? 0 : Math.round((nowNs() - groupStartNs) / callCount)
    },
    begin() {
      startNs = decisions++ % TIMED_ONE_IN === 0 ? nowNs() : NOT_TIMED
    },
    end() {
      if (startNs === NOT_TIMED) return
      countDecisionTime(counters, nowNs() - startNs + shareNs)
      shareNs = 0
    },
  }
}
