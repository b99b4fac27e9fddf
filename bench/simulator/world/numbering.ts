/**
 * The numbers of the world's country. Built in: the mobile codes of Russia with the share of each that is given to anybody
 * and to our operator, rounded, from the regulator's open data of August 2026. `--numbering FILE` takes a regulator's file.
 */
import { readFileSync } from 'node:fs'
import { EvaluateUsageError } from '../../lib/evaluate-usage-error.ts'
import type { Random } from '../random.ts'
import { createWeightedDraw } from '../random.ts'

export type Range = { readonly from: number; readonly to: number }
type OwnedRange = Range & { readonly isOwn: boolean }

export type Numbering = {
  readonly name: string
  /** Inside `covered`, a number outside every range of `allocated` cannot exist. Ascending, apart. */
  readonly covered: readonly Range[]
  readonly allocated: readonly Range[]
  /** First number of a mobile thousand-number block of our operator, or of another one. */
  mobileBlock(random: Random, isOwn: boolean): number
  /** First number of a thousand-number block of fixed lines. Geographic codes are not covered: their plan is another file. */
  fixedBlock(random: Random): number
  /** A number inside `covered` and outside `allocated`. */
  impossible(random: Random): number
  /** A number with a code that no plan names. */
  unassigned(random: Random): number
}

const CODE_NUMBERS = 10_000_000
const BLOCK = 1_000
/** Code, tenths given to our operator, tenths given to anybody. */
const CODES = `900:7:10 901:8:10 902:8:10 903:0:10 904:9:10 905:0:10 906:0:10 908:7:10 909:0:10 910:0:10 911:0:10 912:0:10
913:0:10 914:0:10 915:0:10 916:0:10 917:0:10 918:0:10 919:0:10 920:0:10 921:0:10 922:0:10 923:0:8 924:0:9 925:0:10 926:0:10
927:0:10 928:0:10 929:0:10 930:1:9 931:0:9 932:0:7 933:0:10 934:1:3 936:1:4 937:0:10 938:0:5 939:0:7 949:0:7 950:9:10
951:9:10 952:10:10 953:9:10 958:1:10 959:0:4 960:0:10 961:0:10 962:0:10 963:0:10 964:0:10 965:0:10 966:0:8 967:0:10
968:0:10 969:0:10 977:8:10 978:0:9 980:0:10 981:0:9 982:0:10 983:0:7 984:0:4 985:0:10 986:0:9 987:0:10 988:0:10 989:0:10
990:0:3 991:5:10 992:3:5 993:0:10 994:2:6 995:1:10 996:2:10 999:1:10`
const FIXED_CODES = ['495', '499', '812', '343', '383', '846', '861', '831', '351', '843', '423', '391']
/** Codes that the regulator has given to nobody. */
const UNASSIGNED_CODES = ['907', '935', '940', '943', '944', '945', '946', '948', '957', '972', '973', '998']

export function builtInNumbering(): Numbering {
  const ranges: OwnedRange[] = []
  const covered: Range[] = []
  for (const row of CODES.split(/\s+/)) {
    const [code = '', own = '', given = ''] = row.split(':')
    const from = Number(`7${code}`) * CODE_NUMBERS
    const ownTo = from + (Number(own) * CODE_NUMBERS) / 10 - 1
    const to = from + (Number(given) * CODE_NUMBERS) / 10 - 1
    covered.push({ from, to: from + CODE_NUMBERS - 1 })
    if (ownTo >= from) ranges.push({ from, to: ownTo, isOwn: true })
    if (to > ownTo) ranges.push({ from: ownTo + 1, to, isOwn: false })
  }
  return createNumbering('built in, after the plan of August 2026', covered, ranges)
}

/** A regulator's file: `code;from;to;capacity;operator;…` with a header, UTF-8. Throws EvaluateUsageError. */
export function readNumbering(file: string, ownOperator = /[ТT]-?2\s*(Мобайл|МОБАЙЛ|Mobile)/): Numbering {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new EvaluateUsageError(`The range file ${file} cannot be read.`, { cause })
  }
  const rows = text.split('\n').slice(1)
  const ranges: OwnedRange[] = []
  const codes = new Set<string>()
  for (const row of rows) {
    const [code = '', from = '', to = '', , operator = ''] = row.split(';')
    if (!/^\d{3}$/.test(code) || !/^\d{7}$/.test(from) || !/^\d{7}$/.test(to)) continue
    codes.add(code)
    const base = Number(`7${code}`) * CODE_NUMBERS
    ranges.push({ from: base + Number(from), to: base + Number(to), isOwn: ownOperator.test(operator) })
  }
  const blocks = ranges.filter(({ from, to }) => to - from + 1 >= BLOCK)
  if (!blocks.some(({ isOwn }) => isOwn) || !blocks.some(({ isOwn }) => !isOwn)) {
    const message = `${file} is no range file with several operators, each with a thousand numbers: expected rows like 900;0000000;0061999;62000;OPERATOR.`
    throw new EvaluateUsageError(message)
  }
  const covered = [...codes].sort().map((code) => {
    const from = Number(`7${code}`) * CODE_NUMBERS
    return { from, to: from + CODE_NUMBERS - 1 }
  })
  return createNumbering(file, covered, ranges)
}

function createNumbering(name: string, covered: readonly Range[], ranges: readonly OwnedRange[]): Numbering {
  const allocated = merge(ranges)
  const drawers = [false, true].map((isOwn) => {
    const whole = ranges.filter((range) => range.isOwn === isOwn && range.to - range.from + 1 >= BLOCK)
    return { whole, draw: createWeightedDraw(whole.map(({ from, to }) => to - from + 1)) }
  })
  const vacant = gaps(covered, allocated)
  const drawVacant = vacant.length === 0 ? undefined : createWeightedDraw(vacant.map(({ from, to }) => to - from + 1))
  const within = (random: Random, { from, to }: Range) => from + random.below(to - from + 1)
  return {
    name,
    covered,
    allocated,
    mobileBlock(random, isOwn) {
      const { whole, draw } = drawers[isOwn ? 1 : 0]!
      const range = whole[draw(random)]!
      const first = Math.ceil(range.from / BLOCK)
      const last = Math.floor((range.to + 1) / BLOCK) - 1
      return Math.max(first, Math.min(last, Math.floor(within(random, range) / BLOCK))) * BLOCK
    },
    fixedBlock: (random) =>
      Number(`7${random.pick(FIXED_CODES)}`) * CODE_NUMBERS + (2_000 + random.below(8_000)) * BLOCK,
    impossible(random) {
      if (drawVacant === undefined) throw new EvaluateUsageError(`${name} leaves no number that cannot exist.`)
      return within(random, vacant[drawVacant(random)]!)
    },
    unassigned: (random) => Number(`7${random.pick(UNASSIGNED_CODES)}`) * CODE_NUMBERS + random.below(CODE_NUMBERS),
  }
}

function merge(ranges: readonly Range[]): Range[] {
  const merged: { from: number; to: number }[] = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

/** What of `covered` is in none of `allocated`; both ascending and apart. */
function gaps(covered: readonly Range[], allocated: readonly Range[]): Range[] {
  const found: Range[] = []
  for (const { from, to } of covered) {
    let at = from
    for (const range of allocated) {
      if (range.to < at || range.from > to) continue
      if (range.from > at) found.push({ from: at, to: range.from - 1 })
      at = range.to + 1
    }
    if (at <= to) found.push({ from: at, to })
  }
  return found
}
