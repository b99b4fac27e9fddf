import { describe, expect, it } from 'vitest'
import { createExpiryParser } from '../../../src/jobs/parse-expiry.ts'

const moscow = createExpiryParser('Europe/Moscow')

describe('an expiry', () => {
  it.each([
    ['2026-08-31', '2026-08-31T20:59:59.999Z'],
    ['31.08.2026', '2026-08-31T20:59:59.999Z'],
    ['2026-08-31T12:00:00Z', '2026-08-31T12:00:00.000Z'],
    ['2026-08-31t12:00:00.5+03:00', '2026-08-31T09:00:00.500Z'],
    ['2026-08-31 12:00:00-00:30', '2026-08-31T12:30:00.000Z'],
    ['2024-02-29', '2024-02-29T20:59:59.999Z'],
    ['1785499200000', '2026-07-31T12:00:00.000Z'],
  ])('reads %s', (text, expected) => {
    expect(new Date(moscow.parse(text)).toISOString()).toBe(expected)
  })

  it.each([
    ['2026-02-30'],
    ['2026-13-01'],
    ['2026-08-31T24:00:00Z'],
    ['2026-08-31T12:00:00'],
    ['31/08/2026'],
    ['1785499200'],
    ['soon'],
    ['0'],
    ['999999999999999'],
  ])('refuses %s', (text) => {
    expect(moscow.parse(text)).toBeNaN()
  })

  it('ends a bare date with its day on both sides of a clock change', () => {
    const berlin = createExpiryParser('Europe/Berlin')
    expect(new Date(berlin.parse('2026-03-28')).toISOString()).toBe('2026-03-28T22:59:59.999Z')
    expect(new Date(berlin.parse('2026-03-29')).toISOString()).toBe('2026-03-29T21:59:59.999Z')
    expect(new Date(berlin.parse('2026-10-25')).toISOString()).toBe('2026-10-25T22:59:59.999Z')
  })

  it('refuses a time zone that does not exist', () => {
    expect(() => createExpiryParser('Mars/Olympus')).toThrow(RangeError)
  })
})
