import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import {
  diallingRules,
  formatE164,
  isHomeNumber,
  maskNumber,
  numberLength,
  type ParseMode,
  PHONE_TEXT_LENGTH_MAX,
  parsePhoneNumber,
  prefixRanges,
} from '../../../src/domain/parse-phone-number.ts'
import { isPhoneNumber, NOT_A_NUMBER, type PhoneNumber } from '../../../src/domain/phone-number.ts'
import { isComparable, libraryNumber, readPhoneForms } from '../../support/phone-forms.ts'

const forms = readPhoneForms()

function read(text: string, country: string, mode: ParseMode = 'call'): string {
  const parsed = parsePhoneNumber(text, diallingRules(country), mode)
  if (isPhoneNumber(parsed)) return formatE164(parsed)
  return Object.entries(NOT_A_NUMBER).find(([, value]) => value === parsed)?.[0] ?? String(parsed)
}

const number = (text: string, country = 'RU') => parsePhoneNumber(text, diallingRules(country), 'list') as PhoneNumber

describe('parsePhoneNumber', () => {
  it('has at least 500 hand-checked forms', () => {
    expect(forms.length).toBeGreaterThanOrEqual(500)
  })

  it.each(forms)('line $line, $country: $comment', ({ input, country, inCall, inList }) => {
    expect({ inCall: read(input, country, 'call'), inList: read(input, country, 'list') }).toEqual({ inCall, inList })
  })

  it('agrees with libphonenumber-js wherever it reads a hand-checked form as a possible number', () => {
    let checked = 0
    const differing = forms.filter(({ input, country, inList }) => {
      const theirs = isComparable(input) ? libraryNumber(input, country) : undefined
      if (theirs === undefined) return false
      checked++
      return theirs !== inList
    })
    expect(differing).toEqual([])
    expect(checked).toBeGreaterThan(250)
  })

  it('takes null and undefined as withheld and everything else that is no text as malformed', () => {
    const rules = diallingRules('RU')
    expect(parsePhoneNumber(null, rules, 'call')).toBe(NOT_A_NUMBER.withheld)
    expect(parsePhoneNumber(undefined, rules, 'call')).toBe(NOT_A_NUMBER.withheld)
    for (const value of [79160000002, true, {}, [], ['+79160000002'], Symbol('s'), () => '+79160000002']) {
      expect(parsePhoneNumber(value as unknown as string, rules, 'call')).toBe(NOT_A_NUMBER.malformed)
    }
  })

  it('reads a text of the greatest length and refuses one character more', () => {
    const uri = (length: number) => {
      const name = '"x" <sip:+79160000002@sbc.example.net>'
      return name.replace('x', 'x'.repeat(length - name.length + 1))
    }
    expect(uri(PHONE_TEXT_LENGTH_MAX)).toHaveLength(PHONE_TEXT_LENGTH_MAX)
    expect(read(uri(PHONE_TEXT_LENGTH_MAX), 'RU')).toBe('+79160000002')
    expect(read(uri(PHONE_TEXT_LENGTH_MAX + 1), 'RU')).toBe('malformed')
    expect(read('7'.repeat(PHONE_TEXT_LENGTH_MAX), 'RU')).toBe('tooLong')
  })

  it('counts six digits as a short code and seven as a number too short', () => {
    expect(read('123456', 'RU')).toBe('123456')
    expect(read('1234567', 'RU')).toBe('tooShort')
    expect(isPhoneNumber(number('000000'))).toBe(true)
    expect(number('000000')).toBe(1_000_000)
    expect(number('999999')).toBe(1_999_999)
  })

  it('has no E.164 number among the integers of short codes', () => {
    expect(read('+491234', 'DE')).toBe('tooShort')
    expect(number('+4912345', 'DE')).toBe(4_912_345)
  })
})

describe('diallingRules', () => {
  it('refuses an unknown country', () => {
    for (const country of ['', 'ru', 'XX', '001', '__proto__', 'RUS']) {
      expect(() => diallingRules(country)).toThrow(ScreeningError)
      expect(() => diallingRules(country)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
    }
  })
})

describe('isHomeNumber', () => {
  it.each([
    ['+79160000002', 'RU', true, 'a Russian mobile'],
    ['+74950000001', 'RU', true, 'Moscow'],
    ['+73430000005', 'RU', true, 'Yekaterinburg'],
    ['+78000000010', 'RU', true, 'free phone'],
    ['+77010000006', 'RU', false, 'a Kazakh mobile'],
    ['+76000000006', 'RU', false, '+76 is Kazakhstan too'],
    ['+77010000006', 'KZ', true, 'a Kazakh mobile at home'],
    ['+76000000006', 'KZ', true, '+76 at home'],
    ['+79160000002', 'KZ', false, 'a Russian mobile from Kazakhstan'],
    ['+71234567890', 'RU', false, '+71 belongs to nobody'],
    ['+442079460018', 'RU', false, 'London'],
    ['112', 'RU', true, 'a short code'],
    ['+375290000007', 'RU', false, 'Belarus'],
    ['+12125550123', 'US', true, 'New York'],
    ['+14165550123', 'US', true, 'Toronto: the metadata do not tell Canada apart'],
    ['+12425550123', 'US', false, 'the Bahamas'],
    ['+12425550123', 'BS', true, 'the Bahamas at home'],
    ['+18765550123', 'US', false, 'Jamaica'],
    ['+447624000001', 'GB', false, 'the Isle of Man'],
    ['+442079460018', 'GB', true, 'London at home'],
    ['+2902000', 'SH', true, 'a number shorter than the leading digits looked at'],
  ])('%s seen from %s: %s (%s)', (text, country, expected) => {
    expect(isHomeNumber(number(text, country), diallingRules(country))).toBe(expected)
  })
})

describe('formatE164, numberLength and maskNumber', () => {
  it.each([
    ['+79160000002', '+79160000002', 11, '+7916•••••02'],
    ['+442079460018', '+442079460018', 12, '+44207•••••18'],
    ['+375290000007', '+375290000007', 12, '+375290••••07'],
    ['+2904000', '+2904000', 7, '+2••••00'],
    ['+493023125001812', '+493023125001812', 15, '+49302••••••••12'],
    ['112', '112', 3, '112'],
    ['0890', '0890', 4, '0890'],
    ['01', '01', 2, '01'],
  ])('%s is written %s, has %i digits and is masked %s', (text, written, length, masked) => {
    const parsed = number(text)
    expect(formatE164(parsed)).toBe(written)
    expect(numberLength(parsed)).toBe(length)
    expect(maskNumber(parsed)).toBe(masked)
  })

  it('masks what is no number as its kind', () => {
    expect(maskNumber(NOT_A_NUMBER.withheld)).toBe('withheld')
    expect(maskNumber(NOT_A_NUMBER.tooLong)).toBe('tooLong')
    expect(maskNumber(0)).toBe('malformed')
  })
})

describe('prefixRanges', () => {
  const written = (prefix: string, country: string) =>
    prefixRanges(prefix, diallingRules(country)).map(({ from, to }) => `${from}-${to}`)
  const russian = ['79160000000-79169999999', '791600000000000-791699999999999']

  it.each(['+7916', '7916', '8916', '916', '+7 (916)', '8-916', '8107916'])('reads %s as +7916 in Russia', (prefix) => {
    expect(written(prefix, 'RU')).toEqual(russian)
  })

  it.each([
    ['800', 'RU', '78000000000-78009999999', 'no national number begins with the 0 after 8'],
    ['8800', 'RU', '78000000000-78009999999', 'national prefix'],
    ['+1212555', 'US', '12125550000-12125559999', 'one length'],
    ['212555', 'US', '12125550000-12125559999', 'read at home'],
    ['1212555', 'US', '12125550000-12125559999', 'with 1'],
    ['+12125550123', 'US', '12125550123-12125550123', 'a whole number is a prefix of itself'],
    ['+375', 'RU', '375000000-375999999', 'the shortest Belarusian numbers come first'],
    ['+290', 'RU', '2900000-2909999', 'seven digits in all'],
  ])('%s in %s covers %s (%s)', (prefix, country, first) => {
    expect(written(prefix, country)[0]).toBe(first)
  })

  it.each(['', '+', '*', '+0', '+3', '+999', '+12125550123456', 'abc', '+7x', '++7', '7'.repeat(80)])(
    'finds nothing that begins with "%s"',
    (prefix) => {
      expect(written(prefix, 'US')).toEqual([])
    },
  )
})

describe('the numbering table', () => {
  it('is what its script writes from the installed libphonenumber-js', () => {
    const script = new URL('../../../scripts/generate-numbering-table.mjs', import.meta.url)
    expect(() => execFileSync(process.execPath, [script.pathname, '--check'], { stdio: 'pipe' })).not.toThrow()
  })
})
