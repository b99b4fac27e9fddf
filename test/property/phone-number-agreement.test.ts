import fc from 'fast-check'
import {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  parsePhoneNumberFromString,
} from 'libphonenumber-js/max'
import { describe, expect, it } from 'vitest'
import {
  diallingRules,
  formatE164,
  isHomeNumber,
  numberLength,
  parsePhoneNumber,
  prefixRanges,
} from '../../src/domain/parse-phone-number.ts'
import { isPhoneNumber, NOT_A_NUMBER, type ParsedNumber, PHONE_NUMBER_LIMIT } from '../../src/domain/phone-number.ts'
import { createNumberGenerator, type GeneratedNumber } from '../fixtures/phone-number-generator.ts'

/**
 * Agreement with libphonenumber-js. For a text in a home country, let L be the library's E.164 number if the library
 * finds it possible by its calling code (`isPossible()` without the guessed country), else nothing. Our list reading R
 *
 * - is L wherever there is an L, with four exceptions, each checked by its own criterion and counted:
 *     `e164`     L has more than 15 digits or fewer than 7: R is tooLong or tooShort, or what follows from one of the
 *                other exceptions;
 *     `unstable` the library does not read L as L again (a national prefix stands twice): R is the number on which its
 *                reading comes to rest;
 *     `abroad`   the text begins with 00, which is not the home international prefix, and is no valid national number:
 *                R is what stands after 00;
 *     `manx`     the library keeps a national prefix of +44 because the number would be too short for the Isle of Man,
 *                though not for the calling code: R is without it (about one in ten million);
 * - is no number where there is no L, unless R begins with the home code as the text does, or the text begins with 00,
 *   and the library finds R itself possible (`lenient`).
 *
 * Our call reading is the list reading wherever that is a number; where it is not, it is no number either or the bare
 * digits themselves, which the library then finds possible with a plus in front (`bare`).
 */
type Agreement = 'same' | 'both-refuse' | 'e164' | 'unstable' | 'abroad' | 'manx' | 'lenient' | 'bare' | 'DISAGREE'

const NUMBERS = 1_000_000
const SEED = Number(process.env.ZASLON_TEST_SEED ?? 611)

type LibraryNumber = { readonly number: string; readonly isValid: boolean }

function libraryNumber(text: string, country: CountryCode): LibraryNumber | undefined {
  const parsed = parsePhoneNumberFromString(text, country)
  if (!parsed) return undefined
  const isValid = parsed.isValid()
  // Possible by calling code, not by the one country the library guesses from the digits.
  parsed.country = undefined as unknown as CountryCode
  return parsed.isPossible() ? { number: parsed.number, isValid } : undefined
}

function whereReadingRests(number: string): string {
  let current = number
  for (let times = 0; times < 20; times++) {
    const next = parsePhoneNumberFromString(current)?.number ?? current
    if (next === current) break
    current = next
  }
  return current
}

function judge({ text, country }: GeneratedNumber): Agreement {
  const rules = diallingRules(country)
  const ours = parsePhoneNumber(text, rules, 'list')
  const inCall = parsePhoneNumber(text, rules, 'call')
  const library = libraryNumber(text, country)
  const written = isPhoneNumber(ours) ? formatE164(ours) : ''
  if (isPhoneNumber(ours) && inCall !== ours) return 'DISAGREE'
  if (library && written === library.number) return 'same'
  if (library) return judgeException(text, country, library, ours, inCall)

  const digits = text.replace(/[^\d+]/g, '')
  if (written !== '') {
    const isExplained = digits.startsWith('00') || digits.startsWith(getCountryCallingCode(country))
    return isExplained && libraryNumber(written, country)?.number === written ? 'lenient' : 'DISAGREE'
  }
  if (!isPhoneNumber(inCall)) return 'both-refuse'
  return libraryNumber(`+${digits}`, country) && !digits.startsWith('+') ? 'bare' : 'DISAGREE'
}

/** The library has a number, and we have none or another one. */
function judgeException(
  text: string,
  country: CountryCode,
  library: LibraryNumber,
  ours: ParsedNumber,
  inCall: ParsedNumber,
): Agreement {
  const digits = text.replace(/[^\d+]/g, '')
  const written = isPhoneNumber(ours) ? formatE164(ours) : ''
  const abroad = digits.startsWith('00') && !library.isValid ? libraryNumber(`+${digits.slice(2)}`, country) : undefined
  if (abroad && written === whereReadingRests(abroad.number)) return 'abroad'
  const rest = whereReadingRests(library.number)
  const isE164 = rest.length <= 16 && rest.length >= 8
  if (!isE164) {
    if (ours === (rest.length > 16 ? NOT_A_NUMBER.tooLong : NOT_A_NUMBER.tooShort)) return 'e164'
    const withPlus = whereReadingRests(libraryNumber(`+${digits}`, country)?.number ?? '')
    return digits.startsWith(getCountryCallingCode(country)) && written === withPlus ? 'e164' : 'DISAGREE'
  }
  if (!isPhoneNumber(ours) || inCall !== ours) return 'DISAGREE'
  if (rest !== library.number && written === rest) return 'unstable'
  return written.startsWith('+44') && library.number === written.replace('+44', '+440') ? 'manx' : 'DISAGREE'
}

describe('phone number agreement', () => {
  it(`agrees with libphonenumber-js on ${NUMBERS} generated numbers (seed ${SEED})`, { timeout: 180_000 }, () => {
    const next = createNumberGenerator(SEED, getCountries())
    const counts = new Map<Agreement, number>()
    const disagreements: GeneratedNumber[] = []
    for (let index = 0; index < NUMBERS; index++) {
      const generated = next()
      const agreement = judge(generated)
      counts.set(agreement, (counts.get(agreement) ?? 0) + 1)
      if (agreement === 'DISAGREE' && disagreements.length < 20) disagreements.push(generated)
    }
    console.log(`agreement with libphonenumber-js, seed ${SEED}:`, Object.fromEntries(counts))
    expect(disagreements).toEqual([])
    expect(counts.get('same')).toBeGreaterThan(NUMBERS * 0.5)
    expect(counts.get('both-refuse')).toBeGreaterThan(NUMBERS * 0.05)
  })
})

const countries = fc.constantFrom(...getCountries())
const modes = fc.constantFrom('call' as const, 'list' as const)
const phoneLike = fc.oneof(
  fc.string({ maxLength: 300 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'0123456789+-() .@;:<>"%=siptelx'), maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 20 }),
  fc.string({ unit: fc.constantFrom(...'0123456789'), maxLength: 20 }).map((digits) => `+${digits}`),
)

describe('parsePhoneNumber', () => {
  it('gives every text a defined result and never throws', () => {
    const kinds = new Set<number>(Object.values(NOT_A_NUMBER))
    fc.assert(
      fc.property(phoneLike, countries, modes, (text, country, mode) => {
        const parsed = parsePhoneNumber(text, diallingRules(country), mode)
        return isPhoneNumber(parsed) ? Number.isInteger(parsed) && parsed < PHONE_NUMBER_LIMIT : kinds.has(parsed)
      }),
      { numRuns: 20_000 },
    )
  })

  it('reads what formatE164 writes as the same number, in any country with short codes and in any mode', () => {
    fc.assert(
      fc.property(phoneLike, countries, countries, modes, (text, country, other, mode) => {
        const parsed = parsePhoneNumber(text, diallingRules(country), mode)
        if (!isPhoneNumber(parsed)) return
        const written = formatE164(parsed)
        const reader = written.startsWith('+') ? other : country
        expect(parsePhoneNumber(written, diallingRules(reader), 'list')).toBe(parsed)
        expect(parsePhoneNumber(`tel:${written}`, diallingRules(reader), 'call')).toBe(parsed)
      }),
      { numRuns: 20_000 },
    )
  })

  it('reads digits quickly and thoroughly as the same number', () => {
    const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 18 })
    const home = fc.constantFrom('RU' as CountryCode, 'US', 'GB', 'DE', 'KZ', 'IT', 'AR', 'JP', 'HU', 'NO', 'AG')
    fc.assert(
      fc.property(digits, fc.constantFrom('', '+'), fc.oneof(home, countries), modes, (number, plus, country, mode) => {
        const rules = diallingRules(country)
        const quick = parsePhoneNumber(plus + number, rules, mode)
        // A zero-width space is only known to the thorough reader.
        expect(parsePhoneNumber(`${plus + number}\u200b`, rules, mode)).toBe(quick)
        expect(parsePhoneNumber(`sip:${plus}${number}@sbc.example;user=phone`, rules, mode)).toBe(quick)
        expect(parsePhoneNumber(`"7" <sip:${plus}${number};npdi@sbc.example>;tag=1`, rules, mode)).toBe(quick)
      }),
      { numRuns: 50_000 },
    )
  })
})

describe('prefixRanges', () => {
  it('covers every number of the country code that begins with the prefix, and no other', () => {
    const next = createNumberGenerator(SEED, getCountries())
    for (let index = 0; index < 20_000; index++) {
      const { text, country } = next()
      const rules = diallingRules(country)
      const parsed = parsePhoneNumber(text, rules, 'call')
      if (!isPhoneNumber(parsed) || !formatE164(parsed).startsWith('+')) continue
      const digits = String(parsed)
      const cut = 3 + (index % (digits.length - 2))
      const isCovered = (prefix: string) =>
        prefixRanges(prefix, rules).some(({ from, to }) => from <= parsed && parsed <= to)
      expect(isCovered(`+${digits.slice(0, cut)}`), `a number of ${digits.length} digits, cut at ${cut}`).toBe(true)
      const changed = digits.slice(0, cut - 1) + ((Number(digits[cut - 1]) + 1) % 10)
      expect(isCovered(`+${changed}`)).toBe(false)
      for (const { from, to } of prefixRanges(`+${digits.slice(0, cut)}`, rules)) {
        expect(numberLength(from)).toBe(numberLength(to))
      }
    }
  })
})

describe('isHomeNumber', () => {
  it('agrees with libphonenumber-js on valid numbers of countries with leading digits of their own', () => {
    const next = createNumberGenerator(SEED, ['RU', 'KZ', 'BS', 'JM', 'DO', 'PR', 'GB', 'DE', 'FI', 'AX'])
    for (let index = 0; index < 20_000; index++) {
      const { text, country } = next()
      const parsed = parsePhoneNumber(text, diallingRules(country), 'list')
      const library = parsePhoneNumberFromString(text, country)
      if (!isPhoneNumber(parsed) || !library?.isValid() || library.country === undefined) continue
      if (library.country !== country && ['GG', 'JE'].includes(library.country)) continue
      const isToll = /^(?:8|9|5)/.test(library.nationalNumber) && library.countryCallingCode === '1'
      if (!isToll)
        expect(isHomeNumber(parsed, diallingRules(country)), library.country).toBe(library.country === country)
    }
  })
})
