import type { Call } from '../../domain/call-event.ts'
import { createCallEnd } from '../../engine/behaviour.ts'
import { createDecision, type Decision } from '../../engine/decision.ts'
import type { Screener } from '../../engine/screener.ts'
import { asBuffer, type JsonObject } from './json-text.ts'
import {
  type CallReader,
  type CallReaderDependencies,
  type CallReaderOptions,
  createCall,
  createCallReader,
  readCallId,
} from './read-call.ts'
import { createPlainCallReader } from './read-plain-call.ts'
import { createVerdictRenderer, type RenderOptions, type VerdictRenderer } from './render.ts'
import { createSpans, isTextAt, SPAN, scanEvent } from './scan-event.ts'

/** What the data plane tells the counters of its thread. */
export type DataPlaneEvents = {
  /** A request, upgrade or frame was refused with a problem (4xx, or 503 for want of room). */
  refused(): void
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
  /** Notes one call end. */
  endCall(event: JsonObject): void
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
  const plainReader = createPlainCallReader(reader, dependencies)
  const spans = createSpans()

  function answerEvent(event: JsonObject, receivedMs: number, type?: 'verdict'): string {
    const callId = reader.readEvent(event, call, receivedMs)
    screener.screen(call, decision)
    return renderer.json(decision, callId, type)
  }

  function answerBytes(bytes: Uint8Array, receivedMs: number, type?: 'call'): Uint8Array | undefined {
    if (!scanEvent(bytes, spans)) return undefined
    if (type !== undefined && !isTextAt(bytes, spans[SPAN.type]!, spans[SPAN.type + 1]!, CALL_TYPE)) return undefined
    plainReader.readScanned(asBuffer(bytes), spans, call, receivedMs)
    screener.screen(call, decision)
    const frameType = type === undefined ? undefined : 'verdict'
    return renderer.jsonBytes(decision, bytes, spans[SPAN.callId]!, spans[SPAN.callId + 1]!, frameType)
  }

  function endCall(event: JsonObject): void {
    end.caller = reader.readNumber(event.caller)
    end.callee = reader.readNumber(event.callee)
    end.answered = event.answered === true
    end.ringMs = durationMs(event.ringMs)
    end.talkMs = durationMs(event.talkMs)
    end.nowMs = now()
    screener.hashCall(end, readCallId(event.callId))
    screener.endCall(end)
  }

  return { screener, reader, renderer, events, call, decision, now, answerEvent, answerBytes, endCall }
}

const CALL_TYPE = Uint8Array.from('call', (letter) => letter.charCodeAt(0))

/** A day: no call rings or talks longer, whatever a switch says. */
const DURATION_MS_MAX = 86_400_000

function durationMs(value: unknown): number {
  return typeof value === 'number' && value > 0 ? Math.min(value, DURATION_MS_MAX) : 0
}
