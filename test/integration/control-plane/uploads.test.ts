import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ControlFixture, openControlPlane } from './fixture.ts'

const BYTES_MAX = 50_000
let control: ControlFixture
let port = 0
beforeEach(async () => {
  control = await openControlPlane({ uploadBytesMax: BYTES_MAX })
  await control.app.listen({ host: '127.0.0.1', port: 0 })
  const address = control.app.server.address()
  port = typeof address === 'object' && address !== null ? address.port : 0
  await control.store.putList({ name: 'hotline', kind: 'deny', title: '' }, 'test')
})
afterEach(() => control.close())

type Answer = { status: number; headers: http.IncomingHttpHeaders; body: Record<string, unknown> }
const PATH = '/v1/lists/hotline/imports'

/** Sends the chunks as they are, chunked when no length is given. */
function upload(
  path: string,
  chunks: readonly (string | Buffer)[],
  headers: Record<string, string> = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { port, path, method: 'POST', headers: { 'content-type': 'text/csv', ...headers } },
      (response) => {
        let text = ''
        response.on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) }),
        )
      },
    )
    request.on('error', reject)
    for (const chunk of chunks) request.write(chunk)
    request.end()
  })
}

function multipart(parts: readonly { name: string; file?: string; content: string }[]): { body: string; type: string } {
  const lines = parts.map(({ name, file, content }) => {
    const disposition = `form-data; name="${name}"${file === undefined ? '' : `; filename="${file}"`}`
    return `--XX\r\nContent-Disposition: ${disposition}\r\n${file === undefined ? '' : 'Content-Type: text/csv\r\n'}\r\n${content}\r\n`
  })
  return { body: `${lines.join('')}--XX--\r\n`, type: 'multipart/form-data; boundary=XX' }
}

const spooled = () =>
  readdirSync(control.spoolDirectory).filter((name) => !control.uploads.some(({ path }) => path.endsWith(name)))

describe('POST /v1/lists/{name}/imports', () => {
  it('writes a body of many chunks to a file and begins an import with it', async () => {
    const answer = await upload(`${PATH}?mode=append&dryRun=true&country=US`, ['+7916000', '0001\n', '+79160000002\n'])
    expect(answer.status).toBe(202)
    expect(answer.body).toMatchObject({ list: 'hotline', mode: 'append', dryRun: true, state: 'previewed' })
    expect(answer.headers.location).toBe(`/v1/imports/${answer.body.importId}`)
    expect(control.uploads).toMatchObject([{ content: '+79160000001\n+79160000002\n', country: 'US' }])
  })

  it('replaces, activates and reads numbers as at home unless told otherwise', async () => {
    const { body } = await upload(PATH, ['1\n'])
    expect(body).toMatchObject({ mode: 'replace', dryRun: false, country: 'RU' })
  })

  it('takes the one file of a multipart body', async () => {
    const { body, type } = multipart([{ name: 'file', file: 'list.csv', content: '+79160000001\n' }])
    const answer = await upload(PATH, [body], { 'content-type': type })
    expect(answer.status).toBe(202)
    expect(control.uploads[0]?.content).toBe('+79160000001\n')
  })

  it.each([
    ['a field', [{ name: 'mode', content: 'append' }]],
    ['no part', []],
    [
      'two files',
      [
        { name: 'a', file: 'a.csv', content: '1\n' },
        { name: 'b', file: 'b.csv', content: '2\n' },
      ],
    ],
  ])('refuses a multipart body with %s and keeps nothing', async (_what, parts) => {
    const { body, type } = multipart(parts)
    const answer = await upload(PATH, [body], { 'content-type': type })
    expect([answer.status, answer.body.code]).toEqual([400, 'BODY_INVALID'])
    expect(control.uploads).toEqual([])
    expect(spooled()).toEqual([])
  })

  it.each([
    ['before its last boundary', (body: string) => body.slice(0, body.lastIndexOf('--XX'))],
    ['inside its file', (body: string) => body.slice(0, body.indexOf('+7916') + 4)],
    ['inside a part head', (body: string) => body.slice(0, 20)],
    ['before its first byte', () => ''],
  ])('refuses a multipart body that ends %s and keeps nothing', async (_what, cut) => {
    const { body, type } = multipart([{ name: 'file', file: 'list.csv', content: '+79160000001\n' }])
    const answer = await upload(PATH, [cut(body)], { 'content-type': type })
    expect(answer).toMatchObject({ status: 400, body: { code: 'BODY_INVALID' } })
    expect(spooled()).toEqual([])
  })

  it.each(['', '; boundary=', `; boundary=${'x'.repeat(71)}`, `; boundary=${'x'.repeat(300)}`])(
    'refuses a multipart body with the boundary %j',
    async (boundary) => {
      const answer = await upload(PATH, ['--XX\r\n'], { 'content-type': `multipart/form-data${boundary}` })
      expect(answer).toMatchObject({ status: 400, body: { code: 'BODY_INVALID' } })
    },
  )

  it('takes a boundary of 70 characters', async () => {
    const boundary = 'x'.repeat(70)
    const { body } = multipart([{ name: 'file', file: 'list.csv', content: '+79160000001\n' }])
    const answer = await upload(PATH, [body.replaceAll('--XX', `--${boundary}`)], {
      'content-type': `multipart/form-data; boundary=${boundary}`,
    })
    expect(answer.status).toBe(202)
  })

  it('refuses a multipart file over the limit, which the parser cuts off silently', async () => {
    const { body, type } = multipart([{ name: 'file', file: 'list.csv', content: 'x'.repeat(BYTES_MAX + 1) }])
    const answer = await upload(PATH, [body], { 'content-type': type })
    expect([answer.status, answer.body.code]).toEqual([413, 'IMPORT_TOO_LARGE'])
    expect(spooled()).toEqual([])
  })

  it('takes an upload of exactly the limit and refuses one byte more, announced or not', async () => {
    const whole = 'x'.repeat(BYTES_MAX)
    expect((await upload(PATH, [whole])).status).toBe(202)
    for (const headers of [{}, { 'content-length': String(BYTES_MAX + 1) }]) {
      const answer = await upload(PATH, [whole, 'x'], headers)
      expect([answer.status, answer.body.code]).toEqual([413, 'IMPORT_TOO_LARGE'])
    }
    expect(control.uploads).toHaveLength(1)
    expect(spooled()).toEqual([])
  })

  it('forgets an upload that breaks off', async () => {
    await new Promise<void>((resolve) => {
      const headers = { 'content-type': 'text/csv', 'content-length': '1000' }
      const request = http.request({ port, path: PATH, method: 'POST', headers })
      request.on('error', () => resolve())
      request.write('+79160000001\n')
      setTimeout(() => request.destroy(), 50)
    })
    await expect.poll(() => control.logged.some((line) => line.includes('BODY_INVALID'))).toBe(true)
    expect(control.uploads).toEqual([])
    expect(spooled()).toEqual([])
  })

  it.each([
    ['JSON', { 'content-type': 'application/json' }],
    ['no content type', { 'content-type': '' }],
    ['a compressed body', { 'content-type': 'text/csv', 'content-encoding': 'gzip' }],
  ])('refuses %s', async (_what, headers) => {
    const answer = await upload(PATH, ['{}'], headers)
    expect([answer.status, answer.body.code]).toEqual([415, 'MEDIA_TYPE_UNSUPPORTED'])
    expect(spooled()).toEqual([])
  })

  it.each([
    ['/v1/lists/nowhere/imports', 404, 'LIST_UNKNOWN'],
    [`${PATH}?mode=merge`, 400, 'QUERY_INVALID'],
    [`${PATH}?dryRun=yes`, 400, 'QUERY_INVALID'],
    [`${PATH}?country=us`, 400, 'QUERY_INVALID'],
  ])('refuses %s before it reads the body', async (path, status, code) => {
    const answer = await upload(path, ['+79160000001\n'])
    expect([answer.status, answer.body.code]).toEqual([status, code])
    expect(spooled()).toEqual([])
  })

  it('answers a repeated upload with the first answer, and refuses another file under the same key', async () => {
    const headers = { 'idempotency-key': 'upload-1' }
    const first = await upload(PATH, ['+79160000001\n'], headers)
    const second = await upload(PATH, ['+7916', '0000001\n'], headers)
    expect(second.body).toEqual(first.body)
    expect(second.headers['idempotency-replayed']).toBe('true')
    const other = await upload(PATH, ['+79160000002\n'], headers)
    expect([other.status, other.body.code]).toEqual([422, 'IDEMPOTENCY_CONFLICT'])
    expect(control.uploads).toHaveLength(1)
    expect(spooled()).toEqual([])
  })

  it('shows, activates and cancels imports', async () => {
    const { body } = await upload(`${PATH}?dryRun=true`, ['+79160000001\n'])
    const headers = { host: '127.0.0.1' }
    const act = async (action: string) =>
      (await control.app.inject({ method: 'POST', url: `/v1/imports/${body.importId}/${action}`, headers })).statusCode
    const shown = await control.app.inject({ url: `/v1/imports/${body.importId}`, headers })
    expect(shown.json().state).toBe('previewed')
    expect([await act('activate'), await act('activate'), await act('cancel'), await act('activate')]).toEqual([
      200, 200, 200, 409,
    ])
    const rejected = await control.app.inject({ url: `/v1/imports/${body.importId}/rejected.csv`, headers })
    expect(rejected.json().code).toBe('IMPORT_STATE')
  })
})

describe('POST /v1/numbering/{name}/imports', () => {
  it('imports a plan and leaves no file behind', async () => {
    const answer = await upload('/v1/numbering/ru/imports?asOf=2026-03-01', ['900;0000000;9999999\n'])
    expect(answer.status).toBe(200)
    expect(answer.body).toMatchObject({
      name: 'ru',
      version: 1,
      covers: ['+79000000000-+79999999999'],
      asOf: '2026-03-01T00:00:00.000Z',
    })
    expect(spooled()).toEqual([])
    expect((await upload('/v1/numbering/ru/imports?asOf=soon', ['1\n'])).body.code).toBe('QUERY_INVALID')
  })

  it('answers STORAGE_FAILED when the disk does not take the upload, and writes again when it does', async () => {
    rmSync(control.spoolDirectory, { recursive: true })
    writeFileSync(control.spoolDirectory, 'in the way')
    expect(await upload(PATH, ['+79070000001\n'])).toMatchObject({ status: 500, body: { code: 'STORAGE_FAILED' } })
    rmSync(control.spoolDirectory)
    expect(await upload(PATH, ['+79070000001\n'])).toMatchObject({ status: 202 })
  })
})
