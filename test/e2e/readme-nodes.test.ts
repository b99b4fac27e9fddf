import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/run-service.ts'

/** The second quick start of the README, command by command, on ports and directories of its own. */
const root = path.resolve(import.meta.dirname, '../..')
const scratch = mkdtempSync(path.join(os.tmpdir(), 'zaslon-readme-nodes-'))
const started: ChildProcess[] = []

const blocks = [...readFileSync(path.join(root, 'README.md'), 'utf8').matchAll(/```bash\n([\s\S]*?)```/g)].map(
  (match) => (match[1] ?? '').trim().split('\n'),
)

async function waitUntil(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (const giveUpMs = Date.now() + 60_000; !(await isSo().catch(() => false)); await sleep(50)) {
    if (Date.now() > giveUpMs) throw new Error(`${what} did not come.`)
  }
}

/** False: nobody of the group is left. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal)
    return true
  } catch {
    return false
  }
}

afterAll(async () => {
  for (const { pid } of started.reverse()) {
    if (pid === undefined) continue
    if (signalGroup(pid, 'SIGTERM')) await waitUntil(async () => !signalGroup(pid, 0), 'The end of its processes')
  }
  rmSync(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
}, 60_000)

describe('the quick start with two nodes', () => {
  it('starts them with three commands, and a report on one blocks a call on the other', async () => {
    const [starts = [], shows = []] = blocks
    expect([starts.length, shows.length]).toEqual([3, 3])
    const ports = await Promise.all([1, 2, 3, 4, 5].map(() => freePort()))
    const [redis, verdictA, adminA, verdictB, adminB] = ports
    const here = (command: string) =>
      command
        .replaceAll('6390', String(redis))
        .replaceAll('/tmp/zaslon-', `${scratch}/`)
        .replaceAll('8091', String(verdictB))
        .replaceAll('8081', String(adminB))
        .replaceAll('npx zaslon', `${process.execPath} dist/src/cli/main.js`)
    const environment = { ...process.env, ZASLON_VERDICT_PORT: String(verdictA), ZASLON_ADMIN_PORT: String(adminA) }
    for (const [index, command] of starts.entries()) {
      const stdio = ['ignore', 'ignore', 'ignore'] as const
      const env = environment
      started.push(spawn('sh', ['-c', here(command)], { cwd: root, env, stdio: [...stdio], detached: true }))
      const port = [undefined, verdictA, verdictB][index]
      if (port === undefined) continue
      await waitUntil(async () => (await fetch(`http://127.0.0.1:${port}/health/ready`)).ok, `Node ${index}`)
    }
    const answers = shows.map((command) =>
      spawnSync('sh', ['-c', here(command)], { cwd: root, env: environment, encoding: 'utf8' }),
    )
    expect(answers.map(({ status, stderr }) => [status, stderr])).toEqual([
      [0, ''],
      // The exit code says that the call is blocked.
      [expect.any(Number), ''],
      [0, ''],
    ])
    expect(answers[1]?.stdout).toContain('BLOCK')
    expect(answers[2]?.stdout).toContain('following')
  }, 180_000)
})
