import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import {
  BodyCollector,
  createBodyMemory,
  DISCARDED_BYTES_MAX,
} from '../../../src/transports/data-plane/body-collector.ts'
import { createIterationClock } from '../../../src/transports/data-plane/iteration-clock.ts'
import { parseQuery } from '../../../src/transports/data-plane/parse-query.ts'
import { parseTime } from '../../../src/transports/data-plane/parse-time.ts'
import { addHeader, createRequestHead, framingProblem } from '../../../src/transports/data-plane/request-head.ts'

describe('a body collector', () => {
  it('gives back what went in, whatever the chunks, up to the limit and not beyond', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 3_000 }), { maxLength: 20 }), fc.nat(20_000), (chunks, limit) => {
        const memory = createBodyMemory()
        const collector = new BodyCollector(limit, memory)
        for (const chunk of chunks) collector.add(chunk)
        const whole = Buffer.concat(chunks)
        expect(collector.problem?.code).toBe(whole.byteLength > limit ? 'BODY_TOO_LARGE' : undefined)
        if (collector.problem === undefined) expect(Buffer.from(collector.body())).toEqual(whole)
        collector.release()
        expect(memory.usedBytes).toBe(0)
      }),
    )
  })

  it('throws away a bounded amount', () => {
    const collector = new BodyCollector(10, createBodyMemory())
    collector.add(new Uint8Array(10 + DISCARDED_BYTES_MAX))
    expect(collector.isHopeless).toBe(false)
    collector.add(new Uint8Array(1))
    expect(collector.isHopeless).toBe(true)
  })
})

describe('the memory of unfinished bodies', () => {
  it('is shared, bounded, and given back once', () => {
    const memory = createBodyMemory(8_192)
    const collectors = Array.from({ length: 3 }, () => new BodyCollector(100_000, memory))
    for (const collector of collectors) collector.add(new Uint8Array(1))
    expect(memory.usedBytes).toBe(8_192)
    expect(collectors.map(({ problem }) => problem?.code)).toEqual([undefined, undefined, 'QUEUE_FULL'])
    collectors[0]?.add(new Uint8Array(4_096))
    expect(collectors[0]?.problem?.code).toBe('QUEUE_FULL')
    expect(memory.usedBytes).toBe(4_096)
    for (let round = 0; round < 2; round++) for (const collector of collectors) collector.release()
    expect(memory.usedBytes).toBe(0)
  })

  it('keeps a body out for good once a part of it is lost', () => {
    const memory = createBodyMemory(4_096)
    const [first, second] = [new BodyCollector(100, memory), new BodyCollector(10_000, memory)]
    first.add(new Uint8Array(1))
    second.add(new Uint8Array(4_000))
    first.release()
    second.add(new Uint8Array(1))
    expect(second.problem?.code).toBe('QUEUE_FULL')
  })
})

describe('the iteration clock', () => {
  it('stands still within one loop iteration and moves on in the next', async () => {
    const now = vi.fn(() => 100 + now.mock.calls.length)
    const clock = createIterationClock(now)
    expect([clock(), clock(), clock()]).toEqual([101, 101, 101])
    await Promise.resolve()
    expect(clock()).toBe(101)
    await new Promise((resolve) => setImmediate(resolve))
    expect([clock(), clock()]).toEqual([102, 102])
  })
})

describe('a moment', () => {
  it.each([
    [1_772_366_400_000, 1_772_366_400_000],
    ['1772366400000', 1_772_366_400_000],
    ['2026-03-01T12:00:00Z', 1_772_366_400_000],
    ['2026-03-01t12:00:00.000z', 1_772_366_400_000],
    ['2026-03-01T15:00:00.123456+03:00', 1_772_366_400_123],
  ])('is read from %j', (text, expected) => {
    expect(parseTime(text)).toBe(expected)
  })

  it.each([
    undefined,
    null,
    '',
    'now',
    '2026-03-01',
    '2026-03-01T12:00:00',
    '2026-13-01T00:00:00Z',
    {},
    [],
    true,
    Number.NaN,
  ])('is not in %j', (text) => {
    expect(parseTime(text)).toBeNaN()
  })
})

describe('a query', () => {
  it('keeps a plus and decodes the rest once', () => {
    expect(Object.fromEntries(parseQuery('caller=+7916&b=%2B7&c=a%20b&d=%2525&e=x=y&f&g=%zz')!)).toEqual({
      caller: '+7916',
      b: '+7',
      c: 'a b',
      d: '%25',
      e: 'x=y',
      f: '',
      g: '%zz',
    })
  })

  it('never throws', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseQuery(text)))
  })

  it('is ambiguous when an encoded name stands beside the plain one', () => {
    expect(parseQuery('caller=1&c%61ller=2')).toBeUndefined()
  })
})

describe('the length of a request', () => {
  const headOf = (...headers: [string, string][]) => {
    const head = createRequestHead('POST', '/', '')
    for (const [name, value] of headers) addHeader(head, name, value)
    return head
  }

  it.each([
    [[]],
    [[['content-length', '0']]],
    [[['content-length', '999999999999999']]],
    [[['transfer-encoding', 'Chunked']]],
  ] as [string, string][][][])('is plain with %j', (headers) => {
    expect(framingProblem(headOf(...headers))).toBeUndefined()
  })

  it.each([
    [
      [
        ['content-length', '1'],
        ['content-length', '1'],
      ],
    ],
    [[['content-length', '']]],
    [[['content-length', '1e3']]],
    [[['content-length', '9999999999999999']]],
    [[['transfer-encoding', '']]],
    [[['transfer-encoding', 'chunked, chunked']]],
    [
      [
        ['transfer-encoding', 'chunked'],
        ['content-length', ''],
      ],
    ],
    [[['transfer-encoding', 'identity']]],
    [
      [
        ['x-api-key', 'a'],
        ['x-api-key', 'a'],
      ],
    ],
  ] as [string, string][][][])('cannot be trusted with %j', (headers) => {
    expect(framingProblem(headOf(...headers))).toMatchObject({ code: 'HEADER_INVALID' })
  })
})
