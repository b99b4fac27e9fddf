import { describe, expect, it } from 'vitest'
import { diallingRules, parsePhoneNumber } from '../../../src/domain/parse-phone-number.ts'
import { createPseudonyms, PSEUDONYM_KEY_BYTES_MIN } from '../../../src/services/pseudonym.ts'

const rules = diallingRules('RU')
const open = (fill: number) =>
  createPseudonyms({ key: new Uint8Array(32).fill(fill) }, { parse: (text) => parsePhoneNumber(text, rules, 'call') })

describe('pseudonyms', () => {
  const pseudonyms = open(1)

  it.each([
    '+79161234567',
    '79161234567',
    '89161234567',
    '8 (916) 123-45-67',
    'tel:+79161234567',
    '810 7 916 123 45 67',
  ])('gives one pseudonym for one number: %s', (text) =>
    expect(pseudonyms.reporter(text)).toBe(pseudonyms.reporter('+79161234567')),
  )

  it('keeps numbers, ids and short codes apart', () => {
    const all = ['+79161234567', '+79161234568', 'abc', 'ABC', '112', '0112', 'id 112'].map((text) =>
      pseudonyms.reporter(text),
    )
    expect(new Set(all).size).toBe(all.length)
    for (const pseudonym of all) expect(pseudonym).toMatch(/^[0-9a-f]{32}$/)
  })

  it('does not let an id pass for a number', () => {
    expect(pseudonyms.reporter('reporter-number\0 79161234567')).not.toBe(pseudonyms.reporter('+79161234567'))
  })

  it('sees through Unicode forms and outer spaces of an id', () => {
    expect(pseudonyms.reporter(' Zoe\u0301 ')).toBe(pseudonyms.reporter('Zoé'))
  })

  it('depends on the key', () => {
    expect(open(2).reporter('+79161234567')).not.toBe(pseudonyms.reporter('+79161234567'))
  })

  it('refuses a key that could be guessed', () => {
    const parse = () => -1
    expect(() => createPseudonyms({ key: new Uint8Array(PSEUDONYM_KEY_BYTES_MIN - 1) }, { parse })).toThrow(RangeError)
    expect(() => createPseudonyms({ key: new Uint8Array(PSEUDONYM_KEY_BYTES_MIN) }, { parse })).not.toThrow()
  })
})
