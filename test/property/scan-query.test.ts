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
import { parseQuery } from '../../src/transports/data-plane/parse-query.ts'
import { createCall, createCallReader, numberReaders } from '../../src/transports/data-plane/read-call.ts'
import { createPlainCallReader } from '../../src/transports/data-plane/read-plain-call.ts'
import { createSpans, SPAN } from '../../src/transports/data-plane/scan-event.ts'
import { scanQuery } from '../../src/transports/data-plane/scan-query.ts'
import { HOME, NO_TRUNK, NOW, openWorld } from '../fixtures/screening-world.ts'

const { screener } = openWorld({ trunks: [{ ...NO_TRUNK, name: 'north-1', kind: 'international' }] })
const dependencies = { screener, now: () => NOW, ...numberReaders(HOME) }
const reader = createCallReader({ deadlineMs: 50 }, dependencies)
const plainReader = createPlainCallReader(reader, dependencies)
const spans = createSpans()
const bytes = Buffer.from(new ArrayBuffer(512))

type Read = { readonly call: Call; readonly callId: string }

function scanned(query: string): Read | undefined {
  if (!scanQuery(query, bytes, spans)) return undefined
  const call = createCall()
  plainReader.readCall(bytes, spans, 0, call, NOW)
  return { call, callId: bytes.toString('latin1', spans[SPAN.callId], spans[SPAN.callId + 1]) }
}

/** Undefined for a query that is refused. */
function parsed(query: string): Read | undefined {
  const parameters = parseQuery(query)
  if (parameters === undefined) return undefined
  const call = createCall()
  return { callId: reader.readQuery(parameters, call, NOW), call }
}

const number = fc.oneof(
  fc.constantFrom('+79161234567', '79161234567', '112', '', 'anonymous', 'sip:+79160000002@x', '810442079460018'),
  fc.bigInt({ min: 0n, max: 10n ** 17n }).map(String),
)
const oneOf = (...names: readonly (readonly string[])[]) => fc.constantFrom(...names.flat(), 'x', '', 'toString')
const plainText = fc.string({ maxLength: 40 }).filter((text) => !/["\\]/.test(text) && !text.startsWith(' '))
/** What a switch writes: the scan must take it. */
const plainCall = fc
  .record(
    {
      caller: number,
      callee: number,
      redirecting: number,
      trunk: oneOf(['north-1', 'b']),
      kind: oneOf(INGRESS_KINDS),
      attest: oneOf(ATTESTATIONS),
      verstat: oneOf(VERSTATS),
      originating: oneOf(CONFIRMATIONS),
      roaming: oneOf(CONFIRMATIONS),
      treatment: oneOf(TREATMENTS),
      deadlineAt: fc.constantFrom('2026-03-01T12:00:00.020Z', 'soon', '', String(NOW + 20)),
      callId: plainText,
    },
    { requiredKeys: ['caller'] },
  )
  .map((call) => Object.entries(call))
const encoded = (pairs: readonly (readonly [string, string])[]) =>
  pairs.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join('&')
const damage = fc.array(
  fc.record({
    at: fc.nat(300),
    removed: fc.nat(2),
    put: fc.oneof(
      fc.constantFrom(
        '%',
        '&',
        '=',
        '+',
        '%20',
        '%2B',
        '%2b7',
        '%zz',
        '%C3%A9',
        '%00',
        '%22',
        'é',
        'ж',
        ' ',
        '"',
        '\\',
      ),
      fc.constantFrom('&caller=1', '&x=1', '&caller', '&&', 'type=call', '&answered=true', '&__proto__=1'),
      fc.string({ maxLength: 2 }),
    ),
  }),
  { minLength: 1, maxLength: 3 },
)

describe('a scanned query', () => {
  it('is read as parseQuery reads it, and a call as switches write it is always scanned', () => {
    fc.assert(
      fc.property(plainCall, fc.boolean(), (pairs, isEscaped) => {
        const query = isEscaped ? encoded(pairs) : encoded(pairs).replaceAll('%2B', '+').replaceAll('%3A', ':')
        expect(scanned(query), query).toEqual(parsed(query))
      }),
      { numRuns: 3_000 },
    )
  })

  it('is one that parseQuery reads the same, whatever was done to it', () => {
    fc.assert(
      fc.property(plainCall, damage, (pairs, changes) => {
        let query = encoded(pairs)
        for (const { at, removed, put } of changes) {
          const from = at % (query.length + 1)
          query = query.slice(0, from) + put + query.slice(from + removed)
        }
        const found = scanned(query)
        if (found !== undefined) expect(found, query).toEqual(parsed(query))
      }),
      { numRuns: 20_000 },
    )
  })

  it.each([
    '',
    'caller',
    'caller=1&',
    '&caller=1',
    'caller=1&&callee=2',
    'caller=1&caller=2',
    'caller=&caller=',
    'other=1',
    'caller=1&other',
    'type=call',
    'answered=true',
    'ingress=a',
    '=1',
    'caller=%2',
    'caller=%2x',
    'caller=%207',
    'callId=%22',
    'callId=a%00',
    'callId=é',
    'callId=%C3%A9',
    'callId=\u0142',
  ])('is not %j: parseQuery has the word', (query) => {
    expect(scanQuery(query, bytes, spans)).toBe(false)
  })

  it('fits the memory for it, or is none', () => {
    const ofLength = (length: number) => `callId=${'a'.repeat(length - 'callId='.length)}`
    expect(scanQuery(ofLength(511), bytes, spans)).toBe(true)
    expect(spans[SPAN.callId + 1]).toBe(511)
    expect(scanQuery(ofLength(512), bytes, spans)).toBe(false)
  })
})
