import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'

/** A line of test/data/phone-forms.tsv: what a text must be read as at home in `country`, in a call and in a list. */
export type PhoneForm = {
  readonly line: number
  readonly input: string
  readonly country: CountryCode
  readonly inCall: string
  readonly inList: string
  readonly comment: string
}

export function readPhoneForms(): PhoneForm[] {
  return readFileSync(path.join(PACKAGE_DIRECTORY, 'test', 'data', 'phone-forms.tsv'), 'utf8')
    .split('\n')
    .map((text, index) => ({ text, line: index + 1 }))
    .filter(({ text }) => text !== '' && !text.startsWith('# '))
    .map(({ text, line }) => {
      const [input = '', country = '', inCall = '', inList = '', comment = ''] = text.split('\t')
      return {
        line,
        input: decode(input),
        country: country as CountryCode,
        inCall,
        inList: inList === '=' ? inCall : inList,
        comment,
      }
    })
}

function decode(text: string): string {
  if (text === '∅') return ''
  return text.replace(/\\(?:u([0-9a-f]{4})|([trn\\]))/g, (_, hex?: string, char?: string) => {
    if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16))
    return { t: '\t', r: '\r', n: '\n' }[char ?? ''] ?? '\\'
  })
}

/** Where we differ from libphonenumber-js on purpose: the comment of the form says why. */
const DIFFERS_ON_PURPOSE = [
  ...['00442079460018', '00375290000007', '116117', '11833', '+4930231250018123', '030231250018123'],
  ...['79160000002+', '-79160000002'],
]

/** Nothing but digits and what people put between them, and no form that we read otherwise on purpose. */
export function isComparable(input: string): boolean {
  return !DIFFERS_ON_PURPOSE.includes(input) && !/[^\d\s+().\p{Pd}\p{Cf}/-]/u.test(input)
}

/** In E.164, as libphonenumber-js reads it; undefined: it is no possible number to it. */
export function libraryNumber(input: string, country: CountryCode): string | undefined {
  const found = parsePhoneNumberFromString(input, country)
  if (!found) return undefined
  // Possible by the calling code, not by one country of those that share it.
  found.country = undefined as unknown as CountryCode
  return found.isPossible() ? found.number : undefined
}
