import { NOT_A_NUMBER } from './phone-number.ts'

/** What a text says about a number, before any country is considered. */
export type PhoneText = {
  /** ASCII digits only. At least one. */
  readonly digits: string
  /** A plus stood in front of them. */
  readonly isInternational: boolean
  /** Digits of a `phone-context` that begins with a plus (RFC 3966 5.1.5); empty otherwise. */
  readonly context: string
}

/** What switches put where a number was withheld, besides an empty string (RFC 3323, 3GPP TS 24.229, Q.931 displays). */
const WITHHELD_WORDS = new Set([
  'anonymous',
  'blocked',
  'caller id withheld',
  'no caller id',
  'not available',
  'private',
  'private number',
  'restricted',
  'unavailable',
  'unknown',
  'withheld',
])

/** Hosts that RFC 3323 and TS 24.229 reserve for the same. */
const WITHHELD_HOST = /^(?:anonymous|unknown|restricted|unavailable|withheld)\.invalid$/

/** 112 works wherever GSM does; it stands for every RFC 5031 emergency URN. */
const EMERGENCY: PhoneText = { digits: '112', isInternational: false, context: '' }
const EMERGENCY_URN = /^urn:service:sos(?:\.|$)/i

/** Spaces, hyphens and the invisible characters that copying from a contact list brings along; parentheses, . and /. */
const SEPARATOR =
  /[\t ().\-/\u00a0\u00ad\u2000-\u200f\u2010-\u2015\u202a-\u202f\u2060\u2066-\u2069\u2212\u3000\ufeff\uff08\uff09\uff0d\uff0e]/
/** A hyphen, a point or a slash before the first digit belongs to something that is no number. */
const SEPARATOR_INSIDE = /[).\-/\u2010-\u2015\u2212\uff09\uff0d\uff0e]/
const LETTER = /[\p{L}_]/u
const TAB = 9
const DELETE = 127
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/
/** First code points of the digits we read: ASCII, full-width, Arabic-Indic and its eastern form. */
const DIGIT_ZEROS = [0x30, 0xff10, 0x660, 0x6f0] as const

/**
 * Reads a SIP or tel URI, a From-like header value or plain text. Answers what stands where the number belongs, or one
 * of NOT_A_NUMBER. The text is at most a few hundred characters long; every step is linear in it.
 */
export function readPhoneText(text: string): PhoneText | number {
  const address = addressOf(text.trim())
  if (address === undefined) return NOT_A_NUMBER.malformed
  if (EMERGENCY_URN.test(address)) return EMERGENCY
  const scheme = /^(sips?|tel):/i.exec(address)
  const rest = scheme ? address.slice(scheme[0].length) : address
  const isSip = scheme !== null && scheme[1]?.toLowerCase() !== 'tel'
  const at = rest.indexOf('@')
  const host = at < 0 ? '' : (/^[^;:?>]*/.exec(rest.slice(at + 1))?.[0].toLowerCase() ?? '')
  const isUri = scheme !== null || at >= 0
  // A SIP URI without a user names a host, sip:10.0.0.1:5060; some switches put the number there.
  const end = isSip || at >= 0 ? /[;:?]/ : isUri ? /[;?]/ : /;/
  const user = (at < 0 ? rest : rest.slice(0, at)).split(end, 1)[0] ?? ''
  if (user === '' && !isUri && address !== '') return NOT_A_NUMBER.malformed
  const context = /;phone-context=\+([\d.()-]+)/i.exec(unescapeUri(rest))?.[1]?.replace(/\D/g, '') ?? ''
  return readDigits((isUri ? unescapeUri(user) : user).trim(), context, host)
}

/** What is inside the angle brackets of `"Name" <sip:…>;tag=…`, or the text itself; undefined when they don't close. */
function addressOf(text: string): string | undefined {
  let from = 0
  if (text.startsWith('"')) {
    from = 1
    while (from < text.length && text[from] !== '"') from += text[from] === '\\' ? 2 : 1
    if (from >= text.length) return undefined
    from++
    const isOnlyQuoted = from === text.length
    if (isOnlyQuoted) return text.slice(1, -1).trim()
  }
  const open = text.indexOf('<', from)
  if (open < 0) return from === 0 ? text : undefined
  const close = text.indexOf('>', open)
  return close < 0 ? undefined : text.slice(open + 1, close).trim()
}

/** %2B and its like as the character; only ASCII, whatever else stays as it is and makes the text malformed. */
function unescapeUri(text: string): string {
  if (!text.includes('%')) return text
  return text.replace(/%([2-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

function readDigits(text: string, context: string, host: string): PhoneText | number {
  if (text === '' || isWithheld(text, host)) return NOT_A_NUMBER.withheld
  if (hasControl(text)) return NOT_A_NUMBER.malformed
  if (LETTER.test(text) || IPV4.test(text)) return NOT_A_NUMBER.alphanumeric
  let digits = ''
  let isInternational = false
  for (let i = 0; i < text.length; i++) {
    const char = text.charAt(i)
    const digit = digitOf(text.charCodeAt(i))
    const isStart = digits === '' && !isInternational
    if (digit >= 0) digits += digit
    else if (isStart && (char === '+' || char === '\uff0b')) isInternational = true
    else if (!SEPARATOR.test(char) || (isStart && SEPARATOR_INSIDE.test(char))) return NOT_A_NUMBER.malformed
  }
  if (digits === '') return isInternational ? NOT_A_NUMBER.tooShort : NOT_A_NUMBER.malformed
  return { digits, isInternational, context }
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if ((code < 32 && code !== TAB) || code === DELETE) return true
  }
  return false
}

function isWithheld(text: string, host: string): boolean {
  if (WITHHELD_WORDS.has(text.toLowerCase())) return true
  return WITHHELD_HOST.test(host) && !/^\+?\d{7}/.test(text)
}

/** The value of a digit in any script we read, or -1. */
function digitOf(code: number): number {
  for (const zero of DIGIT_ZEROS) if (code >= zero && code <= zero + 9) return code - zero
  return -1
}
