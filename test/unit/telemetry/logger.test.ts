import { Writable } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { blotNumbers, createLogger } from '../../../src/telemetry/logger.ts'

describe('blotNumbers', () => {
  it.each(['+79160000002', '8 (916) 000-00-02', '8-916-000-00-02', '1234567', '810 7 916 000 00 02'])(
    'blots out %s',
    (number) => {
      expect(blotNumbers(`got ${number}!`)).not.toMatch(/\d/)
    },
  )

  it.each(['port 8090', 'line 123456', 'v5.12.8', 'took 12.5 ms', '2026'])('leaves %s alone', (text) => {
    expect(blotNumbers(text)).toBe(text)
  })
})

describe('blotNumbers, beside ids', () => {
  const hex = (length: number) =>
    fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
  const letters = (text: string) => text.replace(/[^a-f]/g, '').length
  const id = hex(32).filter((text) => letters(text) >= 4)
  const digits = fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 7, maxLength: 15 })
  const separator = fc.constantFrom('', ' ', '-', '.', ' (', ') ')

  it('keeps the key of a record whole', () => {
    const key = 'zaslon:{p00}:fdd0b0c30fa02afbbb90eba1e1234567:head'
    expect(blotNumbers(`Redis does not hold ${key} any more.`)).toBe(`Redis does not hold ${key} any more.`)
    fc.assert(fc.property(id, (one) => blotNumbers(`{p64}:${one}:facts`) === `{p64}:${one}:facts`))
  })

  it('leaves no telephone number, whatever stands around it', () => {
    const around = fc.oneof(
      fc.string({ maxLength: 12 }),
      id.map((one) => `${one}:`),
      hex(4),
      fc.constantFrom('abcdef', '+', 'code'),
    )
    const number = fc.array(fc.tuple(digits, separator), { minLength: 1, maxLength: 2 })
    fc.assert(
      fc.property(around, number, around, (before, parts, after) => {
        const blotted = blotNumbers(`${before}${parts.map(([run, gap]) => run + gap).join('')} ${after}`)
        const kept = blotted.replace(/(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])/g, '')
        expect(kept).not.toMatch(/\d{7}/)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    '0'.repeat(32),
    `abcd${'79160000002'.padStart(27, '0')}`,
    `79160000002${'abcdef'.repeat(4)}`,
    `${'abcdef'.repeat(4)}79160000002ab`,
    '00000000000000abc000079160000002',
  ])('takes %s for no id', (text) => {
    expect(blotNumbers(text)).not.toMatch(/\d{7}/)
  })
})

describe('the logger', () => {
  const lines: string[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      lines.push(chunk.toString())
      done()
    },
  })
  const log = createLogger({ level: 'info', process: 'control' }, sink)

  it('writes level, time and process, and nothing below its level', () => {
    log.debug('quiet')
    log.info({ list: 'hotline' }, 'list activated')
    expect(lines).toHaveLength(1)
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'info',
      process: 'control',
      list: 'hotline',
      msg: 'list activated',
    })
  })

  it('blots out numbers in messages, fields, errors and their causes, and removes keys', () => {
    const cause = new Error('bad 89160000002')
    log.error(
      { text: '+79160000002', err: new Error('about +7 916 000-00-02', { cause }), authorization: 'Bearer x' },
      'call from +79160000002',
    )
    const line = lines.at(-1) ?? ''
    expect(line).not.toMatch(/9160000002|916 000|Bearer/)
    expect(JSON.parse(line).err).toMatchObject({
      type: 'Error',
      message: 'about [number]',
      cause: { message: 'bad [number]' },
    })
  })
})
