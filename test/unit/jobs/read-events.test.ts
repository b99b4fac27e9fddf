import { writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EVENTS_MAX, type EventSource, LATE_MAX_MS, readEvents } from '../../../src/jobs/read-events.ts'
import { parseTime } from '../../../src/services/parse-time.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'

const AT = 1_700_000_000_000
const file = path.join(temporaryDirectory(), 'events.jsonl')

function fileOf(text: string | Uint8Array): EventSource {
  writeFileSync(file, text)
  return { path: file }
}

const read = (source: EventSource, eventsMax = EVENTS_MAX) => [...readEvents(source, { eventsMax }, { parseTime })]
const call = (at: unknown = AT) => ({ type: 'call', at })

describe('recorded events', () => {
  it('are read in their order, blank lines and a candidate aside', () => {
    const lines = [
      '{"type":"candidate","text":"x"}',
      '',
      JSON.stringify(call()),
      ' ',
      '{"type":"end","at":"2023-11-14T22:13:21Z"}\r',
    ]
    expect(read(fileOf(lines.join('\n'))).map(({ type, atMs, place }) => [type, atMs, place])).toEqual([
      ['call', AT, 2],
      ['end', AT + 1_000, 4],
    ])
  })

  it('take a candidate in the first line only, of any length', () => {
    const candidate = JSON.stringify({ type: 'candidate', text: 'x'.repeat(20_000) })
    expect(read(fileOf(`${candidate}\n${JSON.stringify(call())}`))).toHaveLength(1)
    expect(() => read(fileOf(`${JSON.stringify(call())}\n{"type":"candidate"}`))).toThrow('Line 2 has a type')
  })

  it('have 16 KiB at most, in the first line too', () => {
    const line = (bytes: number) => JSON.stringify(call()).padEnd(bytes)
    expect(read(fileOf(`${line(16_384)}\n${line(16_384)}`))).toHaveLength(2)
    expect(() => read(fileOf(line(16_385)))).toThrow('Line 1 has more than 16384 bytes')
    expect(() => read(fileOf(`${line(2)}\n${line(16_385)}`))).toThrow('Line 2 has more than 16384 bytes')
  })

  it('are refused when they are not UTF-8', () => {
    expect(() => read(fileOf(Uint8Array.of(0x22, 0xff, 0x22)))).toThrow('Line 1 is not JSON')
  })

  it('are as many as are taken, and not one more', () => {
    const events = Array(EVENTS_MAX).fill(call())
    expect(read({ events })).toHaveLength(EVENTS_MAX)
    expect(() => read({ events: [...events, call()] })).toThrow(expect.objectContaining({ code: 'EVENTS_TOO_MANY' }))
  })

  it.each(['', '\n \n', '{"type":"candidate"}\n'])('are missed in a file with %j', (text) => {
    expect(() => read(fileOf(text))).toThrow(expect.objectContaining({ code: 'EVENTS_EMPTY' }))
  })

  it('give a clock that never goes back, whatever order they come in', () => {
    const moments = fc.array(fc.integer({ min: AT, max: AT + LATE_MAX_MS }), { minLength: 1 })
    fc.assert(
      fc.property(moments, (times) => {
        const clock = read({ events: times.map(call) })
        expect(clock.map(({ atMs }) => atMs)).toEqual(times.map((_, index) => Math.max(...times.slice(0, index + 1))))
        expect(clock.map(({ isLate }) => isLate)).toEqual(clock.map(({ atMs }, index) => atMs !== times[index]))
      }),
    )
  })

  it('say what is wrong without a number', () => {
    const events = [{ type: 'call', caller: '+79160000002', at: '+79160000002' }]
    expect(() => read({ events })).toThrow('Event 1 has no readable `at`')
    expect(() => read({ events })).not.toThrow('9160000002')
  })
})
