import { describe, expect, it } from 'vitest'
import { formatTime, parseTime } from '../../../src/services/parse-time.ts'

describe('parseTime', () => {
  it.each([
    ['2026-03-10T12:00:00Z', '2026-03-10T12:00:00.000Z'],
    ['2026-03-10t12:00:00.123456z', '2026-03-10T12:00:00.123Z'],
    ['2026-03-10 12:00:00+03:00', '2026-03-10T09:00:00.000Z'],
    ['2024-02-29T00:00:00-11:30', '2024-02-29T11:30:00.000Z'],
    [0, '1970-01-01T00:00:00.000Z'],
    ['1773144000000', '2026-03-10T12:00:00.000Z'],
    [253_402_300_799_999, '9999-12-31T23:59:59.999Z'],
  ])('reads %s', (value, expected) => expect(formatTime(parseTime(value) ?? Number.NaN)).toBe(expected))

  it.each([
    '2026-03-10',
    '2026-03-10T12:00:00',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-03-10T25:00:00Z',
    'yesterday',
    '',
    ' 1',
    '1e3',
    -1,
    1.5,
    Number.NaN,
    253_402_300_800_000,
    '9999999999999999',
  ])('refuses %s', (value) => expect(parseTime(value)).toBeUndefined())
})
