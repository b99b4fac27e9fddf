/**
 * What reading a phone number costs: our reader, and libphonenumber-js on the same texts. The hand-checked forms of
 * test/data/phone-forms.tsv that both read as a number, and generated ones by form. Where the library can read a form, both
 * read the same number.
 */
import { type CountryCode, parsePhoneNumberFromString } from 'libphonenumber-js/max'
import {
  type DiallingRules,
  diallingRules,
  type ParseMode,
  parsePhoneNumber,
} from '../../src/domain/parse-phone-number.ts'
import { isComparable, libraryNumber, readPhoneForms } from '../../test/support/phone-forms.ts'
import { ratios } from '../lib/interleave.ts'
import { seededRandom } from '../lib/seeded-random.ts'
import { median, round } from '../lib/stats.ts'
import type { PartResult } from '../suite/part.ts'
import { assertSame, cell, foldAnswer, NO_ANSWERS, timeSides } from './sides.ts'

const SEED = 611
const TEXTS = 2_000
/** Times a round reads all texts, so that a round of ours takes about as long as one of the library's. */
const OUR_REPEATS = 20

export type TextOptions = { readonly rounds: number }

type Text = { readonly text: string; readonly country: CountryCode; readonly rules: DiallingRules }

/** `isShared`: the library can read it; it does not know URIs, and looks for the first number in a text. */
type Form = {
  readonly name: string
  readonly mode: ParseMode
  readonly texts: readonly Text[]
  readonly isShared: boolean
}

export async function measureTexts({ rounds }: TextOptions): Promise<PartResult> {
  const rows: (string | number)[][] = []
  const raw: Record<string, unknown> = { seed: SEED, rounds }
  for (const { name, mode, texts, isShared } of formsOf()) {
    const results = await timeSides(
      {
        ours: { count: texts.length * OUR_REPEATS, work: () => readOurs(texts, mode, OUR_REPEATS) },
        library: { count: texts.length, work: () => readTheirs(texts, isShared) },
      },
      rounds,
    )
    if (isShared) assertSame(name, results.ours, results.library)
    const { ours, library } = { ours: results.ours.ns, library: results.library.ns }
    raw[name] = { texts: texts.length, isShared, ours, library }
    rows.push([name, cell(ours), cell(library), round(median(ratios(library, ours)))])
  }
  return {
    measured: {},
    tables: [
      {
        title: `Reading a phone number, ns, ${rounds} rounds in turn`,
        head: ['', 'zaslon', 'libphonenumber-js', 'times as fast'],
        rows,
        note:
          'Median and range. Both read the same numbers, but of name-addr and of what is too long, where the library looks for any number in ' +
          'the text and we read or refuse it by the rules.',
      },
    ],
    raw,
  }
}

function formsOf(): Form[] {
  const random = seededRandom(SEED)
  const sevenDigits = () => String(Math.floor(random() * 10_000_000)).padStart(7, '0')
  const rules = diallingRules('RU')
  const generated = (name: string, isShared: boolean, make: () => string): Form => ({
    name,
    mode: 'call',
    isShared,
    texts: Array.from({ length: TEXTS }, () => ({ text: make(), country: 'RU', rules })),
  })
  return [
    generated('+79161234567', true, () => `+7916${sevenDigits()}`),
    generated('79161234567', true, () => `7916${sevenDigits()}`),
    generated('89161234567', true, () => `8916${sevenDigits()}`),
    generated('8 (916) 1234567', true, () => `8 (916) ${sevenDigits()}`),
    generated('+4420…, from abroad', true, () => `+44207${sevenDigits()}`),
    generated('sip:+7916…@…;user=phone', true, () => `sip:+7916${sevenDigits()}@sbc.example.net;user=phone`),
    generated('"Ivan" <sip:+7916…@…>;tag=1', false, () => `"Ivan" <sip:+7916${sevenDigits()}@sbc.example.net>;tag=1`),
    generated('+791612345678, too long', false, () => `+79161${sevenDigits()}`),
    { name: 'hand-checked forms', mode: 'list', isShared: true, texts: handChecked() },
  ]
}

/** Those that the library reads as a possible number, as the test of our reader has them. */
function handChecked(): Text[] {
  const rules = new Map<string, DiallingRules>()
  return readPhoneForms().flatMap(({ input, country, inList }) => {
    if (!isComparable(input) || libraryNumber(input, country) !== inList) return []
    const known = rules.get(country) ?? diallingRules(country)
    rules.set(country, known)
    return [{ text: input, country, rules: known }]
  })
}

function readOurs(texts: readonly Text[], mode: ParseMode, repeats: number): number {
  let answers = NO_ANSWERS
  for (let repeat = 0; repeat < repeats; repeat++) {
    answers = NO_ANSWERS
    for (const { text, rules } of texts) answers = foldAnswer(answers, parsePhoneNumber(text, rules, mode))
  }
  return answers
}

function readTheirs(texts: readonly Text[], isNumber: boolean): number {
  let answers = NO_ANSWERS
  for (const { text, country } of texts) {
    const found = parsePhoneNumberFromString(text, country)
    const isRead = found?.isPossible() || isNumber
    answers = foldAnswer(answers, isRead ? Number(found?.number.slice(1)) : 0)
  }
  return answers
}
