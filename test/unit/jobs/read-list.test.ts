import { describe, expect, it } from 'vitest'
import { REASON_CHARS_MAX, SOURCE_CHARS_MAX } from '../../../src/domain/number-list.ts'
import { ROW_BYTES_MAX } from '../../../src/jobs/row-reader.ts'
import { readText } from '../../support/read-text.ts'

const NUMBER = 79160000002

function utf16be(text: string): Buffer {
  return Buffer.from(text, 'utf16le').swap16()
}

function cp1251(text: string): Buffer {
  return Buffer.from(
    Array.from(text, (char) => {
      const code = char.codePointAt(0) ?? 0
      return code >= 0x410 && code <= 0x44f ? code - 0x410 + 0xc0 : code
    }),
  )
}

describe('an upload', () => {
  it.each([
    ['LF', '+79160000001\n+79160000002\n'],
    ['no last line end', '+79160000001\n+79160000002'],
    ['CRLF', '+79160000001\r\n+79160000002\r\n'],
    ['CR', '+79160000001\r+79160000002\r'],
    ['blank lines', '\n\n+79160000001\n  \n+79160000002\n\n'],
    ['spaces', '  +79160000001 \n\t8 916 000 00 02\n'],
    ['quotes', '"+79160000001"\r\n"+7 916 000-00-02"\r\n'],
    ['apostrophes of a spreadsheet', "'+79160000001\n'+79160000002\n"],
    ['a header', 'phone_number\n+79160000001\n+79160000002\n'],
    ['a Russian header', 'Номер телефона\n+79160000001\n+79160000002\n'],
  ])('is read with %s', (_, text) => {
    const read = readText(text)
    expect(read).toMatchObject({ rows: 2, accepted: 2, numbers: [79160000001, NUMBER], rejected: [] })
  })

  const reason = 'Звонили; "представились" банком'
  const table = `номер;причина\r\n+79160000002;"${reason.replaceAll('"', '""')}"\r\n`
  it.each<[string, Uint8Array]>([
    ['UTF-8', Buffer.from(table)],
    ['UTF-8 with BOM', Buffer.from(`\ufeff${table}`)],
    ['UTF-16 LE with BOM', Buffer.from(`\ufeff${table}`, 'utf16le')],
    ['UTF-16 BE with BOM', utf16be(`\ufeff${table}`)],
    ['UTF-16 LE', Buffer.from(table, 'utf16le')],
    ['UTF-16 BE', utf16be(table)],
    ['CP1251', cp1251(table)],
  ])('is read in %s', (_, bytes) => {
    expect(readText(bytes)).toMatchObject({ rows: 1, numbers: [NUMBER], details: { [NUMBER]: { reason } } })
  })

  const damaged = Buffer.concat([Buffer.from(`${table}+79160000003;`), Buffer.from([0xff]), Buffer.from('\r\n')])
  const cut = Buffer.from(`${table}+79160000003;Банк`).subarray(0, -1)
  const mark = Buffer.from('\ufeff')
  it.each<[string, Uint8Array, string]>([
    ['one damaged byte', damaged, '\ufffd'],
    ['one damaged byte, with BOM', Buffer.concat([mark, damaged]), '\ufffd'],
    ['a cut last character', cut, 'Бан\ufffd'],
    ['a cut last character, with BOM', Buffer.concat([mark, cut]), 'Бан\ufffd'],
    ['nothing but damaged bytes, with BOM', Buffer.from('efbbbf2b37393136303030303030333bff', 'hex'), '\ufffd'],
  ])('stays UTF-8 with %s', (_, bytes, damagedReason) => {
    const { details } = readText(bytes)
    expect(details[79160000003]).toEqual({ reason: damagedReason })
    if (bytes.length > 20) expect(details[NUMBER]).toEqual({ reason })
  })

  it('stays UTF-8 with damage far behind the beginning', () => {
    const rows = `+79160000002;${reason.slice(0, 7)}\n`.repeat(60_000)
    const { details } = readText(Buffer.concat([Buffer.from(rows), Buffer.from([0xd0, 0x0a]), Buffer.from(rows)]))
    expect(details).toEqual({ [NUMBER]: { reason: reason.slice(0, 7) } })
  })

  it('is CP1251 with marks among its letters that are valid UTF-8 by chance', () => {
    const bytes = Buffer.concat([cp1251('+79160000002;Р'), Buffer.from([0xb9]), cp1251('банк\n')])
    expect(readText(bytes).details).toEqual({ [NUMBER]: { reason: 'Р№банк' } })
  })

  it.each([';', ',', '\t'])('is read with the delimiter %j', (delimiter) => {
    const text = ['source', 'number', 'expires', 'ignored'].join(delimiter)
    const row = ['hotline', '+79160000002', '2026-08-31T00:00:00Z', 'x'].join(delimiter)
    const details = { source: 'hotline', expiresMs: Date.parse('2026-08-31T00:00:00Z') }
    expect(readText(`${text}\n${row}\n`).details).toEqual({ [NUMBER]: details })
  })

  const many = Array.from({ length: 150 }, (_, i) => `+${79160000100 + i}\n`).join('')
  const late = { reason: 'spam', expiresMs: Date.parse('2026-12-31T20:59:59.999Z') }
  it.each([
    ['commas', many, '+79160000002,spam,2026-12-31'],
    ['semicolons', many, '8 916 000-00-02;spam;2026-12-31'],
    ['tabs', many, '+79160000002\tspam\t2026-12-31'],
    ['a quoted number', many, '"+7 916 000-00-02",spam,2026-12-31'],
    ['a header that names only the number', `number\n${many}`, '+79160000002,spam,2026-12-31'],
  ])('reads columns that come late: %s', (_, before, row) => {
    const read = readText(`${before}${row}\n\t+79160000003\t\n"+79160000004"\n`)
    expect(read).toMatchObject({ rows: 153, accepted: 153, details: { [NUMBER]: late } })
  })

  it('writes refused rows with late columns so that they can be corrected', () => {
    const { rejected, rejectedCsv } = readText(`number\n${many}+79160000002;spam;31.12\n`)
    expect(rejected).toEqual([{ line: 152, text: '+79160000002,spam,31.12', reason: 'bad-expiry' }])
    const corrected = readText(rejectedCsv.replace('31.12', '31.12.2026'))
    expect(corrected).toMatchObject({ rows: 1, accepted: 1, details: { [NUMBER]: late } })
  })

  it.each([
    ['U+0000 in the reason', 'a\u0000b,,x'],
    ['U+0000 in the source', 'a,,x\u0000'],
    ['a vertical tab', 'a\u000bb,,x'],
    ['delete', 'a\u007f,,x'],
    ['a C1 control', 'a\u0085,,x'],
  ])('refuses a row with a control character: %s', (_, columns) => {
    const text = `+79160000001,plain\n+79160000002,${columns}\n`
    const read = readText(Buffer.from(`\ufeff${text}`, 'utf16le'))
    expect(read).toMatchObject({ rows: 2, accepted: 1, rejected: [{ line: 2, reason: 'control-character' }] })
    expect(read.rejectedCsv).toContain(`+79160000002,${columns.replace(/[^\P{Cc}]/gu, '\ufffd')},2,`)
    expect(readText(read.rejectedCsv)).toMatchObject({ rows: 1, accepted: 1 })
  })

  it('takes tabs and line ends in a reason', () => {
    const { details } = readText('+79160000002;"a\tb\r\nc"\n')
    expect(details).toEqual({ [NUMBER]: { reason: 'a\tb\r\nc' } })
  })

  it('takes columns without a header as number, reason, expires, source', () => {
    const { details } = readText('+79160000002,"two\nlines",2026-08-31,hotline\n')
    const expiresMs = Date.parse('2026-08-31T20:59:59.999Z')
    expect(details).toEqual({ [NUMBER]: { reason: 'two\nlines', expiresMs, source: 'hotline' } })
  })

  it('keeps the row that says more, and of those the last', () => {
    const text = '+79160000002,a\n+79160000002\n+79160000002,b\n+79160000002\n+7916000000*\n+7916000000*\n'
    const read = readText(text)
    expect(read).toMatchObject({ rows: 6, accepted: 6, duplicates: 4, numbers: [NUMBER] })
    expect(read.details).toEqual({ [NUMBER]: { reason: 'b' } })
  })

  it('keeps the range that says more, and of those the last', () => {
    const range = '+79160000000-+79160000009'
    const { details } = readText(`${range},a\n${range},b\n${range}\n`)
    expect(details).toEqual({ '79160000000-79160000009': { reason: 'b' } })
  })

  it('reads a range file of the regulator', () => {
    const read = readText('\ufeffАВС/ DEF;От;До;Емкость\n916;0000000;0009999;10000\n916;0010000;0010000;1\n')
    expect(read).toMatchObject({ rows: 2, numbers: [79160010000], ranges: [[79160000000, 79160009999]] })
  })

  it('accounts for every row, with the line it starts in', () => {
    const text = 'number,reason,expires\n+79160000001,"a\nb"\n\nBANK,x\n+79160000002,ok,\n8800,y\n+79160000003,,z\n'
    const read = readText(text)
    expect(read).toMatchObject({ rows: 5, accepted: 3, numbers: [18800, 79160000001, NUMBER] })
    expect(read.rejected).toEqual([
      { line: 5, text: 'BANK,x', reason: 'alphanumeric' },
      { line: 8, text: '+79160000003,,z', reason: 'bad-expiry' },
    ])
  })

  it('loses one line to a stray quote, not the rest of the file', () => {
    const read = readText('+79160000001\n"+79160000002\n+79160000003\n"x"y\n+79160000004\n')
    expect(read.numbers).toEqual([79160000001, 79160000003, 79160000004])
    expect(read.rejected).toEqual([
      { line: 2, text: '"+79160000002', reason: 'quote-open' },
      { line: 4, text: '"x"y', reason: 'quote-open' },
    ])
  })

  it.each([
    [ROW_BYTES_MAX, 1],
    [ROW_BYTES_MAX + 1, 0],
  ])('takes a row of %i bytes: %i', (bytes, accepted) => {
    const start = 'number,remark\n+79160000001\n'
    const row = '+79160000002,'
    const read = readText(`${start}${row}${'x'.repeat(bytes - row.length)}\r\n+79160000003\n`)
    expect(read).toMatchObject({ rows: 3, accepted: 2 + accepted })
    if (accepted === 0) expect(read.rejected).toMatchObject([{ line: 3, reason: 'row-too-long' }])
  })

  it.each([
    [`+79160000002,${'я'.repeat(REASON_CHARS_MAX)}`, 0],
    [`+79160000002,${'я'.repeat(REASON_CHARS_MAX + 1)}`, 1],
    [`+79160000002,,,${'s'.repeat(SOURCE_CHARS_MAX)}`, 0],
    [`+79160000002,,,${'s'.repeat(SOURCE_CHARS_MAX + 1)}`, 1],
  ])('bounds reason and source', (text, rejected) => {
    expect(readText(`+79160000001\n${text}`).rejected).toHaveLength(rejected)
  })

  it('writes rejected rows so that they can be corrected and uploaded again', () => {
    const read = readText('number;reason;x\n=1+1;a\n+7916;"=cmd|\' /C calc\'!A0";y\n+79160000001;ok\n')
    expect(read.rejectedCsv).toBe(
      "\ufeffnumber;reason;x;rejected_line;rejected_because\r\n'=1+1;a;;2;not-a-number\r\n+7916;'=cmd|' /C calc'!A0;y;3;too-short\r\n",
    )
    const corrected = readText(read.rejectedCsv.replace('+7916;', '+79160000002;'))
    expect(corrected).toMatchObject({ rows: 2, accepted: 1, numbers: [NUMBER] })
    expect(corrected.details).toEqual({ [NUMBER]: { reason: "=cmd|' /C calc'!A0" } })
    expect(corrected.rejected).toEqual([{ line: 2, text: expect.stringContaining('=1+1'), reason: 'not-a-number' }])
  })

  it('gives rejected rows without a header one', () => {
    const { rejectedCsv } = readText('12345678\n+79160000001\n')
    expect(rejectedCsv.split('\r\n')[0]).toBe('\ufeffnumber,reason,expires,source,rejected_line,rejected_because')
    expect(readText(`${rejectedCsv}+79160000001\n`).rejected).toMatchObject([{ line: 2 }])
  })

  it.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'IMPORT_EMPTY'],
    ['a byte order mark', '\ufeff', 'IMPORT_EMPTY'],
    ['blank lines', '\n \r\n', 'IMPORT_EMPTY'],
    ['a header alone', 'number,reason\n', 'IMPORT_EMPTY'],
    ['a workbook', Buffer.from('504b0304140006000800000021', 'hex'), 'IMPORT_FORMAT'],
    ['gzip', Buffer.from('1f8b0808c5a3b1660003', 'hex'), 'IMPORT_FORMAT'],
    ['a zero byte', Buffer.from('+79160000001\n\0\0\n+7'), 'IMPORT_FORMAT'],
  ])('is refused when it is %s', (_, content, code) => {
    expect(() => readText(content)).toThrow(expect.objectContaining({ code }))
  })

  it('is refused with its counts and reasons when no row can be taken over', () => {
    expect(() => readText('number\nBANK\n+7916\n')).toThrow(
      expect.objectContaining({
        code: 'IMPORT_EMPTY',
        message: 'No row of the upload could be taken over, 2 were refused.',
        details: {
          hint: expect.any(String),
          counts: { rows: 2, accepted: 0, rejected: 2, duplicates: 0 },
          rejected: [
            { line: 2, text: 'BANK', reason: 'alphanumeric' },
            { line: 3, text: '+7916', reason: 'too-short' },
          ],
        },
      }),
    )
  })

  it('bounds bytes and rows', () => {
    const text = '+79160000001\n+79160000002\n\n+79160000003\n'
    expect(readText(text, { limits: { rowsMax: 3, bytesMax: text.length } }).rows).toBe(3)
    const tooLarge = expect.objectContaining({ code: 'IMPORT_TOO_LARGE' })
    expect(() => readText(text, { limits: { rowsMax: 2 } })).toThrow(tooLarge)
    expect(() => readText(text, { limits: { bytesMax: text.length - 1 } })).toThrow(tooLarge)
  })
})
