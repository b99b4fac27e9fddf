// Writes src/domain/numbering-table.generated.ts from the metadata that libphonenumber-js carries.
//
//   node scripts/generate-numbering-table.mjs           write the table
//   node scripts/generate-numbering-table.mjs --check   exit 1 when the file differs from what would be written
//
// Run it after every update of libphonenumber-js: src/domain may import no package, so the facts are copied here.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const metadata = require('libphonenumber-js/metadata.max.json')
const { version } = require('libphonenumber-js/package.json')
const target = new URL('../src/domain/numbering-table.generated.ts', import.meta.url)

// Positions in a country's metadata array (libphonenumber-js METADATA.md, format version 4).
const CODE = 0
const INTERNATIONAL_PREFIX = 1
const PATTERN = 2
const LENGTHS = 3
const NATIONAL_PREFIX = 5
const PREFIX_PATTERN = 7
const PREFIX_TRANSFORM = 8
const LEADING_DIGITS = 10

// The metadata tell Kazakhstan by +77 only; its numbering plan, as notified to the ITU, holds +76 as well.
const LEADING_DIGITS_CORRECTED = { KZ: '[67]' }

/**
 * The digits a match of the pattern can begin with. Understands what the metadata use: \d, digits, classes, groups, |, ?,
 * {n}, {n,m}, $. An expression is the set of its first digits and whether it can be empty.
 */
function firstDigits(pattern) {
  let at = 0

  function readClass() {
    const digits = new Set()
    while (pattern[at] !== ']') {
      const [span, from, to = from] = /^(\d)(?:-(\d))?/.exec(pattern.slice(at))
      for (let digit = Number(from); digit <= Number(to); digit++) digits.add(digit)
      at += span.length
    }
    at++
    return { digits, canBeEmpty: false }
  }
  function readAtom() {
    const char = pattern[at++]
    if (char === '$') return { digits: new Set(), canBeEmpty: true }
    if (char === '[') return readClass()
    if (char === '\\' && pattern[at++] === 'd') return { digits: new Set(Array(10).keys()), canBeEmpty: false }
    if (char === '(') {
      if (pattern.startsWith('?:', at)) at += 2
      const inside = readAlternatives()
      at++
      return inside
    }
    if (/\d/.test(char)) return { digits: new Set([Number(char)]), canBeEmpty: false }
    throw new Error(`The pattern ${pattern} holds something new at ${at}.`)
  }
  function readRepeated() {
    const { digits, canBeEmpty } = readAtom()
    const repeat = /^(?:\?|\{(\d+)(?:,\d+)?\})/.exec(pattern.slice(at))
    at += repeat?.[0].length ?? 0
    return { digits, canBeEmpty: canBeEmpty || (repeat !== null && !Number(repeat[1] ?? 0)) }
  }
  function readSequence() {
    const result = { digits: new Set(), canBeEmpty: true }
    while (at < pattern.length && pattern[at] !== '|' && pattern[at] !== ')') {
      const next = readRepeated()
      if (result.canBeEmpty) for (const digit of next.digits) result.digits.add(digit)
      result.canBeEmpty &&= next.canBeEmpty
    }
    return result
  }
  function readAlternatives() {
    const result = readSequence()
    while (pattern[at] === '|') {
      at++
      const next = readSequence()
      for (const digit of next.digits) result.digits.add(digit)
      result.canBeEmpty ||= next.canBeEmpty
    }
    return result
  }
  return [...readAlternatives().digits].sort().join('')
}

/** [7, 9, 10] as `7,9-10`. */
function spans(numbers) {
  const runs = []
  for (const number of numbers) {
    const last = runs.at(-1)
    if (last && last[1] === number - 1) last[1] = number
    else runs.push([number, number])
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',')
}

function row(name, record) {
  const prefixPattern = record[PREFIX_PATTERN] || record[NATIONAL_PREFIX] || ''
  const cells = [
    name,
    record[CODE],
    record[INTERNATIONAL_PREFIX] || '',
    record[INTERNATIONAL_PREFIX] ? firstDigits(record[INTERNATIONAL_PREFIX]) : '',
    record[NATIONAL_PREFIX] || '',
    prefixPattern === record[NATIONAL_PREFIX] ? '' : prefixPattern,
    prefixPattern === '' ? '' : firstDigits(prefixPattern),
    record[PREFIX_TRANSFORM] || '',
    LEADING_DIGITS_CORRECTED[name] ?? (record[LEADING_DIGITS] || ''),
    spans(record[LENGTHS]),
    firstDigits(record[PATTERN]),
    record[PATTERN],
  ]
  return cells.join(' ')
}

const rows = []
for (const [code, names] of Object.entries(metadata.country_calling_codes)) {
  for (const name of names) {
    if (metadata.countries[name][CODE] !== code) throw new Error(`${name} does not have the calling code ${code}.`)
    rows.push(row(name, metadata.countries[name]))
  }
}
for (const record of Object.values(metadata.nonGeographic)) rows.push(row('001', record))

const text = `/**
 * Facts about the world's numbering plans. Generated: do not edit.
 *
 * Source: libphonenumber-js ${version}, which carries the metadata of Google's libphonenumber (Apache-2.0).
 * To bring it up to date: \`node scripts/generate-numbering-table.mjs\`.
 *
 * One plan a line, cells split by one space, empty when the plan has no such fact:
 *   country (001: no country) · calling code · international prefix, a pattern · the digits it can begin with · national
 *   prefix · what else stands for the national prefix, a pattern · the digits that can begin with · what it is replaced
 *   by · leading digits that tell this country from others with its calling code, a pattern · possible national lengths ·
 *   the digits a national number can begin with · national numbers, a pattern
 * The first country of a calling code stands for all of them.
 */
export const NUMBERING_TABLE = String.raw\`
${rows.join('\n')}
\`
`

if (process.argv.includes('--check')) {
  if (readFileSync(target, 'utf8') !== text) {
    console.error(
      'src/domain/numbering-table.generated.ts is out of date: run node scripts/generate-numbering-table.mjs',
    )
    process.exit(1)
  }
} else {
  writeFileSync(target, text)
}
