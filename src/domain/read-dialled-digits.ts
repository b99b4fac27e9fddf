import { BARE_INTERNATIONAL_DIGITS_MIN, type DiallingRules, SHORT_CODE_DIGITS_MAX } from './dialling-rules.ts'
import {
  E164_DIGITS_MAX,
  E164_DIGITS_MIN,
  isPossibleLength,
  longestLength,
  type NumberingPlan,
  planOfInternational,
  shortestLength,
  withoutNationalPrefix,
} from './numbering-plan.ts'
import { NOT_A_NUMBER, type ParsedNumber } from './phone-number.ts'
import type { PhoneText } from './phone-text.ts'

/**
 * `call`: what a switch sends. Digits that fit no home form but are a possible international number are one, because many
 * switches send E.164 without the plus. `list`: what a person wrote. Digits without a plus are read in the country only.
 */
export type ParseMode = 'call' | 'list'

/** The recommended international prefix (ITU-T E.164); understood everywhere but in valid national numbers. */
const INTERNATIONAL_PREFIX = '00'
const SHORT_CODE_DIGITS_MIN = 2
/** A national prefix can stand twice, +49 0 0 30 …; no plan needs more looks than this until nothing changes. */
const PREFIX_LOOKS_MAX = 18

/** The thorough reader: what digits mean in a country. Builds strings; the fast path agrees with it. */
export function readDialledDigits(text: PhoneText, rules: DiallingRules, mode: ParseMode): ParsedNumber {
  if (text.isInternational) return readInternational(text.digits)
  if (text.context === '') return readBare(text.digits, rules, mode)
  if (text.context === rules.home.callingCode) {
    const dialled = readBare(text.digits, rules, mode)
    if (dialled > 0) return dialled
  }
  const inContext = readInternational(text.context + text.digits)
  return inContext > 0 ? inContext : readBare(text.digits, rules, mode)
}

/** Digits that begin with a country code. */
export function readInternational(digits: string): ParsedNumber {
  const plan = planOfInternational(digits)
  if (!plan) return NOT_A_NUMBER.malformed
  return complete(plan, withoutNationalPrefix(digits.slice(plan.callingCode.length), plan))
}

/** The number with these national digits. When they fit and still begin with a national prefix, that goes as well. */
function complete(plan: NumberingPlan, dialled: string): ParsedNumber {
  let national = dialled
  if (!isPossibleLength(plan, national.length)) return misfit(plan, national.length)
  for (let look = 0; look < PREFIX_LOOKS_MAX; look++) {
    const rest = withoutNationalPrefix(national, plan)
    if (rest === national) break
    national = rest
  }
  const digitCount = plan.callingCode.length + national.length
  if (digitCount < E164_DIGITS_MIN) return NOT_A_NUMBER.tooShort
  if (digitCount > E164_DIGITS_MAX) return NOT_A_NUMBER.tooLong
  return Number(plan.callingCode + national)
}

/** Between two possible lengths counts as too long: a digit too many is the commoner mistake. */
function misfit(plan: NumberingPlan, length: number): ParsedNumber {
  return length < shortestLength(plan) ? NOT_A_NUMBER.tooShort : NOT_A_NUMBER.tooLong
}

function readBare(digits: string, rules: DiallingRules, mode: ParseMode): ParsedNumber {
  if (digits.length < SHORT_CODE_DIGITS_MIN) return NOT_A_NUMBER.tooShort
  if (digits.length <= SHORT_CODE_DIGITS_MAX && !isWholeWithoutPrefix(digits, rules)) return Number(`1${digits}`)
  const afterPrefix = withoutInternationalPrefix(digits, rules.home)
  if (afterPrefix !== digits) return readInternational(afterPrefix)
  if (digits.startsWith(INTERNATIONAL_PREFIX) && !isNationalNumber(digits, rules.home)) {
    const abroad = readInternational(digits.slice(INTERNATIONAL_PREFIX.length))
    if (abroad > 0) return abroad
  }
  const dialled = readHome(digits, rules)
  const canHoldCode = digits.startsWith(rules.home.callingCode)
  const canBeForeign = mode === 'call' && digits.length >= BARE_INTERNATIONAL_DIGITS_MIN
  if (dialled > 0 || !(canHoldCode || canBeForeign)) return dialled
  const international = readInternational(digits)
  return international > 0 ? international : dialled
}

function isNationalNumber(digits: string, home: NumberingPlan): boolean {
  return home.pattern.test(withoutNationalPrefix(digits, home))
}

/** Where nothing is dialled before national numbers (Norway, Andorra), six digits may be a subscriber's whole number. */
function isWholeWithoutPrefix(digits: string, { home, main }: DiallingRules): boolean {
  return home.nationalPrefix === '' && isPossibleLength(main, digits.length) && home.pattern.test(digits)
}

function withoutInternationalPrefix(digits: string, home: NumberingPlan): string {
  const match = home.internationalPrefix?.exec(digits)
  const rest = match ? digits.slice(match[0].length) : digits
  // No country code begins with 0, so what looked like the prefix was part of the number.
  return rest === '' || rest.startsWith('0') ? digits : rest
}

/** The home forms, in the order and by the rules of libphonenumber. */
function readHome(digits: string, { home, main }: DiallingRules): ParsedNumber {
  const national = withoutNationalPrefix(digits, home)
  if (digits.startsWith(home.callingCode)) {
    const afterCode = digits.slice(home.callingCode.length)
    const isOnlyAfterCode = !home.pattern.test(national) && home.pattern.test(withoutNationalPrefix(afterCode, home))
    if (isOnlyAfterCode || national.length > longestLength(home))
      return complete(main, withoutNationalPrefix(afterCode, main))
  }
  return complete(main, national)
}
