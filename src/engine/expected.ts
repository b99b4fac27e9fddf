import type { Call } from '../domain/call-event.ts'
import { AHEAD_MAX } from '../shm/ahead.ts'
import { type CallEnd, createCallEnd } from './behaviour.ts'
import type { CompiledState } from './compiled-state.ts'
import { type FetchedMemory, fetchCalls, fetchEnds, useAhead } from './fetch-memory.ts'

/** Calls and ends whose memory is loaded before the first of them is decided. One per thread. */
export type Expected = {
  /** Screener.expect; without a state nothing is loaded. */
  expect(
    calls: readonly Call[],
    callCount: number,
    ends: readonly CallEnd[],
    endCount: number,
    state: CompiledState | undefined,
  ): void
  /** The call is decided now: its memory is there, or is loaded. A call that is late already needs none. */
  beginCall(call: Call, state: CompiledState): void
  beginEnd(end: CallEnd): void
}

export function createExpected(memory: FetchedMemory): Expected {
  const { behaviour } = memory
  const inTime: Call[] = []
  const oneEnd: CallEnd[] = [createCallEnd()]
  let nextCall = 0
  let callsEnd = 0
  let nextEnd = 0
  let endsEnd = 0

  return {
    expect(calls, callCount, ends, endCount, state) {
      callsEnd = 0
      for (let i = 0; i < callCount && callsEnd < AHEAD_MAX && state !== undefined; i++) {
        const call = calls[i] as Call
        if (!isLate(call)) inTime[callsEnd++] = call
      }
      nextCall = 0
      nextEnd = callsEnd
      endsEnd = Math.min(nextEnd + endCount, AHEAD_MAX)
      if (state !== undefined && callsEnd > 0) fetchCalls(inTime, callsEnd, state, memory)
      if (endsEnd > nextEnd) fetchEnds(ends, endsEnd - nextEnd, nextEnd, behaviour)
    },
    beginCall(call, state) {
      if (isLate(call)) return
      if (nextCall < callsEnd) {
        useAhead(behaviour, nextCall++)
        return
      }
      inTime[0] = call
      fetchCalls(inTime, 1, state, memory)
    },
    beginEnd(end) {
      if (nextEnd < endsEnd) {
        useAhead(behaviour, nextEnd++)
        return
      }
      oneEnd[0] = end
      fetchEnds(oneEnd, 1, 0, behaviour)
    },
  }
}

function isLate({ nowMs, deadlineMs }: Call): boolean {
  return nowMs > deadlineMs
}
