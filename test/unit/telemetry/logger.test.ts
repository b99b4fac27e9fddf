import { Writable } from 'node:stream'
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
