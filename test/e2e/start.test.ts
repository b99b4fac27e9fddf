import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/run-service.ts'

const root = path.resolve(import.meta.dirname, '../..')
const COPIED = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'scripts',
  'src',
  'workers',
  'bench',
  'test',
  'data',
]

/** `npm start` as a newcomer has it, in a checkout of its own that was installed and built before. */
describe('npm start', () => {
  const checkout = mkdtempSync(path.join(os.tmpdir(), 'zaslon-checkout-'))
  const started: ChildProcess[] = []
  beforeAll(() => {
    for (const name of [...COPIED, 'dist'])
      cpSync(path.join(root, name), path.join(checkout, name), { recursive: true })
    symlinkSync(path.join(root, 'node_modules'), path.join(checkout, 'node_modules'))
  })
  afterAll(async () => {
    await Promise.all(started.map((child) => stop(child)))
    // What npm started may be writing what it remembers.
    rmSync(checkout, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  })

  async function start(environment: Record<string, string> = {}): Promise<{ child: ChildProcess; output: string }> {
    const { ZASLON_DATA_DIR: _none, ...inherited } = process.env
    const child = spawn('npm', ['start', '--silent'], {
      cwd: checkout,
      env: {
        ...inherited,
        ZASLON_ADMIN_PORT: String(await freePort()),
        ZASLON_VERDICT_PORT: String(await freePort()),
        ZASLON_THREADS: '1',
        ...environment,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    started.push(child)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (output += String(chunk)))
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', () => {
        if (output.includes('Zaslon is ready')) setTimeout(resolve, 100)
      })
      child.once('exit', (code) => reject(new Error(`npm start ended with ${code}:\n${output}`)))
    })
    return { child, output }
  }

  async function stop(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill(signal)
    await ended
  }

  /** npm passes the signal on and goes first. */
  async function isGone(url: string): Promise<boolean> {
    for (let i = 0; i < 100; i++) {
      try {
        await fetch(url)
        await sleep(100)
      } catch {
        return true
      }
    }
    return false
  }

  it('prints both addresses and three requests, which answer what it says', async () => {
    const { child, output } = await start()
    expect(output).toMatch(/verdicts at http:\/\/127\.0\.0\.1:\d+ .*control plane at http:\/\/127\.0\.0\.1:\d+/)
    const requests = output.split('\n').filter((line) => line.startsWith('curl '))
    const answers = requests.map((command) => JSON.parse(execFileSync('sh', ['-c', command], { encoding: 'utf8' })))
    expect(answers).toMatchObject([{ decision: 'allow' }, { decision: 'block' }, { accepted: true, state: 'recorded' }])
    expect(existsSync(path.join(checkout, 'var', 'live.mdb'))).toBe(true)
    expect(output).not.toContain('building')
    await stop(child)
    expect(await isGone(/verdicts at (http:\S+)/.exec(output)?.[1] ?? '')).toBe(true)
  })

  it('loads no samples into a data directory that was named, and ends with npm', async () => {
    const dataDirectory = path.join(checkout, 'elsewhere')
    const { child, output } = await start({ ZASLON_DATA_DIR: dataDirectory })
    expect(output).not.toContain('curl ')
    const url = /control plane at (http:\S+?),/.exec(output)?.[1] ?? ''
    expect(await (await fetch(`${url}/v1/lists`)).json()).toEqual({ lists: [] })
    await stop(child, 'SIGKILL')
    expect(await isGone(url)).toBe(true)
  })
})
