import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { diallingRules, parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'
import { isPhoneNumber, isShortCode } from '../../src/domain/phone-number.ts'
import { parseNumberField } from '../../src/jobs/number-field.ts'

const COUNTRIES = ['RU', 'IN', 'DK', 'SG', 'HK', 'US', 'GB', 'DE', 'NO', 'IT', 'BR']

describe('a hyphen', () => {
  it.each(COUNTRIES)(
    'anywhere in a number changes nothing, unless two full numbers stand around it, in %s',
    (country) => {
      const rules = diallingRules(country)
      const isFull = (text: string) => {
        const number = parsePhoneNumber(text, rules, 'list')
        return isPhoneNumber(number) && !isShortCode(number)
      }
      const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 6, maxLength: 14 })
      fc.assert(
        fc.property(digits, fc.integer({ min: 1, max: 13 }), fc.constantFrom('-', '–', ' - '), (text, cut, hyphen) => {
          const [left, right] = [text.slice(0, cut), text.slice(cut)]
          fc.pre(isFull(text) && !(isFull(left) && isFull(right)))
          const number = parsePhoneNumber(text, rules, 'list')
          expect(parseNumberField(left + hyphen + right, rules, 0.1)).toEqual({ kind: 'number', number })
        }),
        { numRuns: 200, maxSkipsPerRun: 1_000 },
      )
    },
  )
})
