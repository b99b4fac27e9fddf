import type { Call } from '../../domain/call-event.ts'
import { createCallEnd } from '../../engine/behaviour.ts'
import { createDecision, type Decision } from '../../engine/decision.ts'
import { AHEAD_MAX, type Screener } from '../../engine/screener.ts'
import { asBuffer, type JsonObject } from './json-text.ts'
import {
  type CallReader,
  type CallReaderDependencies,
  type CallReaderOptions,
  createCall,
  createCallReader,
} from './read-call.ts'
import { createPlainCallReader } from './read-plain-call.ts'
import { createVerdictRenderer, type RenderOptions, type VerdictRenderer } from './render.ts'
import { createSpans, isTextAt, SPAN, SPANS_PER_EVENT, scanEvent, scanEvents } from './scan-event.ts'
import { scanQuery } from './scan-query.ts'
import { createArrayWriter } from './write-answer.ts'

/** Events in one batch: about a millisecond of deciding, well inside the deadline of the last one. */
export const BATCH_EVENTS_MAX = 1_000

/** A longer query than uWebSockets.js lets through is none that a switch writes. */
const QUERY_BYTES_MAX = 4 * 1024

/** What the data plane tells the counters of its thread. */
export type DataPlaneEvents = {
  /** A request, upgrade or frame was refused with a problem (4xx, or 503 for want of room). */
  refused(): void
  /** So many call ends of a request were not noted: a field was of another type. */
  callEndsRefused(count: number): void
  /** A connection beyond the thread's limit was closed. */
  connectionRefused(): void
  socketOpened(): void
  socketFrame(): void
  /** Something threw that must not: a bug. Log it; the request is answered with 500. */
  fault(error: unknown): void
}

export type CallScreeningOptions = CallReaderOptions & RenderOptions

export type CallScreeningDependencies = CallReaderDependencies & { readonly events: DataPlaneEvents }

/**
 * The meaning every route shares: the thread's one Call and one Decision with what fills and what renders them. All
 * synchronous, so that nothing else runs between a read and its render.
 */
export type CallScreening = {
  readonly screener: Screener
  readonly reader: CallReader
  readonly renderer: VerdictRenderer
  readonly events: DataPlaneEvents
  readonly call: Call
  readonly decision: Decision
  readonly now: () => number
  /** One JSON event to its answer as JSON text. */
  answerEvent(event: JsonObject, receivedMs: number, type?: 'verdict'): string
  /**
   * One event in the bytes of its JSON to its answer in bytes, valid until the next one; undefined when only JSON.parse can
   * tell what they are, or when the event is not of the type asked for.
   */
  answerBytes(bytes: Uint8Array, receivedMs: number, type?: 'call'): Uint8Array | undefined
  /** All events of an array, in bytes, to the array of their answers, valid until the next one; undefined as above. */
  answerArray(bytes: Uint8Array, receivedMs: number): Uint8Array | undefined
  /**
   * One call in a query to its answer, valid until the next one; undefined when only parseQuery can tell what it says.
   * `isText`: as one line of text.
   */
  answerQuery(query: string, receivedMs: number, isText: boolean): Uint8Array | string | undefined
  /** Notes one call end. */
  endCall(event: JsonObject): void
  /** Notes all call ends in the bytes of an array. Returns how many; -1, and none is noted, when only JSON.parse can tell what they are. */
  endCalls(bytes: Uint8Array): number
  /** Notes the call end in the bytes of a frame; false, and nothing is noted, when they are no such frame or only JSON.parse can tell. */
  endFrame(bytes: Uint8Array): boolean
}

export function createCallScreening(
  options: CallScreeningOptions,
  dependencies: CallScreeningDependencies,
): CallScreening {
  const { screener, events, now } = dependencies
  const reader = createCallReader(options, dependencies)
  const renderer = createVerdictRenderer(options, screener)
  const call = createCall()
  const decision = createDecision()
  const end = createCallEnd()
  // Of a batch: read before the first is decided, so that their memory is loaded together.
  const calls = Array.from({ length: AHEAD_MAX }, createCall)
  const ends = Array.from({ length: AHEAD_MAX }, createCallEnd)
  const plainReader = createPlainCallReader(reader, dependencies)
  const spans = createSpans()
  const queryBytes = Buffer.from(new ArrayBuffer(QUERY_BYTES_MAX))
  const batchSpans = createSpans(BATCH_EVENTS_MAX)
  const batch = createArrayWriter()

  function answerEvent(event: JsonObject, receivedMs: number, type?: 'verdict'): string {
    const callId = reader.readEvent(event, call, receivedMs)
    screener.screen(call, decision)
    return renderer.json(decision, callId, type)
  }

  function answerBytes(bytes: Uint8Array, receivedMs: number, type?: 'call'): Uint8Array | undefined {
    if (!scanEvent(bytes, spans)) return undefined
    if (type !== undefined && !isOfType(bytes, spans, CALL_TYPE)) return undefined
    plainReader.readCall(asBuffer(bytes), spans, 0, call, receivedMs)
    screener.screen(call, decision)
    const frameType = type === undefined ? undefined : 'verdict'
    return renderer.jsonBytes(decision, bytes, spans[SPAN.callId]!, spans[SPAN.callId + 1]!, frameType)
  }

  function answerArray(bytes: Uint8Array, receivedMs: number): Uint8Array | undefined {
    const count = scanEvents(bytes, batchSpans)
    if (count < 0) return undefined
    const buffer = asBuffer(bytes)
    batch.begin()
    for (let chunk = 0; chunk < count; chunk += AHEAD_MAX) {
      const chunkEnd = Math.min(chunk + AHEAD_MAX, count)
      for (let i = chunk; i < chunkEnd; i++) {
        plainReader.readCall(buffer, batchSpans, i * SPANS_PER_EVENT, calls[i - chunk]!, receivedMs)
      }
      screener.expect(calls, chunkEnd - chunk, ends, 0)
      for (let i = chunk; i < chunkEnd; i++) {
        const next = calls[i - chunk]!
        // Read again: a look-up of one before it that went to disk may have taken longer than its deadline.
        next.nowMs = now()
        screener.screen(next, decision)
        const callId = i * SPANS_PER_EVENT + SPAN.callId
        batch.add(renderer.jsonBytes(decision, bytes, batchSpans[callId]!, batchSpans[callId + 1]!))
      }
    }
    return batch.end()
  }

  function answerQuery(query: string, receivedMs: number, isText: boolean): Uint8Array | string | undefined {
    if (!scanQuery(query, queryBytes, spans)) return undefined
    plainReader.readCall(queryBytes, spans, 0, call, receivedMs)
    screener.screen(call, decision)
    if (isText) return renderer.text(decision)
    return renderer.jsonBytes(decision, queryBytes, spans[SPAN.callId]!, spans[SPAN.callId + 1]!)
  }

  function endCall(event: JsonObject): void {
    reader.readEnd(event, end)
    screener.endCall(end)
  }

  function endCalls(bytes: Uint8Array): number {
    const count = scanEvents(bytes, batchSpans)
    const buffer = asBuffer(bytes)
    for (let chunk = 0; chunk < count; chunk += AHEAD_MAX) {
      const chunkEnd = Math.min(chunk + AHEAD_MAX, count)
      for (let i = chunk; i < chunkEnd; i++) {
        plainReader.readEnd(buffer, batchSpans, i * SPANS_PER_EVENT, ends[i - chunk]!)
      }
      screener.expect(calls, 0, ends, chunkEnd - chunk)
      for (let i = chunk; i < chunkEnd; i++) screener.endCall(ends[i - chunk]!)
    }
    return count
  }

  function endFrame(bytes: Uint8Array): boolean {
    if (!scanEvent(bytes, spans) || !isOfType(bytes, spans, END_TYPE)) return false
    plainReader.readEnd(asBuffer(bytes), spans, 0, end)
    screener.endCall(end)
    return true
  }

  return {
    screener,
    reader,
    renderer,
    events,
    call,
    decision,
    now,
    answerEvent,
    answerBytes,
    answerArray,
    answerQuery,
    endCall,
    endCalls,
    endFrame,
  }
}

const CALL_TYPE = Uint8Array.from('call', (letter) => letter.charCodeAt(0))
const END_TYPE = Uint8Array.from('end', (letter) => letter.charCodeAt(0))

function isOfType(bytes: Uint8Array, spans: Int32Array, type: Uint8Array): boolean {
  return isTextAt(bytes, spans[SPAN.type]!, spans[SPAN.type + 1]!, type)
}
