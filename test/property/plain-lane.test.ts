import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diallingRules, parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'
import { isPhoneNumber } from '../../src/domain/phone-number.ts'
import { readText } from '../support/read-text.ts'

const COUNTRIES = ['RU', 'US', 'KZ', 'DE', 'GB', 'IT', 'AR', 'BR', 'MX', 'EE', 'NO', 'BY']

describe('the fast lane', () => {
  it.each(COUNTRIES)('gives the numbers of the thorough reader in %s', (country) => {
    const rules = diallingRules(country)
    const home = String(rules.callingCode)
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 0, maxLength: 17 })
    const prefix = fc.constantFrom('', '+', home, `+${home}`, '8', '0', '00', '810', '011', '79', '+7916')
    const row = fc.tuple(prefix, digits).map((parts) => parts.join(''))
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 400 }), fc.constantFrom('\n', '\r\n', '\r'), (rows, end) => {
        const wanted = rows.filter((text) => text !== '').map((text) => parsePhoneNumber(text, rules, 'list'))
        // An upload without a usable row is refused as a whole.
        if (!wanted.some(isPhoneNumber)) return
        const read = readText(`number${end}${rows.join(end)}`, { country })
        const numbers = [...new Set(wanted.filter(isPhoneNumber))].sort((a, b) => a - b)
        expect(read.numbers).toEqual(numbers)
        expect(read.rows).toBe(wanted.length)
        expect(read.accepted).toBe(wanted.filter(isPhoneNumber).length)
        expect(read.duplicates).toBe(read.accepted - numbers.length)
      }),
      { numRuns: 60 },
    )
  })
})
