import { NUMBERING_TABLE } from './numbering-table.generated.ts'

/**
 * The numbering plan of one country, or of a calling code that belongs to none. Sets of digits and of lengths are bit
 * masks: bit n stands for the digit or the length n.
 */
export type NumberingPlan = {
  /** ISO 3166 alpha-2; `001` for a calling code without a country. */
  readonly country: string
  readonly callingCode: string
  /** Anchored pattern of what is dialled before a country code; undefined where nothing is. */
  readonly internationalPrefix: RegExp | undefined
  /** Its digits, when there is exactly one: `810`. Empty otherwise. */
  readonly internationalPrefixDigits: string
  readonly internationalPrefixFirstDigits: number
  /** What is dialled before a national number at home, `8` in Russia; empty where nothing is. */
  readonly nationalPrefix: string
  /** Anchored pattern of the national prefix and whatever is taken off or put in its place together with it. */
  readonly nationalPrefixPattern: RegExp | undefined
  readonly nationalPrefixFirstDigits: number
  /** What a match is replaced by, `9$1`; empty: it is taken off. */
  readonly nationalPrefixTransform: string
  /** Anchored pattern that tells this country from the others with its calling code; undefined when nothing does. */
  readonly leadingDigits: string
  readonly lengths: number
  /** First digits that a national number of the plan can have. */
  readonly firstDigits: number
  /** Whole national numbers that the plan may contain. */
  readonly pattern: RegExp
}

/** Digits a calling code has at most (ITU-T E.164). */
const CALLING_CODE_DIGITS_MAX = 3
/** ITU-T E.164 6.2.1: at most 15 digits, country code included. */
export const E164_DIGITS_MAX = 15
/**
 * Fewer digits are too short, country code included. The metadata allow six for Germany, Austria and Iran; nobody calls
 * from those, and the integers of short codes lie there.
 */
export const E164_DIGITS_MIN = 7

/** 10^0 .. 10^15. */
export const POWERS_OF_TEN: Float64Array = Float64Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

function readPlan(line: string): NumberingPlan {
  const [
    country = '',
    callingCode = '',
    internationalPrefix = '',
    internationalPrefixFirst = '',
    nationalPrefix = '',
    prefixPattern = '',
    prefixFirst = '',
    nationalPrefixTransform = '',
    leadingDigits = '',
    lengths = '',
    first = '',
    pattern = '',
  ] = line.split(' ')
  const strippable = prefixPattern || nationalPrefix
  return {
    country,
    callingCode,
    internationalPrefix: internationalPrefix === '' ? undefined : new RegExp(`^(?:${internationalPrefix})`),
    internationalPrefixDigits: /^\d+$/.test(internationalPrefix) ? internationalPrefix : '',
    internationalPrefixFirstDigits: maskOfDigits(internationalPrefixFirst),
    nationalPrefix,
    nationalPrefixPattern: strippable === '' ? undefined : new RegExp(`^(?:${strippable})`),
    nationalPrefixFirstDigits: maskOfDigits(prefixFirst),
    nationalPrefixTransform,
    leadingDigits,
    lengths: maskOfSpans(lengths),
    firstDigits: maskOfDigits(first),
    pattern: new RegExp(`^(?:${pattern})$`),
  }
}

function maskOfDigits(digits: string): number {
  let mask = 0
  for (const digit of digits) mask |= 1 << Number(digit)
  return mask
}

/** `7,9-10` as bits 7, 9 and 10. */
function maskOfSpans(spans: string): number {
  let mask = 0
  for (const span of spans.split(',')) {
    const [from = '0', to = from] = span.split('-')
    for (let length = Number(from); length <= Number(to); length++) mask |= 1 << length
  }
  return mask
}

const PLANS: readonly NumberingPlan[] = NUMBERING_TABLE.trim().split('\n').map(readPlan)
const BY_COUNTRY = new Map(PLANS.map((plan) => [plan.country, plan]))
/** The first plan of a calling code stands for the whole code, as in libphonenumber. */
const BY_CALLING_CODE = new Map([...PLANS].reverse().map((plan) => [plan.callingCode, plan]))

/** The plan of a country by its two capital letters. */
export function planOfCountry(country: string): NumberingPlan | undefined {
  return country === '001' ? undefined : BY_COUNTRY.get(country)
}

/** The plan of the calling code that these digits begin with. No calling code is the beginning of another one. */
export function planOfInternational(digits: string): NumberingPlan | undefined {
  for (let length = 1; length <= CALLING_CODE_DIGITS_MAX; length++) {
    const plan = BY_CALLING_CODE.get(digits.slice(0, length))
    if (plan) return plan
  }
  return undefined
}

/** All plans that share a calling code, the main one first. */
export function plansOfCallingCode(callingCode: string): readonly NumberingPlan[] {
  return PLANS.filter((plan) => plan.callingCode === callingCode)
}

export function isPossibleLength(plan: NumberingPlan, length: number): boolean {
  return ((plan.lengths >>> length) & 1) === 1
}

export function shortestLength(plan: NumberingPlan): number {
  return 31 - Math.clz32(plan.lengths & -plan.lengths)
}

export function longestLength(plan: NumberingPlan): number {
  return 31 - Math.clz32(plan.lengths)
}

/**
 * National digits without the national prefix, exactly as libphonenumber takes it off: not when what is left would be of
 * an impossible length, and not when the digits are a number of the plan only with it.
 */
export function withoutNationalPrefix(digits: string, plan: NumberingPlan): string {
  const prefix = plan.nationalPrefixPattern
  const match = prefix?.exec(digits)
  if (!prefix || !match) return digits
  const isCaptured = match.length > 1 && match[match.length - 1] !== undefined
  const rest =
    plan.nationalPrefixTransform !== '' && isCaptured
      ? digits.replace(prefix, plan.nationalPrefixTransform)
      : digits.slice(match[0].length)
  if (rest === digits) return digits
  if (plan.pattern.test(digits) && !plan.pattern.test(rest)) return digits
  // Longer than possible is left to the caller to name; shorter or in a gap means that it was no prefix.
  if (rest.length <= longestLength(plan) && !isPossibleLength(plan, rest.length)) return digits
  return rest
}

// The same facts by the first three digits of an international number, for the path that builds no strings.
const codeLengths = new Uint8Array(1000)
const codeNationalLengths = new Uint32Array(1000)
const codePrefixFirstDigits = new Uint16Array(1000)
for (const plan of BY_CALLING_CODE.values()) {
  const width = 10 ** (CALLING_CODE_DIGITS_MAX - plan.callingCode.length)
  const start = Number(plan.callingCode) * width
  codeLengths.fill(plan.callingCode.length, start, start + width)
  codeNationalLengths.fill(plan.lengths, start, start + width)
  codePrefixFirstDigits.fill(plan.nationalPrefixFirstDigits, start, start + width)
}

/** How many of an international number's digits are its calling code; 0 when none begins so. No allocation. */
export function callingCodeLength(value: number, digitCount: number): number {
  if (digitCount < CALLING_CODE_DIGITS_MAX) return 0
  return codeLengths[Math.floor(value / (POWERS_OF_TEN[digitCount - CALLING_CODE_DIGITS_MAX] ?? 1))] ?? 0
}

/**
 * True when these digits (country code first) are certainly a possible international number as they stand; false means
 * that the thorough reader must look. Leading zeros count as digits. No allocation.
 */
export function isPlainInternational(value: number, digitCount: number): boolean {
  if (digitCount < E164_DIGITS_MIN || digitCount > E164_DIGITS_MAX) return false
  const lead = Math.floor(value / (POWERS_OF_TEN[digitCount - CALLING_CODE_DIGITS_MAX] ?? 1))
  const codeLength = codeLengths[lead] ?? 0
  if (codeLength === 0) return false
  const nationalCount = digitCount - codeLength
  const lengths = codeNationalLengths[lead] ?? 0
  if (((lengths >>> nationalCount) & 1) === 0) return false
  // A national prefix may stand here (+44 0 20 …) only where something shorter is possible too.
  if ((lengths & ((1 << nationalCount) - 1)) === 0) return true
  const firstDigit = Math.floor(value / (POWERS_OF_TEN[nationalCount - 1] ?? 1)) % 10
  return (((codePrefixFirstDigits[lead] ?? 0) >>> firstDigit) & 1) === 0
}
