import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RunningService, runService } from '../support/run-service.ts'
import { put, uploadList } from '../support/service-requests.ts'

/**
 * Every command of the README is run against a service. What installs, tests or measures is run elsewhere: `npm start` and
 * `npm test` by whoever runs this, benchmarks by hand.
 */
const NOT_HERE = new Set(['npm start', 'npm test', 'npm run bench -- --quick', 'npm run faults'])

const root = path.resolve(import.meta.dirname, '../..')
const readme = readFileSync(path.join(root, 'README.md'), 'utf8')

function commands(): string[] {
  return [...readme.matchAll(/```sh\n([\s\S]*?)```/g)]
    .flatMap((match) => (match[1] ?? '').split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
}

describe('the README', () => {
  let service: RunningService
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'zaslon-readme-'))
  beforeAll(async () => {
    service = await runService()
    await put(service, '/v1/lists/hotline-confirmed', { kind: 'deny' })
    const sample = readFileSync(path.join(root, 'data/lists/hotline-confirmed.csv'))
    await uploadList(service, 'hotline-confirmed', sample, 'mode=replace')
  })
  afterAll(async () => {
    await service.stop()
    rmSync(scratch, { recursive: true })
  })

  /** As written, but against the service of this test, and writing into a scratch directory. */
  function run(command: string) {
    const here = command
      .replaceAll('npx zaslon', `${process.execPath} dist/src/cli/main.js`)
      .replaceAll('127.0.0.1:8090', `127.0.0.1:${service.verdictPort}`)
      .replaceAll('127.0.0.1:8080', `127.0.0.1:${service.adminPort}`)
      .replaceAll('> scammers.csv', `> ${scratch}/scammers.csv`)
    const environment = {
      ZASLON_ADMIN_PORT: String(service.adminPort),
      ZASLON_VERDICT_PORT: String(service.verdictPort),
    }
    return spawnSync('sh', ['-c', here], {
      cwd: root,
      env: { ...process.env, ZASLON_DATA_DIR: service.dataDirectory, ...environment },
      encoding: 'utf8',
    })
  }

  it('has commands', () => {
    expect(commands().length).toBeGreaterThan(10)
    for (const command of NOT_HERE) expect(commands()).toContain(command)
  })

  it.each(commands().filter((command) => !NOT_HERE.has(command)))('%s', (command) => {
    const { status, stdout, stderr } = run(command)
    expect(stderr).not.toContain('zaslon:')
    expect(status).toBe(0)
    if (command.startsWith('curl')) expect(JSON.parse(stdout)).not.toHaveProperty('code')
  })

  it('says truly what its three requests answer', () => {
    const [allowed = '', blocked = '', reported = ''] = commands().filter((command) => command.startsWith('curl'))
    expect(JSON.parse(run(blocked).stdout)).toMatchObject({
      decision: 'block',
      reasons: [{ code: 'listed', list: 'hotline-confirmed' }],
      sip: { action: 'reject', status: 603, phrase: 'Network Blocked' },
    })
    expect(JSON.parse(run(reported).stdout)).toMatchObject({ accepted: true, state: 'recorded' })
    expect(JSON.parse(run(allowed).stdout)).toMatchObject({ decision: 'allow' })
  })

  it('links to files that exist', () => {
    const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map((match) => match[1] ?? '')
    const missing = links.filter((link) => spawnSync('test', ['-e', path.join(root, link)]).status !== 0)
    expect(missing).toEqual([])
  })
})
