import type { DiallingRules } from './dialling-rules.ts'
import {
  E164_DIGITS_MAX,
  E164_DIGITS_MIN,
  isPossibleLength,
  type NumberingPlan,
  planOfInternational,
} from './numbering-plan.ts'
import type { PhoneNumber } from './phone-number.ts'

/** Inclusive; both ends have the same number of digits. */
export type NumberRange = { readonly from: PhoneNumber; readonly to: PhoneNumber }

const PREFIX_TEXT = /^\s*(\+?)([\d\s().-]+)$/
const PREFIX_TEXT_LENGTH_MAX = 64

/**
 * The numbers that begin with a prefix, one range for each length that a number of its country code can have: a prefix
 * of a Russian number covers those of 11 and of 15 digits. The prefix is written without its `*`, `+7916` or as it is
 * dialled at home: `8916`, `7916` and `916` all mean +7916. A home country code, then a national prefix count as such
 * before they count as part of the number, unless no national number could begin with what is left: in Russia `800` is
 * +7800. Empty when the text is no prefix of any number: other characters, an unassigned or unfinished country code,
 * more digits than a number has. Parsed numbers of a country code that begin with the prefix are all covered.
 */
export function prefixRanges(prefix: string, rules: DiallingRules): readonly NumberRange[] {
  if (prefix.length > PREFIX_TEXT_LENGTH_MAX) return []
  const [, plus, written = ''] = PREFIX_TEXT.exec(prefix) ?? []
  const digits = written.replace(/\D/g, '')
  if (plus === undefined || digits === '') return []
  const international = plus === '+' ? digits : internationalPrefixOf(digits, rules)
  return internationalPrefixRanges(international)
}

/** prefixRanges of a prefix that begins with the country code: its digits alone, `7916`. */
export function internationalPrefixRanges(digits: string): readonly NumberRange[] {
  const plan = planOfInternational(digits)
  return plan ? rangesOf(digits, plan) : []
}

function internationalPrefixOf(digits: string, { home }: DiallingRules): string {
  const dialledAbroad = home.internationalPrefix?.exec(digits)
  if (dialledAbroad) return digits.slice(dialledAbroad[0].length)
  if (digits.startsWith(home.callingCode)) return digits
  if (home.nationalPrefix !== '' && digits.startsWith(home.nationalPrefix)) {
    const rest = digits.slice(home.nationalPrefix.length)
    if (canBegin(home, rest)) return home.callingCode + rest
  }
  return home.callingCode + digits
}

function canBegin(plan: NumberingPlan, national: string): boolean {
  return national === '' || ((plan.firstDigits >>> Number(national[0])) & 1) === 1
}

function rangesOf(digits: string, plan: NumberingPlan): NumberRange[] {
  const ranges: NumberRange[] = []
  const codeCount = plan.callingCode.length
  for (let total = Math.max(digits.length, E164_DIGITS_MIN); total <= E164_DIGITS_MAX; total++) {
    if (!isPossibleLength(plan, total - codeCount)) continue
    const scale = 10 ** (total - digits.length)
    const from = Number(digits) * scale
    ranges.push({ from: from as PhoneNumber, to: (from + scale - 1) as PhoneNumber })
  }
  return ranges
}
