import { spawn } from 'node:child_process'
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, type RunningService, runService } from '../support/run-service.ts'

const root = path.resolve(import.meta.dirname, '../..')
const main = path.join(root, 'dist/src/cli/main.js')

type Run = { code: number | null; out: string; err: string }
type RunSettings = {
  readonly environment?: Readonly<Record<string, string>>
  readonly input?: string
  readonly onStdout?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
  /** Called with everything on standard error so far: to send a signal at the right moment. */
  readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void
}

function run(program: string, words: readonly string[], settings: RunSettings): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...words], { cwd: root, env: { ...process.env, ...settings.environment } })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk
      settings.onStdout?.(out, (signal) => child.kill(signal))
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk
      settings.onStderr?.(err, (signal) => child.kill(signal))
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.end(settings.input ?? '')
  })
}

/** The built command as a shell runs it, against a service as an operator runs it. */
it('is a program: npx and npm link run the file itself', () => {
  expect(() => accessSync(main, constants.X_OK)).not.toThrow()
})

describe('the zaslon command', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-cli-'))
  let service: RunningService
  let environment: Record<string, string>

  beforeAll(async () => {
    service = await runService()
    environment = {
      ZASLON_DATA_DIR: service.dataDirectory,
      ZASLON_ADMIN_PORT: String(service.adminPort),
      ZASLON_VERDICT_PORT: String(service.verdictPort),
    }
  })
  afterAll(async () => {
    await service?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  const zaslon = (words: readonly string[], settings: RunSettings = {}) =>
    run(process.execPath, [main, ...words], { environment, ...settings })
  const shell = (line: string) =>
    run('bash', ['-c', `set -o pipefail; zaslon() { "${process.execPath}" "${main}" "$@"; }; ${line}`], { environment })

  it('creates a list, loads a file into it, and the next verdict knows', async () => {
    const file = path.join(directory, 'numbers.csv')
    writeFileSync(file, 'number,reason\n+79160000002,fraud\n8 916 000-00-05,\nhello,\n')
    expect((await zaslon(['check', '+79160000002', '--exit-code'])).code).toBe(0)
    expect(await zaslon(['lists', 'create', 'scammers', '--kind', 'deny'])).toMatchObject({ code: 0, err: '' })
    const imported = await zaslon(['lists', 'import', 'scammers', file, '--json'])
    expect(imported.code).toBe(0)
    expect(JSON.parse(imported.out)).toMatchObject({ state: 'active', counts: { rows: 3, accepted: 2, rejected: 1 } })
    const verdict = await zaslon(['check', '+79160000002', '--exit-code'])
    expect(verdict.code).toBe(11)
    expect(verdict.out).toContain('603 Network Blocked')
  })

  it('exports what it imported, in a form it imports again', async () => {
    const { code, out } = await shell('zaslon lists export scammers | zaslon lists import scammers - --dry-run --json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      state: 'previewed',
      counts: { rows: 2, added: 0, removed: 0, unchanged: 2 },
    })
  })

  it('gives back the refused rows', async () => {
    const { out } = await zaslon(['lists', 'imports', '--json'])
    const withRefused = JSON.parse(out).imports.find(
      (record: { counts: { rejected: number } }) => record.counts.rejected > 0,
    )
    expect((await zaslon(['lists', 'rejected', withRefused.importId])).out).toContain('hello')
  })

  it('puts an import in force that was only looked at, and undoes it', async () => {
    const preview = await zaslon(['lists', 'import', 'scammers', '-', '--mode', 'append', '--dry-run', '--json'], {
      input: '+79160000006\n',
    })
    expect((await zaslon(['check', '+79160000006', '--exit-code'])).code).toBe(0)
    const before = JSON.parse((await zaslon(['lists', 'show', 'scammers', '--json'])).out).activeVersion
    expect((await zaslon(['lists', 'activate', JSON.parse(preview.out).importId])).code).toBe(0)
    expect((await zaslon(['check', '+79160000006', '--exit-code'])).code).toBe(11)
    expect((await zaslon(['lists', 'restore', 'scammers', String(before)])).code).toBe(0)
    expect((await zaslon(['check', '+79160000006', '--exit-code'])).code).toBe(0)
  })

  it('takes single entries and gives them up again', async () => {
    const details = ['--reason', 'called back', '--expires', '2096-12-31']
    const add = (entry: string) => zaslon(['lists', 'add', 'scammers', entry, ...details])
    expect((await add('+7900123*')).code).toBe(0)
    expect((await zaslon(['check', '+79001234567', '--exit-code'])).code).toBe(11)
    expect((await zaslon(['lists', 'rm', 'scammers', '+7900123*'])).code).toBe(0)
    expect((await zaslon(['check', '+79001234567', '--exit-code'])).code).toBe(0)
    await add('+79001234567')
    expect((await zaslon(['explain', '+79001234567'])).out).toContain('called back')
  })

  it('says when a number that it should take off was not there, and what covers it', async () => {
    expect((await zaslon(['lists', 'add', 'scammers', '+7900555*'])).code).toBe(0)
    const { code, err } = await zaslon(['lists', 'rm', 'scammers', '+79005550001', '+79001234567'])
    expect(code).toBe(13)
    expect(err).toContain(': +79005550001 is not on the list scammers as such')
    expect((await zaslon(['explain', '+79005550001'])).out).toContain('on list scammers (deny)')
  })

  it('reports a number until it is flagged, then blocked', async () => {
    const codes: (number | null)[] = []
    for (let i = 1; i <= 5; i++) {
      await zaslon(['report', '+79160000003', '--reporter', `+7916111000${i}`, '--scenario', 'bank'])
      codes.push((await zaslon(['check', '+79160000003', '--exit-code'])).code)
    }
    expect(codes).toEqual([0, 0, 10, 10, 11])
  })

  it('finds its decisions in the log', async () => {
    const words = ['decisions', '--caller', '+79160000002', '--verdict', 'block', '--json']
    await expect
      .poll(async () => JSON.parse((await zaslon(words)).out).decisions.length, { timeout: 10_000, interval: 200 })
      .toBeGreaterThan(0)
  })

  it('shows, checks, rehearses and sets the policy', async () => {
    const file = path.join(directory, 'policy.yaml')
    const shown = await zaslon(['policy', 'show'])
    writeFileSync(file, shown.out)
    expect((await zaslon(['policy', 'validate', file])).code).toBe(0)
    expect(JSON.parse((await zaslon(['policy', 'rehearse', file, '--json'])).out)).toMatchObject({ changed: 0 })
    const version = JSON.parse((await zaslon(['policy', 'show', '--json'])).out).version
    expect((await zaslon(['policy', 'set', file, '--if-version', String(version)])).code).toBe(0)
    const late = await zaslon(['policy', 'set', file, '--if-version', String(version)])
    expect(late.code).toBe(3)
    expect(late.err).toContain('hint:')
  })

  it('rehearses a list on recorded calls and on a file of call events', async () => {
    const list = path.join(directory, 'partners.csv')
    writeFileSync(list, 'number\n+79160000002\n')
    const logged = await zaslon(['policy', 'rehearse', '--with-list', `allow=${list}`, '--json'])
    expect(JSON.parse(logged.out)).toMatchObject({ callers: { changed: 1, hitMost: [{ caller: '+79160000002' }] } })

    const file = path.join(directory, 'calls.ndjson')
    const event = (caller: string, after: number) =>
      JSON.stringify({ type: 'call', caller, callee: '+79031112233', at: Date.now() + after })
    writeFileSync(file, `${event('+79160000002', 0)}\n${event('+79160000003', 5)}\n${event('+79160000004', 9)}\n`)
    const replayed = await zaslon(['policy', 'rehearse', '--with-list', `allow=${list}`, '--events', file])
    expect(replayed.out).toContain('1 of 3 replayed calls would change, of 1 caller.')
    expect(replayed.out).toMatch(/\+79160000002 +block \d+ +allow 0 +allow-listed/)
    const bad = await zaslon(['policy', 'rehearse', '--with-list', `allow=${list}`, '--events', '-'], { input: '{}\n' })
    expect(bad.code).toBe(3)
    expect(bad.err).toContain('Line 1 has a type')
  })

  it('finds the machine and the running service well', async () => {
    const { code, out } = await zaslon(['doctor', '--json'])
    const { findings } = JSON.parse(out)
    const port = findings.find((finding: { name: string }) => finding.name === 'verdict address')
    expect(port.detail).toMatch(/is served by zaslon verdict-\d+ \(process \d+\)$/)
    expect(findings.filter((finding: { status: string }) => finding.status === 'fail')).toEqual([])
    expect(code).toBe(0)
  })

  it('names who holds a port that the service needs', async () => {
    const other = createServer((_request, response) => response.writeHead(404).end())
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const port = String((other.address() as AddressInfo).port)
    const { code, out } = await zaslon(['doctor'], { environment: { ...environment, ZASLON_ADMIN_PORT: port } })
    other.close()
    expect(code).toBe(1)
    expect(out).toMatch(
      new RegExp(`FAIL +control service .*:${port}: something else answers there, 404: .*process ${process.pid}\\)`),
    )
    expect(out).toMatch(new RegExp(`^note +control service .*:${service.adminPort}: ready$`, 'm'))
  })

  it('notes that no service runs, which is neither well nor unwell', async () => {
    const ports = { ZASLON_ADMIN_PORT: String(await freePort()), ZASLON_VERDICT_PORT: String(await freePort()) }
    const elsewhere = { ...ports, ZASLON_DATA_DIR: path.join(directory, 'nothing-yet') }
    const { code, out } = await zaslon(['doctor'], { environment: { ...environment, ...elsewhere } })
    expect(code).toBe(0)
    expect(out).toMatch(/^note +control service +http:\S+: not running here$/m)
    expect(out).toContain('ZASLON_DATA_DIR')
  })

  it('finds the service of its data directory that listens on other ports than it was told', async () => {
    const ports = { ZASLON_ADMIN_PORT: String(await freePort()), ZASLON_VERDICT_PORT: String(await freePort()) }
    const { code, out } = await zaslon(['doctor'], { environment: { ...environment, ...ports } })
    expect(code).toBe(0)
    expect(out).toContain(`control service  http://127.0.0.1:${service.adminPort}: `)
    expect(out).toContain(`verdict service  http://127.0.0.1:${service.verdictPort}: `)
    expect(out).toContain(`set ZASLON_ADMIN_HOST=127.0.0.1 ZASLON_ADMIN_PORT=${service.adminPort}`)
    expect(out).toContain(`set ZASLON_VERDICT_HOST=127.0.0.1 ZASLON_VERDICT_PORT=${service.verdictPort}`)
    expect(out).not.toContain('not running here')
    expect(out).toMatch(/verdict address +\S+ is served by zaslon verdict-/)
    expect(out).toMatch(/ok +numbering/)
  })

  it('does not look elsewhere for a service it was told the URL of', async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const { out } = await zaslon(['doctor', '--url', url, '--verdict-url', url])
    expect(out).toMatch(new RegExp(`^note +control service +${url}: not running here$`, 'm'))
    expect(out).toMatch(new RegExp(`^note +verdict service +${url}: not running here$`, 'm'))
  })

  it('is quiet when the reader of a pipe has seen enough', async () => {
    const { code, err } = await shell('(zaslon lists export scammers; zaslon exit-codes) | head -1')
    expect(err).toBe('')
    expect(code === 0 || code === 141).toBe(true)
  })

  it('stops at Ctrl-C, says that the import goes on, and ends with 130', async () => {
    const rows = Array.from({ length: 400_000 }, (_, i) => `+7916${String(i).padStart(7, '0')}`).join('\n')
    const { code, err } = await zaslon(['lists', 'import', 'scammers', '-', '--dry-run'], {
      input: rows,
      onStderr: (text, kill) => {
        if (text.includes('%')) kill('SIGINT')
      },
    })
    expect(err).toContain('zaslon: Stopped.')
    expect(err).toContain('The import goes on')
    expect(code).toBe(130)
  })

  it.each([
    ['SIGTERM', [], true],
    ['SIGINT', [], true],
    ['SIGTERM', ['--json'], false],
  ] as const)('says that it has stopped, after %s with %j: %s', async (signal, options, isSaid) => {
    let isSignalled = false
    const data = mkdtempSync(path.join(directory, 'stopped-'))
    const ports = { ZASLON_ADMIN_PORT: String(await freePort()), ZASLON_VERDICT_PORT: String(await freePort()) }
    const { code, out } = await zaslon(['serve', ...options], {
      environment: { ...environment, ...ports, ZASLON_DATA_DIR: data, ZASLON_THREADS: '1' },
      onStdout: (text, kill) => {
        // Once: nobody listens to a second one any more when the last line has been printed.
        if (!isSignalled && /is ready|"ready":true/.test(text)) {
          isSignalled = true
          kill(signal)
        }
      },
    })
    expect(code).toBe(0)
    expect(out.endsWith('Zaslon has stopped.\n')).toBe(isSaid)
  })

  it('ends with 4 when nobody answers', async () => {
    const { code, err } = await zaslon(['lists', 'ls'], { environment: { ...environment, ZASLON_ADMIN_PORT: '1' } })
    expect(code).toBe(4)
    expect(err).toContain('cannot be reached')
  })
})
