import { callingCodeLength, E164_DIGITS_MAX, POWERS_OF_TEN } from './numbering-plan.ts'
import { isPhoneNumber, isShortCode, NOT_A_NUMBER, type ParsedNumber, type PhoneNumber } from './phone-number.ts'

/** Digits of the number as it is dialled or, for E.164, without the plus: 11 for +79160000002, 3 for 112. */
export function numberLength(number: PhoneNumber): number {
  let length = 1
  while (length <= E164_DIGITS_MAX && number >= (POWERS_OF_TEN[length] ?? Number.POSITIVE_INFINITY)) length++
  return isShortCode(number) ? length - 1 : length
}

/** `+79160000002`; a short code prints its digits, `112`. What it prints, parsePhoneNumber reads as the same number. */
export function formatE164(number: PhoneNumber): string {
  return isShortCode(number) ? String(number).slice(1) : `+${number}`
}

/** Digits at the end that a masked number shows, and those it must hide at least. */
const MASK_END = 2
const MASK_HIDDEN_MIN = 4
/** Digits after the country code that a masked number shows when enough stay hidden: the network, not the subscriber. */
const MASK_AREA = 3

/**
 * The number for human texts, without the digits that tell a subscriber: `+7916•••••02`. Short codes are nobody's and
 * stay whole; what is not a number prints its kind, `withheld`.
 */
export function maskNumber(number: ParsedNumber): string {
  if (!isPhoneNumber(number)) {
    return Object.entries(NOT_A_NUMBER).find(([, value]) => value === number)?.[0] ?? 'malformed'
  }
  if (isShortCode(number)) return formatE164(number)
  const digits = String(number)
  const wanted = callingCodeLength(number, digits.length) + MASK_AREA
  const shown = Math.max(1, Math.min(wanted, digits.length - MASK_END - MASK_HIDDEN_MIN))
  return `+${digits.slice(0, shown)}${'•'.repeat(digits.length - shown - MASK_END)}${digits.slice(-MASK_END)}`
}
