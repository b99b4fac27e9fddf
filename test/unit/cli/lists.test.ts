import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FakeAnswer, type FakeService, startFakeService, zaslon } from './fake-service.ts'

const COUNTS = { rows: 1_200, accepted: 1_198, rejected: 2, duplicates: 3, added: 1_000, removed: 7, unchanged: 195 }
const DONE = {
  importId: 'i1',
  list: 'scammers',
  mode: 'replace',
  state: 'active',
  progress: 1,
  counts: COUNTS,
  rejected: [{ line: 12, text: 'hello', reason: 'not-a-number' }],
}

describe('zaslon lists', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-cli-'))
  const file = path.join(directory, 'numbers.csv')
  writeFileSync(file, '+79160000002\n')
  let service: FakeService
  let end: FakeAnswer = { body: DONE }
  let removed = 0
  beforeAll(async () => {
    service = await startFakeService({
      'POST /v1/lists/scammers/imports': { status: 202, body: { importId: 'i1' } },
      'POST /v1/lists/absent/imports': {
        status: 404,
        body: {
          code: 'LIST_UNKNOWN',
          detail: 'There is no list "absent".',
          hint: 'Create it with PUT /v1/lists/absent.',
        },
      },
      'GET /v1/lists/scammers': { body: { name: 'scammers', kind: 'deny' } },
      'GET /v1/lists/absent': { status: 404, body: { code: 'LIST_UNKNOWN', detail: 'There is no list.' } },
      'PUT /v1/lists/scammers': { body: { name: 'scammers', kind: 'deny', title: 'Hotline' } },
      'GET /v1/imports/i1': (_request, times) =>
        times % 2 === 1 ? { body: { ...DONE, state: 'parsing', progress: 0.5 } } : end,
      'POST /v1/lists/scammers/entries': { body: { added: 1_000, removed: 0, unchanged: 0 } },
      'DELETE /v1/lists/scammers/entries': () => ({ body: { added: 0, removed, unchanged: 11 } }),
      'POST /v1/explain': ({ body }) => {
        const isListed = JSON.parse(body).caller === '+79160000002'
        return { body: { lists: [{ list: 'scammers', kind: 'deny', match: isListed ? 'number' : 'range' }] } }
      },
      'POST /v1/imports/i1/activate': { body: DONE },
      'GET /v1/lists/scammers/entries': { body: 'number,reason,expires,source\n+79160000002,,,\n' },
      'GET /v1/lists': {
        body: {
          lists: [{ name: 'scammers', kind: 'deny', title: 'Scammers', entries: 10_000_000, activeVersion: 4 }],
        },
      },
    })
  })
  afterAll(async () => {
    await service.close()
    rmSync(directory, { recursive: true })
  })

  it('imports a file, follows it to the end and accounts for every row', async () => {
    end = { body: DONE }
    const { code, out, err } = await zaslon(['lists', 'import', 'scammers', file, '--country', 'US'], service.url)
    expect(code).toBe(0)
    const upload = service.seen.find((request) => request.method === 'POST')
    expect(upload).toMatchObject({ query: 'mode=replace&country=US', body: '+79160000002\n' })
    expect(upload?.headers['content-type']).toBe('text/csv')
    expect(err).toMatch(/^sending 100%\nparsing 50%\nactive 100%\n/)
    expect(err).toContain('zaslon lists rejected i1')
    expect(out).toMatch(/^scammers {2}import i1 is active$/m)
    expect(out).toMatch(/^ {2}rows +1,200$/m)
    expect(out).toMatch(/^ {2}rejected +2$/m)
    expect(out).toContain('line 12: not-a-number: hello')
  })

  it('reads standard input for "-"', async () => {
    await zaslon(['lists', 'import', 'scammers', '-', '--mode', 'append'], service.url, { stdin: '112\n' })
    const upload = service.seen.findLast((request) => request.method === 'POST')
    expect(upload).toMatchObject({ query: 'mode=append', body: '112\n' })
  })

  it('says what a dry run would do, and how to go on', async () => {
    const impact = {
      hours: 24,
      calls: 12_345,
      totalCalls: 1_000_000,
      callers: 67,
      complete: false,
      clashes: { count: 0, sample: [] },
    }
    end = { body: { ...DONE, state: 'previewed', impact } }
    const { code, out, err } = await zaslon(['lists', 'import', 'scammers', file, '--dry-run'], service.url)
    expect(code).toBe(0)
    expect(service.seen.findLast((request) => request.method === 'POST')?.query).toBe('mode=replace&dryRun=true')
    expect(out).toContain('at least 12,345 of 1,000,000 calls, 67 callers, in the last 24 h')
    expect(err).toContain('zaslon lists activate i1')
  })

  it('says of a dry run that the import itself would be held', async () => {
    const problem = { code: 'HELD_REMOVES_MANY', detail: 'It removes 900 of 1000 entries, more than 20 %.' }
    end = { body: { ...DONE, state: 'previewed', problem } }
    const { code, out } = await zaslon(['lists', 'import', 'scammers', file, '--dry-run'], service.url)
    expect(code).toBe(0)
    expect(out).toContain('  would be held: It removes 900 of 1000 entries, more than 20 %.')
  })

  it('knows one from many', async () => {
    const clashes = { count: 1, sample: [{ number: '+79160000002', list: 'banks', kind: 'protected' }] }
    const impact = { hours: 24, calls: 1, callers: 1, totalCalls: 0, complete: true, clashes }
    end = { body: { ...DONE, state: 'previewed', impact } }
    const { out } = await zaslon(['lists', 'import', 'scammers', file, '--dry-run'], service.url)
    expect(out).toContain('impact     1 call, 1 caller, in the last 24 h')
    expect(out).toContain('1 number is also on allow or protected lists')
  })

  it.each([
    ['append', true],
    ['remove', false],
  ])('prints the impact of mode %s: %s', async (mode, isPrinted) => {
    const impact = { hours: 0, calls: 0, callers: 0, totalCalls: 0, complete: true, clashes: { count: 0, sample: [] } }
    end = { body: { ...DONE, mode, state: 'previewed', impact } }
    const { out } = await zaslon(['lists', 'import', 'scammers', file, '--mode', mode, '--dry-run'], service.url)
    expect(out.includes('impact')).toBe(isPrinted)
  })

  it('tells a held import by exit code 12', async () => {
    end = { body: { ...DONE, state: 'held', problem: { code: 'IMPORT_TOO_BIG', detail: 'It would remove 30 %.' } } }
    const { code, out } = await zaslon(['lists', 'import', 'scammers', file], service.url)
    expect(code).toBe(12)
    expect(out).toContain('held: It would remove 30 %.')
  })

  it('fails with the words of a failed import', async () => {
    end = { body: { ...DONE, state: 'failed', problem: { code: 'IMPORT_EMPTY', detail: 'The file has no rows.' } } }
    const { code, err } = await zaslon(['lists', 'import', 'scammers', file], service.url)
    expect(code).toBe(1)
    expect(err).toContain('zaslon: The file has no rows.')
  })

  it('gives a list that is there another title, whatever its kind', async () => {
    const { code, out } = await zaslon(['lists', 'create', 'scammers', '--title', 'Hotline'], service.url)
    expect(code).toBe(0)
    expect(JSON.parse(service.seen.at(-1)?.body ?? '')).toEqual({ kind: 'deny', title: 'Hotline' })
    expect(out).toBe('The list scammers (deny) is there.\n')
    const absent = await zaslon(['lists', 'create', 'absent', '--title', 'Hotline'], service.url)
    expect(absent.code).toBe(2)
    expect(absent.err).toContain('a new one needs --kind')
  })

  it('refuses an unknown list and a file that is not there', async () => {
    const refused = await zaslon(['lists', 'import', 'absent', file], service.url)
    expect(refused.code).toBe(3)
    expect(refused.err).toContain('hint: "zaslon lists ls" names every list; "zaslon lists create NAME --kind deny"')
    const json = await zaslon(['lists', 'import', 'absent', file, '--json'], service.url)
    expect(JSON.parse(json.err).hint).toBe('Create it with PUT /v1/lists/absent.')
    const missing = await zaslon(['lists', 'import', 'scammers', path.join(directory, 'none.csv')], service.url)
    expect(missing.code).toBe(1)
    expect(missing.err).toContain('cannot be read')
    expect((await zaslon(['lists', 'import', 'scammers', directory], service.url)).err).toContain('is a directory')
  })

  it('prints only the id with --no-wait', async () => {
    expect((await zaslon(['lists', 'import', 'scammers', file, '--no-wait'], service.url)).out).toBe('i1\n')
  })

  it('puts entries on a list and takes them off', async () => {
    const words = [
      'lists',
      'add',
      'scammers',
      '+79160000002',
      '+7900*',
      '--reason',
      'said bank',
      '--expires',
      '2026-12-31',
    ]
    expect((await zaslon(words, service.url)).out).toBe('scammers: 1,000 added, 0 removed, 0 unchanged.\n')
    const details = { reason: 'said bank', expires: '2026-12-31' }
    expect(JSON.parse(service.seen.at(-1)?.body ?? '')).toEqual({
      entries: [
        { number: '+79160000002', ...details },
        { number: '+7900*', ...details },
      ],
    })
    removed = 2
    const { code, out } = await zaslon(['lists', 'rm', 'scammers', '+79160000002', '+7900*'], service.url)
    expect(code).toBe(0)
    expect(out).toBe('scammers: 0 added, 2 removed, 11 unchanged.\n')
    expect(service.seen.at(-1)?.method).toBe('DELETE')
  })

  it('does not let anybody believe that a number was taken off which was not there', async () => {
    removed = 0
    const words = ['lists', 'rm', 'scammers', '+79160000003']
    const { code, err } = await zaslon(words, service.url)
    expect(code).toBe(13)
    expect(err).toContain('Nothing was removed: +79160000003 is not on the list scammers as such')
    expect(err).toContain('zaslon explain +79160000003')
    const json = await zaslon([...words, '--json'], service.url)
    expect(json.code).toBe(13)
    expect(JSON.parse(json.out)).toMatchObject({ removed: 0 })
    expect(JSON.parse(json.err)).toMatchObject({ code: 'ENTRIES_ABSENT' })
  })

  it.each([
    [['+79160000002', '+79160000003'], ': +79160000003 is not'],
    [['+79160000002', '+7900*'], ': +7900* is not'],
    [['+7900*', '+7901*'], ': 1 of +7900*, +7901* is not'],
  ])('names what of %j was not there', async (entries, sentence) => {
    removed = 1
    const { code, err } = await zaslon(['lists', 'rm', 'scammers', ...entries], service.url)
    expect(code).toBe(13)
    expect(err).toContain(sentence)
  })

  it('refuses more than 1,000 entries on one command line', async () => {
    const entries = Array.from({ length: 1_001 }, (_, i) => `+7916${String(i).padStart(7, '0')}`)
    expect((await zaslon(['lists', 'add', 'scammers', ...entries], service.url)).code).toBe(2)
    expect((await zaslon(['lists', 'add', 'scammers', ...entries.slice(1)], service.url)).code).toBe(0)
  })

  it('exports as it arrives', async () => {
    const { out } = await zaslon(['lists', 'export', 'scammers'], service.url)
    expect(out).toBe('number,reason,expires,source\n+79160000002,,,\n')
  })

  it('shows lists as a table', async () => {
    const { out } = await zaslon(['lists', 'ls'], service.url)
    expect(out).toBe('list      kind  entries     version  title\nscammers  deny  10,000,000  4        Scammers\n')
  })
})
