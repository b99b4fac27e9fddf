import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { REASON_CHARS_MAX, SOURCE_CHARS_MAX } from '../../../src/domain/number-list.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { csvField } from '../../../src/transports/control-plane/export-csv.ts'
import { readText } from '../../support/read-text.ts'
import { type ControlFixture, HOST, openControlPlane, putEntries } from './fixture.ts'

let control: ControlFixture
beforeEach(async () => {
  control = await openControlPlane()
})
afterEach(() => control.close())

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE'
function ask(method: Method, url: string, payload?: object, headers: Record<string, string> = {}) {
  return control.app.inject({ method, url, headers: { ...HOST, ...headers }, ...(payload ? { payload } : {}) })
}
const number = (value: number) => value as PhoneNumber

describe('lists', () => {
  it('makes a list once and changes its title afterwards', async () => {
    const made = await ask('PUT', '/v1/lists/hotline', { kind: 'deny', title: 'Hotline' })
    expect(made.statusCode).toBe(201)
    expect(made.json()).toMatchObject({ name: 'hotline', kind: 'deny', title: 'Hotline', activeVersion: 0, entries: 0 })
    const changed = await ask('PUT', '/v1/lists/hotline', { kind: 'deny', title: 'Hotline 611' })
    expect([changed.statusCode, changed.json().title]).toEqual([200, 'Hotline 611'])
    expect((await ask('PUT', '/v1/lists/hotline', { kind: 'deny' })).json().title).toBe('Hotline 611')
    expect((await ask('GET', '/v1/lists')).json().lists).toHaveLength(1)
  })

  it('never changes the kind of a list', async () => {
    await ask('PUT', '/v1/lists/hotline', { kind: 'deny' })
    const answer = await ask('PUT', '/v1/lists/hotline', { kind: 'allow' })
    expect([answer.statusCode, answer.json().code]).toEqual([409, 'LIST_KIND_CONFLICT'])
  })

  it('restores an older version, unless somebody was faster', async () => {
    await ask('PUT', '/v1/lists/hotline', { kind: 'deny' })
    await ask('POST', '/v1/lists/hotline/entries', { entries: [{ number: '+79160000001' }] })
    await ask('POST', '/v1/lists/hotline/entries', { entries: [{ number: '+79160000002' }] })
    const { versions } = (await ask('GET', '/v1/lists/hotline/versions')).json()
    expect(versions.map((one: { version: number; active: boolean }) => [one.version, one.active])).toEqual([
      [2, true],
      [1, false],
    ])
    const conflict = await ask('POST', '/v1/lists/hotline/restore', { version: 1, expectedActive: 1 })
    expect([conflict.statusCode, conflict.json().code]).toEqual([409, 'LIST_CHANGED'])
    const restored = await ask('POST', '/v1/lists/hotline/restore', { version: 1, expectedActive: 2 })
    expect(restored.json()).toMatchObject({ activeVersion: 1, entries: 1 })
    expect(control.notified.at(-1)).toBe(control.store.lastSequence())
    expect((await ask('POST', '/v1/lists/hotline/restore', { version: 9 })).json().code).toBe('VERSION_UNKNOWN')
  })
})

describe('entries', () => {
  beforeEach(async () => {
    await ask('PUT', '/v1/lists/hotline', { kind: 'deny' })
  })

  it('adds numbers, prefixes and ranges and takes them off again', async () => {
    const entries = [
      { number: '8-916-000-00-02', reason: 'said he was the bank', source: 'hotline', expires: '2026-12-31T21:00:00Z' },
      { number: '+7495123*' },
      { number: '8-812-*' },
      { number: '+79160000010-+79160000019' },
    ]
    const added = await ask('POST', '/v1/lists/hotline/entries', { entries })
    expect(added.statusCode).toBe(200)
    const page = (await ask('GET', '/v1/lists/hotline/entries')).json()
    expect(page.entries).toContainEqual({
      number: '+79160000002',
      reason: 'said he was the bank',
      source: 'hotline',
      expires: '2026-12-31T21:00:00.000Z',
    })
    expect(page.entries.map((entry: { number: string }) => entry.number)).toEqual([
      '+7495123*',
      '+7812*',
      '+79160000010-+79160000019',
      '+79160000002',
    ])
    const removed = await ask('DELETE', '/v1/lists/hotline/entries', { entries: [{ number: '+79160000002' }] })
    expect(removed.json()).toMatchObject({ removed: 1 })
  })

  it.each([
    ['2026-12-31', '2026-12-31T20:59:59.999Z'],
    ['31.12.2026', '2026-12-31T20:59:59.999Z'],
    ['2026-12-31T18:00:00+03:00', '2026-12-31T15:00:00.000Z'],
    [1_798_750_800_000, '2026-12-31T21:00:00.000Z'],
  ])('lets an entry expire at %s', async (expires, expected) => {
    const entries = [{ number: '+7900123*', expires }]
    expect((await ask('POST', '/v1/lists/hotline/entries', { entries })).statusCode).toBe(200)
    const page = (await ask('GET', '/v1/lists/hotline/entries')).json()
    expect(page.entries[0].expires).toBe(expected)
  })

  it('points at every field that cannot be read, and says how to write it', async () => {
    const entries = [{ number: '+79160000002', expires: '2026-02-30' }, { number: '+79160000003' }]
    const dated = await ask('POST', '/v1/lists/hotline/entries', { entries })
    expect(dated.statusCode).toBe(400)
    expect(dated.json()).toMatchObject({ code: 'BODY_INVALID', errors: [{ pointer: '/entries/0/expires' }] })
    expect(dated.json().hint).toContain('2026-12-31')
    expect(dated.json().hint).not.toContain('prefix')
    const both = await ask('POST', '/v1/lists/hotline/entries', { entries: [{ number: 'BANK', expires: 'soon' }] })
    expect(both.json()).toMatchObject({
      code: 'NUMBER_INVALID',
      errors: [{ pointer: '/entries/0/expires' }, { pointer: '/entries/0/number' }],
    })
  })

  it('takes as reason and source what an upload takes, so that an export reads back', async () => {
    const reason = `"quoted", two\nlines; ${'x'.repeat(REASON_CHARS_MAX)}`.slice(0, REASON_CHARS_MAX)
    const entries = [{ number: '+79160000002', reason: ` ${reason.slice(2)} `, source: 'y'.repeat(SOURCE_CHARS_MAX) }]
    expect((await ask('POST', '/v1/lists/hotline/entries', { entries })).statusCode).toBe(200)
    const csv = (await ask('GET', '/v1/lists/hotline/entries?format=csv')).body
    const details = { reason: reason.slice(2), source: 'y'.repeat(SOURCE_CHARS_MAX) }
    expect(readText(csv)).toMatchObject({ rejected: [], details: { 79160000002: details } })
  })

  it.each([
    ['source', 'y'.repeat(SOURCE_CHARS_MAX + 1)],
    ['reason', 'x'.repeat(REASON_CHARS_MAX + 1)],
    ['reason', '😀'.repeat(REASON_CHARS_MAX / 2 + 1)],
    ['reason', 'before\u0000after'],
    ['source', 'bell\u0007'],
    ['source', 'c1\u0085'],
  ])('refuses a %s that no upload takes', async (field, text) => {
    const entries = [{ number: '+79160000002' }, { number: '+79160000003', [field]: text }]
    const answer = await ask('POST', '/v1/lists/hotline/entries', { entries })
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'BODY_INVALID'])
    expect(answer.json().errors).toMatchObject([{ pointer: `/entries/1/${field}` }])
    expect(answer.body).not.toContain('before')
    expect((await ask('GET', '/v1/lists/hotline/entries')).json().entries).toEqual([])
  })

  it.each(['BANK', '+7916000001-+79160000019', '+79160000019-+79160000010', '+7*', '+999*', '916000001-+79160000019'])(
    'refuses %s, and with it the whole request',
    async (text) => {
      const entries = [{ number: '+79160000002' }, { number: text }]
      const answer = await ask('POST', '/v1/lists/hotline/entries', { entries })
      expect(answer.json()).toMatchObject({ code: 'NUMBER_INVALID', errors: [{ pointer: '/entries/1/number' }] })
      expect(control.store.list('hotline')?.activeVersion).toBe(0)
    },
  )

  it('refuses one entry more than a request may have', async () => {
    const entries = Array.from({ length: 1_001 }, (_, index) => ({ number: `+7916${String(index).padStart(7, '0')}` }))
    expect((await ask('POST', '/v1/lists/hotline/entries', { entries })).json().code).toBe('BODY_INVALID')
    expect((await ask('POST', '/v1/lists/hotline/entries', { entries: entries.slice(1) })).statusCode).toBe(200)
  })

  it('pages through a list of one version, whatever is activated in between', async () => {
    const rows = Array.from({ length: 25 }, (_, index) => ({
      from: number(79160000000 + index),
      to: number(79160000000 + index),
      details: {},
    }))
    const range = { from: number(74950000000), to: number(74950000099), details: {} }
    await putEntries(control.store, 'hotline', [...rows, range])
    const seen: string[] = []
    let url = '/v1/lists/hotline/entries?limit=4'
    for (let pages = 0; pages < 20; pages++) {
      const page = (await ask('GET', url)).json()
      expect([page.version, page.total]).toEqual([1, 26])
      seen.push(...page.entries.map((entry: { number: string }) => entry.number))
      if (pages === 2) await putEntries(control.store, 'hotline', [])
      if (page.next === undefined) break
      url = `/v1/lists/hotline/entries?limit=4&after=${page.next}`
    }
    expect(seen).toEqual(['+74950000000-+74950000099', ...rows.map(({ from }) => `+${from}`)])
  })

  it('streams a long list as CSV that an upload reads', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => ({
      from: number(79160000000 + index),
      to: number(79160000000 + index),
      details: {},
    }))
    await putEntries(control.store, 'hotline', rows)
    const answer = await ask('GET', '/v1/lists/hotline/entries', undefined, { accept: 'text/csv' })
    expect(answer.headers['content-type']).toBe('text/csv; charset=utf-8')
    const lines = answer.body.trimEnd().split('\n')
    expect(lines).toHaveLength(20_001)
    expect([lines[0], lines[1], lines.at(-1)]).toEqual([
      'number,reason,expires,source',
      '+79160000000,,,',
      '+79160019999,,,',
    ])
  })

  it('reads details and ranges once for all pages of a version, and again for the next one', async () => {
    const entries = Array.from({ length: 30 }, (_, index) => ({
      number: index < 10 ? `+7916000${index}*` : `+791700000${index}`,
      reason: `reason ${index}`,
    }))
    await ask('POST', '/v1/lists/hotline/entries', { entries })
    const { readRanges, dictionary } = control.store.contents
    let reads = 0
    const count =
      <T extends unknown[], R>(read: (...given: T) => R) =>
      (...given: T) => {
        reads++
        return read(...given)
      }
    Object.assign(control.store.contents, { readRanges: count(readRanges), dictionary: count(dictionary) })
    let next: string | undefined = ''
    let pages = 0
    for (; next !== undefined; pages++) {
      next = (await ask('GET', `/v1/lists/hotline/entries?limit=5${next === '' ? '' : `&after=${next}`}`)).json().next
    }
    expect(pages).toBeGreaterThan(5)
    expect(reads).toBe(2)
    await ask('POST', '/v1/lists/hotline/entries', { entries: [{ number: '+79180000001' }] })
    reads = 0
    expect((await ask('GET', '/v1/lists/hotline/entries?limit=5')).json().version).toBe(2)
    expect(reads).toBeGreaterThan(0)
  })

  it('answers an empty list', async () => {
    expect((await ask('GET', '/v1/lists/hotline/entries')).json()).toEqual({
      list: 'hotline',
      version: 0,
      total: 0,
      entries: [],
    })
    expect((await ask('GET', '/v1/lists/hotline/entries?format=csv')).body).toBe('number,reason,expires,source\n')
  })
})

describe('csvField', () => {
  it.each([
    [undefined, ''],
    ['plain', 'plain'],
    ['a,b', '"a,b"'],
    ['say "no"', '"say ""no"""'],
    ['two\nlines', '"two\nlines"'],
    ['=HYPERLINK("x")', `"'=HYPERLINK(""x"")"`],
    ['@cmd', "'@cmd"],
  ])('writes %j as %j', (text, field) => expect(csvField(text)).toBe(field))
})
