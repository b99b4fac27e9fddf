/**
 * A regulator's range file becomes the layer of allocated ranges of a numbering plan, and the list of codes it covers:
 * inside them, a number outside every range cannot exist. A code that a row which could not be read may belong to is not
 * covered, so that a damaged line never makes real numbers impossible.
 */
import { ScreeningError } from '../domain/errors.ts'
import type { RowReason } from '../domain/import.ts'
import { E164_DIGITS_MAX } from '../domain/numbering-plan.ts'
import type { EntryRows } from './entry-rows.ts'
import { fieldText } from './field-text.ts'
import type { JobDependencies } from './job-dependencies.ts'
import { detectDialect, type ListDialect } from './list-dialect.ts'
import type { ImportNumberingJob, ImportNumberingResult } from './list-jobs.ts'
import { createRejectedRows, type RejectedRows } from './rejected-rows.ts'
import { createRowReader, type RowReader } from './row-reader.ts'
import { openTextSource, type TextSource } from './text-source.ts'
import { writeLayer } from './write-layer.ts'

/** More unreadable rows than one in a hundred: this is another kind of file. */
const REJECTED_SHARE_MAX = 0.01

/** A national code as the file writes it. */
const CODE = /^\d{1,6}$/

type Range = { from: number; to: number }

/** Throws NUMBERING_INVALID, IMPORT_EMPTY, IMPORT_FORMAT, IMPORT_TOO_LARGE, storage errors. */
export function importNumbering(job: ImportNumberingJob, dependencies: JobDependencies): ImportNumberingResult {
  const source = openTextSource(job.path, { bytesMax: job.bytesMax })
  try {
    const dialect = detectDialect(source)
    if (dialect.ranges === undefined) {
      throw new ScreeningError(
        'NUMBERING_INVALID',
        'The file has no columns for the code, the first and the last number.',
        {
          hint: 'Expected a header such as "АВС/ DEF;От;До;…" or "code;from;to".',
        },
      )
    }
    const rejected = createRejectedRows(job.rejectedPath, dialect)
    const read = readRanges(source, dialect, dialect.ranges, job.callingCode, rejected)
    rejected.close()
    if (read.ranges.length === 0 || rejected.count > read.rows * REJECTED_SHARE_MAX) {
      throw new ScreeningError('NUMBERING_INVALID', `${rejected.count} of ${read.rows} rows are no ranges.`, {
        rejected: sampleOf(rejected),
      })
    }
    if (job.covers !== undefined || !read.isSorted) assertWhole(read.rows, rejected)
    const allocated = mergeRanges(read.ranges)
    const layer = writeLayer(
      job.layerId,
      { numbers: new Float64Array(0), numberIds: undefined, ranges: toRows(allocated), dictionary: [] },
      dependencies,
      () => {},
    )
    return {
      layer,
      rows: read.rows,
      accepted: read.rows - rejected.count,
      rejected: rejected.sample,
      rejectedCount: rejected.count,
      covers: mergeRanges(job.covers === undefined ? read.covers : coversOf(job.covers, read.ranges)),
      numbers: allocated.reduce((sum, { from, to }) => sum + to - from + 1, 0),
    }
  } finally {
    source.close()
  }
}

/** Where nobody can tell which numbers a row that could not be read takes away, every row has to be read. */
function assertWhole(rows: number, rejected: RejectedRows): void {
  const [first] = rejected.sample
  if (first === undefined) return
  const message = `${rejected.count} of ${rows} rows are no ranges, the first in line ${first.line} (${first.reason}).`
  throw new ScreeningError('NUMBERING_INVALID', message, {
    hint: 'Correct them. Only a file in the order of its codes, without declared prefixes, can leave out the codes around them.',
    rejected: sampleOf(rejected),
  })
}

function sampleOf({ sample }: RejectedRows): { line: number; reason: RowReason }[] {
  return sample.slice(0, 5).map(({ line, reason }) => ({ line, reason }))
}

function readRanges(
  source: TextSource,
  dialect: ListDialect,
  columns: NonNullable<ListDialect['ranges']>,
  callingCode: string,
  rejected: RejectedRows,
): { rows: number; ranges: Range[]; covers: Range[]; isSorted: boolean } {
  const reader = createRowReader(source, dialect.delimiter)
  const ranges: Range[] = []
  const codes = createCoveredCodes(callingCode)
  let rows = -1 // The header is none.
  while (reader.next()) {
    const fields = reader.problem === undefined ? fieldsOf(reader, source) : [source.decode(reader.problemText)]
    if (fields.length === 1 && fields[0]?.trim() === '') continue
    // Several files one after the other repeat the header, each with its byte order mark.
    if (rows >= 0 && isHeader(fields, dialect)) {
      codes.beginFile()
      continue
    }
    if (rows++ < 0) continue
    const [code = '', from = '', to = ''] = [columns.code, columns.from, columns.to].map((at) => fields[at]?.trim())
    const range = reader.problem ?? readRange(callingCode, code, from, to)
    if (typeof range === 'string') {
      rejected.add(reader.startLine, fields, range)
      codes.addDamaged(code)
      continue
    }
    ranges.push(range)
    codes.addSound(code, from.length)
  }
  return { rows, ranges, covers: codes.ranges(), isSorted: codes.isSorted() }
}

/**
 * The codes of a file that can be covered. Where its rows stand in the order of their codes, a damaged row belongs to the
 * code of the sound row before or after it, or to the one it names, or to one without any sound row.
 */
function createCoveredCodes(callingCode: string) {
  const covers = new Map<string, { code: string; range: Range }>()
  const doubtful = new Set<string>()
  let lastCode = ''
  let isAfterDamage = false
  let isSorted = true
  return {
    isSorted: () => isSorted,
    /** The order begins anew; a damaged row before stays a neighbour. */
    beginFile(): void {
      lastCode = ''
    },
    addSound(code: string, subscriberDigits: number): void {
      if (isAfterDamage) doubtful.add(code)
      isAfterDamage = false
      if (code < lastCode) isSorted = false
      lastCode = code
      const scale = 10 ** subscriberDigits
      const start = Number(callingCode + code) * scale
      covers.set(`${code}/${subscriberDigits}`, { code, range: { from: start, to: start + scale - 1 } })
    },
    addDamaged(code: string): void {
      isAfterDamage = true
      for (const doubted of [lastCode, code]) if (CODE.test(doubted)) doubtful.add(doubted)
    },
    ranges(): Range[] {
      const known = new Set([...covers.values()].map(({ code }) => code))
      // A code and one that begins with it share numbers. What no sound row has as its code may be half of one.
      const isSound = (code: string) =>
        ![...doubtful].some((one) => one.startsWith(code) || (known.has(one) && code.startsWith(one)))
      return [...covers.values()].filter(({ code }) => isSound(code)).map(({ range }) => range)
    },
  }
}

function isHeader(fields: readonly string[], { header = [] }: ListDialect): boolean {
  return fields.every((field, index) => field.replace('\ufeff', '').trim() === header[index]?.trim())
}

/** The declared prefixes, with as many digits behind them as the numbers of the file have. */
function coversOf(prefixes: readonly string[], ranges: readonly Range[]): Range[] {
  const lengths = new Set(ranges.map(({ from }) => String(from).length))
  return prefixes.flatMap((prefix) => {
    if (!/^[1-9]\d*$/.test(prefix)) {
      throw new ScreeningError('NUMBERING_INVALID', `A covered prefix is digits with the country code, got ${prefix}.`)
    }
    return [...lengths]
      .filter((length) => length >= prefix.length)
      .map((length) => {
        const scale = 10 ** (length - prefix.length)
        return { from: Number(prefix) * scale, to: (Number(prefix) + 1) * scale - 1 }
      })
  })
}

function fieldsOf(reader: RowReader, source: TextSource): string[] {
  return Array.from({ length: reader.row.fieldCount }, (_, index) => fieldText(reader, index, source))
}

/** The numbers of one row, country code in front, or why it is refused. */
function readRange(callingCode: string, code: string, from: string, to: string): Range | RowReason {
  if (!CODE.test(code) || !/^\d{1,12}$/.test(from) || !/^\d{1,12}$/.test(to)) return 'not-a-number'
  if (from.length !== to.length) return 'range-lengths-differ'
  if (callingCode.length + code.length + from.length > E164_DIGITS_MAX) return 'too-long'
  const range = { from: Number(callingCode + code + from), to: Number(callingCode + code + to) }
  return range.to < range.from ? 'range-reversed' : range
}

/** Ascending, with ranges that overlap or touch made one. */
function mergeRanges(ranges: readonly Range[]): Range[] {
  const merged: Range[] = []
  for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = merged.at(-1)
    if (last !== undefined && from <= last.to + 1) last.to = Math.max(last.to, to)
    else merged.push({ from, to })
  }
  return merged
}

/** A single allocated number stays a range here: the plan asks only for ranges. */
function toRows(ranges: readonly Range[]): EntryRows {
  return {
    from: Float64Array.from(ranges, ({ from }) => from),
    to: Float64Array.from(ranges, ({ to }) => to),
    ids: new Uint32Array(ranges.length),
  }
}
