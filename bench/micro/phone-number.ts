/**
 * What reading a phone number costs: our reader on the forms that switches send, on forms that need the thorough reader,
 * and libphonenumber-js on the same texts, interleaved so that a busy machine is busy for all of them.
 *
 *   npm run build && node dist/bench/micro/phone-number.js [seed]
 *
 * Prints one JSON line a case (nanoseconds a parse over the rounds) and a table.
 */
import os from 'node:os'
import { parsePhoneNumberFromString } from 'libphonenumber-js/max'
import { diallingRules, parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'

const ROUNDS = 25
const TEXTS = 2_000
/** Times a round reads all texts, so that a round takes some milliseconds with each reader. */
const QUICK_REPEATS = 20
const SEED = Number(process.argv[2] ?? 611)

const rules = diallingRules('RU')
let state = SEED >>> 0

/** Seven digits, a linear congruential generator: the spread of the digits does not matter here. */
function sevenDigits(): string {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return String(state % 10_000_000).padStart(7, '0')
}

const FORMS: readonly (readonly [name: string, make: () => string])[] = [
  ['e164', () => `+7916${sevenDigits()}`],
  ['e164-no-plus', () => `7916${sevenDigits()}`],
  ['national', () => `8916${sevenDigits()}`],
  ['sip-uri', () => `sip:+7916${sevenDigits()}@sbc.example.net;user=phone`],
  ['foreign-e164', () => `+4477${sevenDigits()}0`],
  ['separators', () => `8 (916) ${sevenDigits()}`],
  ['thorough: name-addr', () => `"Ivan" <sip:+7916${sevenDigits()}@sbc.example.net>;tag=1`],
  ['thorough: too long', () => `+79161${sevenDigits()}`],
]

type Reader = readonly [name: string, repeats: number, read: (text: string) => number]
const READERS: readonly Reader[] = [
  ['zaslon', QUICK_REPEATS, (text) => parsePhoneNumber(text, rules, 'call')],
  // The library does not know URIs; it looks for the first number in a text, which is what it is timed at.
  ['libphonenumber-js', 1, (text) => (parsePhoneNumberFromString(text, 'RU')?.isPossible() ? 1 : 0)],
]

let sink = 0

function nanosecondsPerParse(texts: readonly string[], repeats: number, read: (text: string) => number): number {
  const start = process.hrtime.bigint()
  for (let repeat = 0; repeat < repeats; repeat++) for (const text of texts) sink += read(text)
  return Number(process.hrtime.bigint() - start) / (texts.length * repeats)
}

function quantile(sorted: readonly number[], share: number): number {
  return Math.round((sorted[Math.floor((sorted.length - 1) * share)] ?? 0) * 10) / 10
}

const rows: Record<string, unknown>[] = []
for (const [form, make] of FORMS) {
  const texts = Array.from({ length: TEXTS }, make)
  const samples = new Map(READERS.map(([name]) => [name, [] as number[]]))
  for (let round = -5; round < ROUNDS; round++) {
    for (const [name, repeats, read] of READERS) {
      const nanoseconds = nanosecondsPerParse(texts, repeats, read)
      // The first five rounds are warm-up.
      if (round >= 0) samples.get(name)?.push(nanoseconds)
    }
  }
  for (const [reader, values] of samples) {
    values.sort((a, b) => a - b)
    rows.push({
      form,
      reader,
      minNs: quantile(values, 0),
      medianNs: quantile(values, 0.5),
      p90Ns: quantile(values, 0.9),
      rounds: ROUNDS,
      parsesPerRound: TEXTS,
    })
  }
}

for (const row of rows) console.log(JSON.stringify({ bench: 'phone-number', seed: SEED, ...row }))
console.table(rows)
console.log(`Node ${process.version}, ${os.cpus()[0]?.model}, seed ${SEED}, sink ${sink % 10}`)
