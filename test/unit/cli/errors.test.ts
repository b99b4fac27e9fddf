import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { describe, expect, it } from 'vitest'
import { type FakeAnswer, startFakeService, zaslon } from './fake-service.ts'

async function listsAgainst(answer: FakeAnswer, words: readonly string[] = []) {
  const service = await startFakeService({ 'GET /v1/lists': answer })
  try {
    return await zaslon(['lists', 'ls', ...words], service.url)
  } finally {
    await service.close()
  }
}

const PROBLEM = {
  type: 'about:blank',
  title: 'Unprocessable Content',
  status: 422,
  detail: 'The list name is not usable.',
  code: 'LIST_NAME_INVALID',
  hint: 'Use lower-case words joined by hyphens.',
  errors: [{ pointer: '/name', detail: 'Expected at most 64 characters.' }],
}

describe('zaslon, when something is wrong', () => {
  it('prints a refusal as one sentence, its fields and the hint, on standard error', async () => {
    const { code, out, err } = await listsAgainst({ status: 422, body: PROBLEM })
    expect(code).toBe(3)
    expect(out).toBe('')
    expect(err).toBe(
      'zaslon: The list name is not usable.\n  /name Expected at most 64 characters.\nhint: Use lower-case words joined by hyphens.\n',
    )
  })

  it('prints the problem document with --json', async () => {
    const { code, err } = await listsAgainst({ status: 422, body: PROBLEM }, ['--json'])
    expect(code).toBe(3)
    expect(JSON.parse(err)).toEqual(PROBLEM)
  })

  it.each([
    ['a server error', { status: 500, body: { detail: 'Broken.', code: 'INTERNAL' } }, 1, 'zaslon: Broken.'],
    [
      'an answer that is no problem document',
      { status: 502, body: '<html>Bad Gateway' },
      1,
      'answered 502 Bad Gateway.',
    ],
    ['a 200 that is no JSON', { body: '<html>hello' }, 1, 'did not answer with JSON'],
  ])('says what happened on %s', async (_what, answer, exitCode, sentence) => {
    const { code, err } = await listsAgainst(answer)
    expect(code).toBe(exitCode)
    expect(err).toContain(sentence)
  })

  it('says that nobody answers, and how to start the service', async () => {
    const { code, err } = await zaslon(['lists', 'ls'], 'http://127.0.0.1:1')
    expect(code).toBe(4)
    expect(err).toContain('cannot be reached')
    expect(err).toContain('zaslon serve')
    const json = await zaslon(['lists', 'ls', '--json'], 'http://127.0.0.1:1')
    expect(JSON.parse(json.err)).toMatchObject({ code: 'UNREACHABLE' })
  })

  it.each([
    ['http://127.0.0.1:9', 'bad port'],
    ['http://127.0.0.1:65534', 'ECONNREFUSED'],
  ])('says why %s cannot be reached', async (url, cause) => {
    const { code, err } = await zaslon(['lists', 'ls'], url)
    expect(code).toBe(4)
    expect(err).toContain(`${url} cannot be reached (${cause}).`)
  })

  it('gives up on a service that does not answer in time', async () => {
    const silent = createServer(() => {})
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
    const { code, err } = await zaslon(['lists', 'ls', '--timeout', '0.05'], url)
    silent.close()
    expect(code).toBe(4)
    expect(err).toContain('did not answer within 0.05 s')
  })

  it('stops at Ctrl-C with 130', async () => {
    const { code, err } = await zaslon(['lists', 'ls'], 'http://127.0.0.1:1', { signal: AbortSignal.abort() })
    expect(code).toBe(130)
    expect(err).toBe('zaslon: Stopped.\n')
  })

  it.each([
    [['chek'], 'unknown command'],
    [['check'], "missing required argument 'caller'"],
    [['report', '+79160000003', '--reporter', 'a', '--channel', 'fax'], 'Allowed choices are'],
    [['lists', 'import', 'a', 'b', '--mode', 'merge'], 'Allowed choices are'],
    [['lists', 'restore', 'a', 'first'], 'must be a whole number'],
    [['decisions', '--limit', '0'], 'between 1 and 1000'],
    [['decisions', '--limit', '1001'], 'between 1 and 1000'],
    [['decisions', '--since', 'yesterday'], 'is no time'],
    [['lists', 'ls', '--timeout', '-1'], 'between 0 and 3600'],
    [['lists', 'ls', '--timeout', '3601'], 'between 0 and 3600'],
    [['lists', 'ls', '--url', 'nonsense'], 'is not a URL'],
  ])('answers %j with exit code 2 and no effect', async (words, sentence) => {
    const plain = await zaslon(words)
    expect(plain.code).toBe(2)
    expect(plain.err).toContain(sentence)
    const json = await zaslon([...words, '--json'])
    expect(json.code).toBe(2)
    expect(JSON.parse(json.err)).toHaveProperty('detail')
  })
})
