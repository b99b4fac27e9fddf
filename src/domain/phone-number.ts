/**
 * A telephone number as one integer.
 *
 * A full number is its E.164 digits (ITU-T E.164: at most 15 digits, so below 2^50): +7 916 000-00-02 is 79160000002.
 * A short code (112, 611, 0890: 2-6 digits, meaningful in the home country only) is a 1 followed by its digits, so that
 * leading zeros survive: 112 is 1112, 0890 is 10890. The two never meet: no E.164 number is below SHORT_CODE_LIMIT.
 *
 * What cannot be a number is a small negative integer, so that the verdict path needs neither an object nor a throw.
 */
export type PhoneNumber = number & { readonly brand: 'PhoneNumber' } // made only by parsePhoneNumber

/** Short codes lie below this; E.164 numbers at or above it. 6 digits with the leading 1 give at most 1,999,999. */
export const SHORT_CODE_LIMIT = 2_000_000

/** Exclusive upper bound of every PhoneNumber: 15 digits. */
export const PHONE_NUMBER_LIMIT = 1_000_000_000_000_000

/** Why a caller or callee is not a usable number. Values are stored in decision logs: never change their meaning. */
export const NOT_A_NUMBER = {
  /** null, absent, empty, `anonymous`, `sip:anonymous@anonymous.invalid`, `unavailable`, `restricted`, `private`. */
  withheld: -1,
  /** A name where a number belongs: `BANK`, `sip:alice@example.org`. */
  alphanumeric: -2,
  /** Digits, but fewer than any number or short code has. */
  tooShort: -3,
  /** Digits, but more than the country or E.164 allows. */
  tooLong: -4,
  /** Anything else: control characters, two plus signs, an unassigned country code, a wrong type. */
  malformed: -5,
} as const
/** A PhoneNumber (> 0) or one of NOT_A_NUMBER (< 0). */
export type ParsedNumber = number

export function isPhoneNumber(parsed: ParsedNumber): parsed is PhoneNumber {
  return parsed > 0
}

export function isShortCode(number: PhoneNumber): boolean {
  return number < SHORT_CODE_LIMIT
}
