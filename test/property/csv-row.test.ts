import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fieldText } from '../../src/jobs/field-text.ts'
import { createRowReader, ROW_BYTES_MAX } from '../../src/jobs/row-reader.ts'

const DELIMITER = ';'

/** Reads rows through a window that is refilled with `step` bytes at a time. */
function readRows(text: string, step: number): { rows: string[][]; lines: number[] } {
  const bytes = Buffer.from(text)
  let at = 0
  const source = {
    read(into: Uint8Array, offset: number): number {
      const count = Math.min(step, bytes.length - at, into.length - offset)
      into.set(bytes.subarray(at, at + count), offset)
      at += count
      return count
    },
    decode: (field: Uint8Array) => Buffer.from(field).toString(),
  }
  const reader = createRowReader(source, DELIMITER.charCodeAt(0), 0)
  const rows: string[][] = []
  const lines: number[] = []
  while (reader.next()) {
    const fields = Array.from({ length: reader.row.fieldCount }, (_, index) => fieldText(reader, index, source))
    if (fields.length === 1 && fields[0] === '' && reader.row.quoted[0] === 0) continue
    rows.push(fields)
    lines.push(reader.startLine)
  }
  return { rows, lines }
}

const cell = fc.string({ unit: fc.constantFrom('a', '7', '"', ';', ',', '\n', '\r', ' ', 'я', '+'), maxLength: 8 })
const table = fc.array(fc.array(cell, { minLength: 1, maxLength: 4 }), { maxLength: 30 })
const lineEnd = fc.constantFrom('\n', '\r\n', '\r')

function write(rows: string[][], end: string, hasLastEnd: boolean): string {
  const quote = (text: string) => (/[";\n\r]/.test(text) || text === '' ? `"${text.replaceAll('"', '""')}"` : text)
  return rows.map((row) => row.map(quote).join(DELIMITER)).join(end) + (hasLastEnd ? end : '')
}

describe('the tokenizer', () => {
  it('reads what csv-parse reads', () => {
    fc.assert(
      fc.property(table, lineEnd, fc.boolean(), fc.integer({ min: 1, max: 7 }), (rows, end, hasLastEnd, step) => {
        const text = write(rows, end, hasLastEnd)
        const expected = parse(text, {
          delimiter: DELIMITER,
          relax_column_count: true,
          skip_empty_lines: true,
          record_delimiter: end,
        })
        expect(readRows(text, step).rows).toEqual(expected)
      }),
      { numRuns: 500 },
    )
  })

  it('ends with any bytes, loses none of the lines and counts them as an editor does', () => {
    const noise = fc.string({ unit: fc.constantFrom('a', '"', '""', ';', '\n', '\r', '\r\n', ' '), maxLength: 60 })
    fc.assert(
      fc.property(noise, fc.integer({ min: 1, max: 7 }), (text, step) => {
        const { lines } = readRows(text, step)
        const total = text.split(/\r\n|\r|\n/).length
        expect(lines).toEqual([...lines].sort((a, b) => a - b))
        expect(new Set(lines).size).toBe(lines.length)
        expect(Math.max(0, ...lines)).toBeLessThanOrEqual(total)
      }),
      { numRuns: 1000 },
    )
  })

  it('reads on after a line longer than its window', () => {
    const long = 'x'.repeat(5 * ROW_BYTES_MAX)
    for (const end of ['\n', '\r\n', '\r']) {
      const { rows, lines } = readRows(`a${end}${long}${end}b${end}"${long}${end}c`, 1_000)
      expect(rows).toEqual([['a'], [], ['b'], [], ['c']])
      expect(lines).toEqual([1, 2, 3, 4, 5])
    }
  })
})
