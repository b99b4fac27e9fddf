/**
 * Any text that stands for a telephone number, read in a home country.
 *
 * A number is what libphonenumber calls possible: a known country code and a national length that this code has. Of
 * countries that share a code the main one decides (the United States for +1). Whether anybody may have the number is
 * not asked here; an imported numbering plan answers that. The result is the same as libphonenumber's, but on purpose:
 *
 * - more than 15 digits is too long (ITU-T E.164), also where the metadata allow 17, and fewer than 7 is too short;
 * - bare digits, 2-6 of them, are a short code of the home country, except where national numbers are that short and
 *   nothing is dialled before them;
 * - 00 is the international prefix everywhere, unless what it begins is a valid national number;
 * - bare digits that are no home form are still read when they begin with the home country code, and in a call when at
 *   least 8 of them are a possible international number: `442079460018` in Russia. A list refuses those;
 * - a national prefix is taken off as often as it stands there (+49 0 0 30 …): reading what formatE164 wrote gives the
 *   same number again;
 * - text with letters is alphanumeric (1-800-FLOWERS), and one address is read, not the first number found in a text;
 * - a calling line identity is more than a number: SIP and tel URIs, display names and withheld forms are understood.
 *   Parameters (;tgrp= ;rn= ;ext= ;user=phone) never become part of the number; phone-context does what RFC 3966 says.
 *
 * Most calls carry E.164 or a plain home form. Those are read here from character codes, without building a string (V8
 * may box the result: 16 bytes, measured); everything else goes to the thorough reader (phone-text.ts, read-dialled-digits.ts).
 */
import {
  type DiallingRules,
  READ_AFTER_PREFIX,
  READ_FOREIGN,
  READ_NATIONAL,
  READ_WITH_CODE,
  SHORT_CODE_DIGITS_MAX,
} from './dialling-rules.ts'
import { E164_DIGITS_MAX, isPlainInternational, POWERS_OF_TEN } from './numbering-plan.ts'
import { NOT_A_NUMBER, type ParsedNumber } from './phone-number.ts'
import { readPhoneText } from './phone-text.ts'
import { type ParseMode, readDialledDigits } from './read-dialled-digits.ts'

export { type DiallingRules, diallingRules, isHomeNumber } from './dialling-rules.ts'
export { formatE164, maskNumber, numberLength } from './format-phone-number.ts'
export { internationalPrefixRanges, type NumberRange, prefixRanges } from './prefix-ranges.ts'
export type { ParseMode } from './read-dialled-digits.ts'

/** Longest text looked at, in UTF-16 units. A From header with a long display name has about 150. */
export const PHONE_TEXT_LENGTH_MAX = 256

/** The quick reader could not tell. */
const UNDECIDED = 0

const PLUS = 43
const SEMICOLON = 59
const AT = 64

/**
 * Reads one number. Never throws, whatever it is given; linear in the text.
 * @returns a PhoneNumber (> 0) or one of NOT_A_NUMBER (< 0).
 */
export function parsePhoneNumber(text: string | null | undefined, rules: DiallingRules, mode: ParseMode): ParsedNumber {
  if (text === null || text === undefined || text === '') return NOT_A_NUMBER.withheld
  if (typeof text !== 'string' || text.length > PHONE_TEXT_LENGTH_MAX) return NOT_A_NUMBER.malformed
  const quick = readQuickly(text, rules, mode)
  if (quick !== UNDECIDED) return quick
  const read = readPhoneText(text)
  return typeof read === 'number' ? read : readDialledDigits(read, rules, mode)
}

/** `+79160000002`, `8 (916) 000-00-02`, `sip:+79160000002@host;user=phone`, `tel:+79160000002;npdi`: builds no string. */
function readQuickly(text: string, rules: DiallingRules, mode: ParseMode): ParsedNumber {
  const length = text.length
  const start = schemeLength(text)
  const hasPlus = text.charCodeAt(start) === PLUS
  let at = hasPlus ? start + 1 : start
  let value = 0
  let digitCount = 0
  let code = 0
  for (; at < length; at++) {
    code = text.charCodeAt(at)
    if (code >= 48 && code <= 57) {
      value = value * 10 + (code - 48)
      digitCount++
    } else if (!isInnerSeparator(code) || digitCount === 0) break
  }
  if (digitCount > E164_DIGITS_MAX || digitCount <= SHORT_CODE_DIGITS_MAX) return UNDECIDED
  if (at < length) {
    // The number must end where a URI's user part does. Without a plus, parameters may hold its phone-context.
    if (start === 0 || (code !== AT && code !== SEMICOLON)) return UNDECIDED
    if (!hasPlus && (code === SEMICOLON || mayHoldContext(text, at))) return UNDECIDED
  }
  if (hasPlus) return isPlainInternational(value, digitCount) ? value : UNDECIDED
  return readBareQuickly(value, digitCount, rules, mode)
}

/** True when a parameter's value begins with a plus or is escaped. */
function mayHoldContext(text: string, from: number): boolean {
  return text.indexOf('=+', from) >= 0 || text.indexOf('%', from) >= 0
}

/** Space, ( ) and hyphen. */
function isInnerSeparator(code: number): boolean {
  return code === 32 || code === 45 || code === 40 || code === 41
}

/** Length of `sip:`, `sips:` or `tel:` at the start, in lower case; 0 when there is none. */
function schemeLength(text: string): number {
  const first = text.charCodeAt(0)
  if (first === 115) return text.startsWith('sip:') ? 4 : text.startsWith('sips:') ? 5 : 0
  return first === 116 && text.startsWith('tel:') ? 4 : 0
}

/**
 * The same for digits that were read already, as the byte-level reader of large lists does: `value` written with
 * `digitCount` digits, after a plus or bare. No allocation.
 * @returns what parsePhoneNumber returns for that text, or 0 when only the whole text can tell.
 */
export function readPlainDigits(
  value: number,
  digitCount: number,
  hasPlus: boolean,
  rules: DiallingRules,
  mode: ParseMode,
): ParsedNumber {
  if (digitCount > E164_DIGITS_MAX || digitCount <= SHORT_CODE_DIGITS_MAX) return UNDECIDED
  if (hasPlus) return isPlainInternational(value, digitCount) ? value : UNDECIDED
  return readBareQuickly(value, digitCount, rules, mode)
}

function readBareQuickly(value: number, digitCount: number, rules: DiallingRules, mode: ParseMode): ParsedNumber {
  // 00 may be an international prefix in any country.
  if (leadOf(value, digitCount, 2) === 0) return UNDECIDED
  const prefixCount = rules.internationalPrefixCount
  if (prefixCount > 0 && leadOf(value, digitCount, prefixCount) === rules.internationalPrefix) return UNDECIDED
  const codeCount = rules.home.callingCode.length
  let number = value
  let numberCount = digitCount
  switch (rules.readings[digitCount * 10 + leadOf(value, digitCount, 1)]) {
    case READ_NATIONAL:
      numberCount = digitCount + codeCount
      number = rules.callingCode * (POWERS_OF_TEN[digitCount] ?? 0) + value
      break
    case READ_AFTER_PREFIX:
      numberCount = digitCount - 1 + codeCount
      number = rules.callingCode * (POWERS_OF_TEN[digitCount - 1] ?? 0) + (value % (POWERS_OF_TEN[digitCount - 1] ?? 1))
      break
    case READ_WITH_CODE:
      if (leadOf(value, digitCount, codeCount) !== rules.callingCode) return UNDECIDED
      break
    case READ_FOREIGN:
      if (mode === 'list') return UNDECIDED
      break
    default:
      return UNDECIDED
  }
  return isPlainInternational(number, numberCount) ? number : UNDECIDED
}

/** The first `count` digits of a number written with digitCount digits. */
function leadOf(value: number, digitCount: number, count: number): number {
  return Math.floor(value / (POWERS_OF_TEN[digitCount - count] ?? 1))
}
