import { describe, expect, it } from 'vitest'
import { diallingRules } from '../../../src/domain/parse-phone-number.ts'
import { parseNumberField } from '../../../src/jobs/number-field.ts'

const SHARE_MAX = 0.1

function read(text: string, country = 'RU'): string {
  const field = parseNumberField(text, diallingRules(country), SHARE_MAX)
  if (field.kind === 'refused') return field.reason
  if (field.kind === 'number') return String(field.number)
  return field.ranges.map(({ from, to }) => `${from}-${to}`).join(' ')
}

describe('the first column of a list', () => {
  it.each([
    ['+79160000002', '79160000002'],
    ['8-916-000-00-02', '79160000002'],
    ['8 (916) 000–00–02', '79160000002'],
    ['9160000002', '79160000002'],
    ['112', '1112'],
  ])('reads the number %s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it.each([
    ['+79160000000-+79160000099', '79160000000-79160000099'],
    ['89160000000 - 89160000099', '79160000000-79160000099'],
    ['89160000000–89160000099', '79160000000-79160000099'],
    ['8-916-000-00-00 — 8-916-000-00-99', '79160000000-79160000099'],
    ['+79160000002-+79160000002', '79160000002'],
  ])('reads the range %s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })

  it.each([
    ['98765-43210', 'IN', '919876543210'],
    ['98123-98765', 'IN', '919812398765'],
    ['98765 – 43210', 'IN', '919876543210'],
    ['91234-95678', 'RU', '79123495678'],
    ['6123-4567', 'SG', '6561234567'],
    ['12-34-56-78', 'DK', '4512345678'],
    ['1234-5678', 'DK', '4512345678'],
    ['2345-6789', 'HK', '85223456789'],
  ])('reads %s in %s as one number, not as a range of short codes', (text, country, expected) => {
    expect(read(text, country)).toBe(expected)
  })

  it.each([
    ['112-115', 'RU', '1112-1115'],
    ['1121-1159', 'RU', '11121-11159'],
    ['115-112', 'RU', 'range-reversed'],
    ['112-9160000002', 'RU', 'range-lengths-differ'],
    ['21234567-21234599', 'DK', '4521234567-4521234599'],
    ['1234567-1234599', 'DE', '491234567-491234599'],
  ])('reads %s in %s as a range', (text, country, expected) => {
    expect(read(text, country)).toBe(expected)
  })

  it('reads a prefix as one range for each length', () => {
    expect(read('+7916*')).toBe('79160000000-79169999999 791600000000000-791699999999999')
    expect(read('8916*')).toBe(read('+7916*'))
    expect(read('+1212555*', 'US')).toBe('12125550000-12125559999')
  })

  it.each([
    ['', 'not-a-number'],
    ['BANK', 'alphanumeric'],
    ['+7916', 'too-short'],
    ['7044413819300', 'too-long'],
    ['89160000099-89160000000', 'range-reversed'],
    ['89160000000-9160000099', 'range-lengths-differ'],
    ['89160000000-8916000009999999', 'bad-range'],
    ['*', 'too-wide'],
    ['+*', 'too-wide'],
    ['7*', 'too-wide'],
    ['+3*', 'too-wide'],
    ['+375*', 'too-wide'],
    ['+79000000000-+79999999999', '79000000000-79999999999'],
    ['+79000000000-+80000000000', 'too-wide'],
    ['+78999999999-+79999999999', 'too-wide'],
    ['abc*', 'bad-prefix'],
    ['+9999999*', 'bad-prefix'],
  ])('says of %j: %s', (text, expected) => {
    expect(read(text)).toBe(expected)
  })
})
