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
  /** Calls of the group that were begun, how many they are, and which were late when they were expected: nothing is loaded for those. */
  let begun = 0
  let callsExpected = 0
  let lateBits = 0
  let nextCall = 0
  let callsEnd = 0
  let nextEnd = 0
  let endsEnd = 0

  return {
    expect(calls, callCount, ends, endCount, state) {
      begun = 0
      callsEnd = 0
      lateBits = 0
      callsExpected = state === undefined ? 0 : Math.min(callCount, AHEAD_MAX)
      for (let i = 0; i < callsExpected; i++) {
        const call = calls[i] as Call
        if (isLate(call)) lateBits |= 1 << i
        else inTime[callsEnd++] = call
      }
      nextCall = 0
      nextEnd = callsEnd
      endsEnd = Math.min(nextEnd + endCount, AHEAD_MAX)
      if (state !== undefined && callsEnd > 0) fetchCalls(inTime, callsEnd, state, memory)
      if (endsEnd > nextEnd) fetchEnds(ends, endsEnd - nextEnd, nextEnd, behaviour)
    },
    beginCall(call, state) {
      if (begun < callsExpected) {
        // One that became late meanwhile has its place all the same.
        if ((lateBits & (1 << begun++)) === 0) useAhead(behaviour, nextCall++)
        return
      }
      if (isLate(call)) return
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
