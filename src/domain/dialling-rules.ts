import { ScreeningError } from './errors.ts'
import {
  E164_DIGITS_MAX,
  isPossibleLength,
  longestLength,
  type NumberingPlan,
  POWERS_OF_TEN,
  planOfCountry,
  planOfInternational,
  plansOfCallingCode,
} from './numbering-plan.ts'
import { isShortCode, type PhoneNumber } from './phone-number.ts'

/** How to read bare digits of one length with one first digit. */
export const READ_THOROUGHLY = 0
/** A national number: put the country code in front. */
export const READ_NATIONAL = 1
/** A national number after the one-digit national prefix. */
export const READ_AFTER_PREFIX = 2
/** The home country code is there already, if the digits really begin with it. */
export const READ_WITH_CODE = 3
/** No home form has this length and first digit. */
export const READ_FOREIGN = 4

/** Longest bare digits that are a short code. */
export const SHORT_CODE_DIGITS_MAX = 6

/** Bare digits shorter than this are never taken as E.164: local numbers of seven digits would become Saint Helena's. */
export const BARE_INTERNATIONAL_DIGITS_MIN = 8

/** What dialling means in one country, compiled. Immutable: any number of parsers may share it. */
export type DiallingRules = {
  /** ISO 3166 alpha-2. */
  readonly country: string
  /** Home country code as a number: 7. */
  readonly callingCode: number
  /** Plan of the country itself. */
  readonly home: NumberingPlan
  /** Plan that stands for the home country code: of the United States for all of +1. */
  readonly main: NumberingPlan
  /** READ_… by digit count × 10 + first digit. */
  readonly readings: Uint8Array
  /** The home international prefix as a number and its digit count; 0 and 0 when it is not a plain one. */
  readonly internationalPrefix: number
  readonly internationalPrefixCount: number
  /** 1 for every five leading national digits that belong home; undefined when no other country has the calling code. */
  readonly homeLeads: Uint8Array | undefined
}

/** Enough leading digits to tell apart countries that share a calling code (the longest rule in the table has five). */
const LEAD_DIGITS = 5

const compiled = new Map<string, DiallingRules>()

/**
 * The compiled dialling rules of a country, `RU`. Made once per country and thread.
 * @throws ScreeningError CONFIG_INVALID when there is no such country.
 */
export function diallingRules(country: string): DiallingRules {
  const known = compiled.get(country)
  if (known) return known
  const home = planOfCountry(country)
  const main = home && planOfInternational(home.callingCode)
  if (!home || !main) {
    throw new ScreeningError(
      'CONFIG_INVALID',
      `The home country must be two capital letters such as RU, got ${country}.`,
    )
  }
  const rules: DiallingRules = {
    country,
    callingCode: Number(home.callingCode),
    home,
    main,
    readings: compileReadings(home, main),
    internationalPrefix: Number(home.internationalPrefixDigits),
    internationalPrefixCount: home.internationalPrefixDigits.length,
    homeLeads: compileHomeLeads(home),
  }
  compiled.set(country, rules)
  return rules
}

/**
 * True when the number belongs to the home country. Countries that share a calling code are told apart by the leading
 * digits of the metadata: of +7, Russia has 3, 4, 8 and 9, Kazakhstan 6 and 7. What no country of the code claims (most
 * of +1: the metadata do not tell the United States from Canada) is home to those without leading digits of their own.
 * Short codes are home. No allocation.
 */
export function isHomeNumber(number: PhoneNumber, rules: DiallingRules): boolean {
  if (isShortCode(number)) return true
  const codeCount = rules.home.callingCode.length
  let digitCount = codeCount
  while (digitCount < E164_DIGITS_MAX && number >= (POWERS_OF_TEN[digitCount] ?? 0)) digitCount++
  const nationalCount = digitCount - codeCount
  const scale = POWERS_OF_TEN[nationalCount] ?? 1
  if (Math.floor(number / scale) !== rules.callingCode) return false
  if (!rules.homeLeads) return true
  const lead = Math.floor(((number % scale) * 10 ** LEAD_DIGITS) / scale)
  return rules.homeLeads[lead] === 1
}

function compileHomeLeads(home: NumberingPlan): Uint8Array | undefined {
  const others = plansOfCallingCode(home.callingCode).filter((plan) => plan !== home)
  if (others.length === 0) return undefined
  const claimed = others.map((plan) => plan.leadingDigits).filter((pattern) => pattern !== '')
  const own = home.leadingDigits
  const pattern = own !== '' ? own : claimed.join('|')
  const test = new RegExp(`^(?:${pattern})`)
  return Uint8Array.from({ length: 10 ** LEAD_DIGITS }, (_, lead) => {
    if (pattern === '') return 1
    return test.test(String(lead).padStart(LEAD_DIGITS, '0')) === (own !== '') ? 1 : 0
  })
}

/**
 * Decides for every length and first digit how bare digits are read at home, wherever length and first digit are
 * enough. Everything that needs a look at a pattern, or could be two things, is left to the thorough reader; the tests
 * hold both to the same answers.
 */
function compileReadings(home: NumberingPlan, main: NumberingPlan): Uint8Array {
  const readings = new Uint8Array((E164_DIGITS_MAX + 1) * 10)
  for (let digitCount = SHORT_CODE_DIGITS_MAX + 1; digitCount <= E164_DIGITS_MAX; digitCount++) {
    for (let firstDigit = 0; firstDigit <= 9; firstDigit++) {
      readings[digitCount * 10 + firstDigit] = chooseReading(home, main, digitCount, firstDigit)
    }
  }
  return readings
}

function chooseReading(home: NumberingPlan, main: NumberingPlan, digitCount: number, firstDigit: number): number {
  const codeCount = home.callingCode.length
  const beginsLikeInternational = ((home.internationalPrefixFirstDigits >>> firstDigit) & 1) === 1
  if (beginsLikeInternational && home.internationalPrefixDigits === '') return READ_THOROUGHLY
  const isNational = isPossibleLength(main, digitCount)
  const beginsLikeCode = home.callingCode.charCodeAt(0) - 48 === firstDigit
  const mayHaveCode =
    beginsLikeCode &&
    (isPossibleLength(main, digitCount - codeCount) || isPossibleLength(main, digitCount - codeCount - 1))
  const prefixFirstDigits = home.nationalPrefixFirstDigits | main.nationalPrefixFirstDigits
  if ((prefixFirstDigits >>> firstDigit) & 1) {
    if (!isOneDigitPrefix(home, firstDigit) || digitCount - 1 > longestLength(main)) return READ_THOROUGHLY
    if (isPossibleLength(main, digitCount - 1)) {
      // In North America 1 is the national prefix and the country code: both readings give the same number.
      const isSameAsCode = codeCount === 1 && beginsLikeCode
      return isNational || (mayHaveCode && !isSameAsCode) ? READ_THOROUGHLY : READ_AFTER_PREFIX
    }
  }
  if (isNational) return mayHaveCode ? READ_THOROUGHLY : READ_NATIONAL
  if (mayHaveCode) return isPossibleLength(main, digitCount - codeCount) ? READ_WITH_CODE : READ_THOROUGHLY
  if (firstDigit === 0 || beginsLikeInternational) return READ_THOROUGHLY
  return digitCount < BARE_INTERNATIONAL_DIGITS_MIN ? READ_THOROUGHLY : READ_FOREIGN
}

/** True when the only national prefix that begins with this digit is the digit itself. */
function isOneDigitPrefix(home: NumberingPlan, firstDigit: number): boolean {
  const alternatives = home.nationalPrefixPattern?.source.slice('^(?:'.length, -1).split('|') ?? []
  if (!alternatives.every((alternative) => /^\d+$/.test(alternative))) return false
  return alternatives.filter((alternative) => Number(alternative[0]) === firstDigit).join() === String(firstDigit)
}
