import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ATTESTATIONS,
  type Call,
  CONFIRMATIONS,
  INGRESS_KINDS,
  TREATMENTS,
  VERSTATS,
} from '../../src/domain/call-event.ts'
import { type CallEnd, createCallEnd } from '../../src/engine/behaviour.ts'
import { isJsonObject, MALFORMED, parseJson } from '../../src/transports/data-plane/json-text.ts'
import { createCall, createCallReader, numberReaders, readCallId } from '../../src/transports/data-plane/read-call.ts'
import { createPlainCallReader } from '../../src/transports/data-plane/read-plain-call.ts'
import {
  createSpans,
  SPAN,
  SPANS_PER_EVENT,
  scanEvent,
  scanEvents,
} from '../../src/transports/data-plane/scan-event.ts'
import { HOME, NO_TRUNK, NOW, openWorld } from '../fixtures/screening-world.ts'

const { screener } = openWorld({
  trunks: ['north-1', '5', 'a'].map((name) => ({ ...NO_TRUNK, name, kind: 'international' as const })),
})
const dependencies = { screener, now: () => NOW, ...numberReaders(HOME) }
const reader = createCallReader({ deadlineMs: 50 }, dependencies)
const plainReader = createPlainCallReader(reader, dependencies)
const spans = createSpans()

type Read = { readonly call: Call; readonly callId: string; readonly type: unknown }

function scanned(bytes: Buffer): Read | undefined {
  if (!scanEvent(bytes, spans)) return undefined
  const call = createCall()
  plainReader.readCall(bytes, spans, 0, call, NOW)
  const textAt = (span: number) => bytes.toString('latin1', spans[span], spans[span + 1])
  return { call, callId: textAt(SPAN.callId), type: textAt(SPAN.type) }
}

/** Undefined for what is no JSON object. */
function parsed(bytes: Buffer): Read | undefined {
  const event = parseJson(bytes.toString('utf8'))
  if (event === MALFORMED || !isJsonObject(event)) return undefined
  const call = createCall()
  const callId = reader.readEvent(event, call, NOW)
  expect(callId).toBe(readCallId(event.callId))
  return { call, callId, type: event.type ?? '' }
}

function expectSame(text: string): void {
  const bytes = Buffer.from(text)
  const found = scanned(bytes)
  if (found !== undefined) expect(found, text).toEqual(parsed(bytes))
}

/** The ends of an array; undefined when the scan gives up. */
function scannedEnds(bytes: Buffer, eventsMax: number): CallEnd[] | undefined {
  const table = createSpans(eventsMax)
  const count = scanEvents(bytes, table)
  if (count < 0) return undefined
  return Array.from({ length: count }, (_, index) => {
    const end = createCallEnd()
    plainReader.readEnd(bytes, table, index * SPANS_PER_EVENT, end)
    return end
  })
}

/** Undefined for what is no array of objects. */
function parsedEnds(bytes: Buffer): CallEnd[] | undefined {
  const events = parseJson(bytes.toString('utf8'))
  if (!Array.isArray(events) || !events.every(isJsonObject)) return undefined
  return events.map((event) => {
    const end = createCallEnd()
    reader.readEnd(event, end)
    return end
  })
}

const oneOf = (...names: readonly (readonly string[])[]) => fc.constantFrom(...names.flat(), 'x', '', 'toString')
const plainText = fc.string({ maxLength: 40 }).filter((text) => !/["\\]/.test(text))
const numberText = fc.oneof(
  fc.constantFrom(
    '+79161234567',
    '79161234567',
    '112',
    '',
    'anonymous',
    'sip:+79160000002@x',
    '+',
    '+7',
    '810442079460018',
  ),
  fc.bigInt({ min: 0n, max: 10n ** 17n }).map(String),
  fc.bigInt({ min: 0n, max: 10n ** 16n }).map((number) => `+${number}`),
)
const integer = fc.integer({ min: 0, max: 999_999_999_999_999 })
const number = fc.oneof(numberText, integer, fc.constant(null))
const optional = { requiredKeys: [] as never[] }
/** What a switch writes: the scan must take it. */
const plainEvent = fc.record(
  {
    callId: fc.oneof(plainText, integer),
    caller: number,
    callee: number,
    redirecting: number,
    ingress: fc.record({ trunk: oneOf(['north-1', '5', 'a', 'b']), kind: oneOf(INGRESS_KINDS) }, optional),
    stir: fc.record({ attest: oneOf(ATTESTATIONS), verstat: oneOf(VERSTATS) }, optional),
    callerStatus: fc.record(
      { originating: oneOf(CONFIRMATIONS), roaming: oneOf(CONFIRMATIONS), ownerOperator: plainText },
      optional,
    ),
    treatment: oneOf(TREATMENTS),
    deadlineAt: fc.oneof(fc.constantFrom('2026-03-01T12:00:00.020Z', 'soon', ''), integer, fc.constant(NOW + 20)),
    at: fc.oneof(integer, plainText, fc.constant(null)),
    type: fc.constantFrom('call', 'end'),
    other: fc.oneof(integer, plainText, fc.constant(null)),
  },
  optional,
)

const duration = fc.oneof(integer, fc.constantFrom(0, null, 86_400_000, 86_400_001))
const plainEnd = fc.record(
  {
    callId: fc.oneof(plainText, integer),
    caller: number,
    callee: number,
    answered: fc.constantFrom(true, false, null),
    ringMs: duration,
    talkMs: duration,
    type: fc.constantFrom('call', 'end'),
    other: fc.oneof(integer, plainText, fc.constant(null)),
  },
  optional,
)

/** Bytes taken out, put in and changed: JSON that was, and JSON of another kind. */
const damage = fc.array(
  fc.record({
    at: fc.nat(400),
    removed: fc.nat(2),
    put: fc.oneof(
      fc.constantFrom(
        '"',
        '\\',
        '{',
        '}',
        ',',
        ':',
        '[',
        ']',
        ' ',
        '\n',
        '\t',
        '\u00a0',
        '\u0000',
        '\u007f',
        'é',
        '0',
        '-',
        '.',
      ),
      fc.constantFrom(
        'e1',
        'null',
        'true',
        '"caller":"1"',
        ',"stir":{"attest":"A"}',
        '"\\u0041"',
        '{}',
        '__proto__',
        'trunk',
        '"answered":true',
        'false',
        ',"talkMs":5',
      ),
      fc.string({ maxLength: 2 }),
    ),
  }),
  { minLength: 1, maxLength: 3 },
)

function damaged(text: string, changes: readonly { at: number; removed: number; put: string }[]): string {
  let changed = text
  for (const { at, removed, put } of changes) {
    const from = at % (changed.length + 1)
    changed = changed.slice(0, from) + put + changed.slice(from + removed)
  }
  return changed
}

describe('scanned call ends', () => {
  it('are read as JSON.parse reads them, and ends as switches write them are always scanned', () => {
    fc.assert(
      fc.property(fc.array(plainEnd, { minLength: 1, maxLength: 4 }), fc.constantFrom(0, 1, '\t'), (ends, indent) => {
        const bytes = Buffer.from(JSON.stringify(ends, undefined, indent))
        expect(scannedEnds(bytes, 4), bytes.toString()).toEqual(parsedEnds(bytes))
      }),
      { numRuns: 3_000 },
    )
  })

  it('are those that JSON.parse reads, whatever was done to the bytes', () => {
    fc.assert(
      fc.property(fc.array(plainEnd, { maxLength: 3 }), damage, (ends, changes) => {
        const bytes = Buffer.from(damaged(JSON.stringify(ends), changes))
        const found = scannedEnds(bytes, 4)
        if (found !== undefined) expect(found, bytes.toString()).toEqual(parsedEnds(bytes))
      }),
      { numRuns: 20_000 },
    )
  })

  it('are as many as there is room for: with one more, JSON.parse has the word', () => {
    const bytes = Buffer.from(JSON.stringify(Array.from({ length: 3 }, () => ({ callId: 'a' }))))
    expect(scannedEnds(bytes, 3)).toHaveLength(3)
    expect(scannedEnds(bytes, 2)).toBeUndefined()
  })

  it.each([
    '[]',
    '[null]',
    '[{}',
    '[{},]',
    '[{}]]',
    '[{}{}]',
    '{}',
    '[{"answered":"true"}]',
    '[{"answered":1}]',
    '[{"answered":tru}]',
    '[{"answered":truefalse}]',
    '[{"ringMs":"4000"}]',
    '[{"talkMs":-1}]',
    '[{"talkMs":1.5}]',
    '[{"other":true}]',
  ])('are not %j: JSON.parse has the word', (text) => {
    expect(scannedEnds(Buffer.from(text), 4)).toBeUndefined()
  })
})

describe('a scanned event', () => {
  it('is read as JSON.parse reads it, and an event as switches write it is always scanned', () => {
    fc.assert(
      fc.property(plainEvent, fc.constantFrom(0, 1, '\t'), (event, indent) => {
        const text = JSON.stringify(event, undefined, indent)
        expect(scanned(Buffer.from(text)), text).toEqual(parsed(Buffer.from(text)))
      }),
      { numRuns: 3_000 },
    )
  })

  it('is one that JSON.parse reads the same, whatever was done to the bytes', () => {
    fc.assert(
      fc.property(plainEvent, damage, (event, changes) => {
        expectSame(damaged(JSON.stringify(event), changes))
      }),
      { numRuns: 20_000 },
    )
  })

  it.each([
    '',
    '{',
    '}',
    '{}x',
    '{,}',
    '{"caller":"1",}',
    '{"caller":"1"}}',
    '{"caller":"1" "callee":"2"}',
    '{"caller" "1"}',
    '{"caller":}',
    '{"ingress":{}',
    '{"ingress":{"trunk":"a"},}',
    '{"ingress":{"trunk":"a",}}',
    '{"caller":01}',
    '{"caller":-1}',
    '{"caller":1.5}',
    '{"caller":1e3}',
    '{"caller":nul}',
    '{"caller":null1}',
    '{"caller":"a\nb"}',
    '{"caller":"1","caller":"2"}',
    '{"ingress":{},"ingress":{"trunk":"a"}}',
    '{"ingress":{"trunk":5}}',
    '{"ingress":{"stir":{}}}',
    '{"treatment":1}',
    '{"caller":"\\u002b7"}',
    '{"callId":"é"}',
    '{"other":{}}',
    '{"other":[1]}',
    '{"callId":1234567890123456}',
    '[]',
    'null',
    '\ufeff{}',
  ])('is not %j: JSON.parse has the word', (text) => {
    expect(scanEvent(Buffer.from(text), spans)).toBe(false)
  })

  it('has a whole number of 15 digits as its text, and no span for what is missing', () => {
    const bytes = Buffer.from(' {"callId":123456789012345 , "ingress" : { } }\r\n')
    expect(scanEvent(bytes, spans)).toBe(true)
    expect(bytes.toString('latin1', spans[SPAN.callId], spans[SPAN.callId + 1])).toBe('123456789012345')
    expect([...spans].filter((place) => place !== 0)).toHaveLength(2)
  })

  it('names its trunk anew when the trunks have changed', () => {
    const world = openWorld({
      trunks: [
        { ...NO_TRUNK, name: 'b' },
        { ...NO_TRUNK, name: 'a' },
      ],
    })
    const fresh = createPlainCallReader(reader, { ...dependencies, screener: world.screener })
    const indexOf = (name: string) => {
      const bytes = Buffer.from(JSON.stringify({ ingress: { trunk: name } }))
      const call = createCall()
      scanEvent(bytes, spans)
      fresh.readCall(bytes, spans, 0, call, NOW)
      return call.trunk
    }
    const before = indexOf('a')
    expect([indexOf('a'), indexOf('b'), indexOf('x'.repeat(65)), indexOf('x')]).toEqual([before, before - 1, 0, 0])
    const trunks = world.snapshot.trunks.filter(({ name }) => name !== 'b')
    world.screener.install({ ...world.snapshot, generation: 2, trunks })
    expect([indexOf('a'), indexOf('b')]).toEqual([before - 1, 0])
  })
})
