import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** A whole service, as an operator runs it: supervisor, control and verdict processes, on its own ports and directory. */
export type RunningService = {
  readonly adminUrl: string
  readonly verdictUrl: string
  readonly adminPort: number
  readonly verdictPort: number
  readonly dataDirectory: string
  /** Everything it has printed. */
  output(): string
  /** Process ids of its living children by label prefix: `control`, `verdict`. */
  pids(role: string): number[]
  readonly pid: number
  /** Resolves when the verdict port says ready; the time since `startMs` was called, in ms. */
  ready(): Promise<void>
  /** SIGTERM, and waits. Removes the data directory unless it was given. */
  stop(): Promise<number | null>
  /** SIGKILL to every process of it. */
  kill(): Promise<void>
}

export type RunOptions = {
  readonly dataDirectory?: string
  readonly processes?: number
  readonly threads?: number
  readonly environment?: Readonly<Record<string, string>>
  readonly adminPort?: number
  readonly verdictPort?: number
  readonly waitMs?: number
  /** Put before the command: a program that becomes it (prlimit, ip netns exec), so that `pid` is the service. */
  readonly prefix?: readonly string[]
}

const START_MS = 30_000
/** For a machine that is busy with more than this. */
const START_MS_MIN = Number(process.env.START_WAIT_SECONDS ?? 0) * 1_000

const root = findRoot()

function findRoot(): string {
  const here = import.meta.dirname
  return here.includes(`${path.sep}dist${path.sep}`) ? path.resolve(here, '../../..') : path.resolve(here, '../..')
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}

export async function runService(options: RunOptions = {}): Promise<RunningService> {
  const dataDirectory = options.dataDirectory ?? mkdtempSync(path.join(os.tmpdir(), 'zaslon-'))
  const adminPort = options.adminPort ?? (await freePort())
  const verdictPort = options.verdictPort ?? (await freePort())
  const command = [...(options.prefix ?? []), process.execPath, path.join(root, 'dist/src/cli/main.js'), 'serve']
  const child = spawn(command[0] ?? '', command.slice(1), {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      ZASLON_DATA_DIR: dataDirectory,
      ZASLON_ADMIN_PORT: String(adminPort),
      ZASLON_VERDICT_PORT: String(verdictPort),
      ZASLON_VERDICT_PROCESSES: String(options.processes ?? 1),
      ZASLON_THREADS: String(options.threads ?? 1),
      ...options.environment,
    },
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  const service: RunningService = {
    adminUrl: `http://127.0.0.1:${adminPort}`,
    verdictUrl: `http://127.0.0.1:${verdictPort}`,
    adminPort,
    verdictPort,
    dataDirectory,
    output: () => output,
    pids: (role) => childPids(child.pid ?? 0, role),
    pid: child.pid ?? 0,
    ready: () => waitReady(service, child, Math.max(options.waitMs ?? START_MS, START_MS_MIN)),
    stop: () => end(child, 'SIGTERM', options.dataDirectory === undefined ? dataDirectory : undefined),
    kill: async () =>
      void (await end(child, 'SIGKILL', options.dataDirectory === undefined ? dataDirectory : undefined)),
  }
  try {
    await service.ready()
  } catch (error) {
    await service.kill()
    throw error
  }
  return service
}

/** Runs `zaslon serve` that is expected to give up by itself. */
export function serveAndFail(
  environment: Readonly<Record<string, string>>,
  prefix: readonly string[] = [],
): { code: number | null; output: string } {
  const [command = '', ...words] = [...prefix, process.execPath, path.join(root, 'dist/src/cli/main.js'), 'serve']
  const result = spawnSync(command, words, {
    env: { ...process.env, ZASLON_THREADS: '1', ...environment },
    encoding: 'utf8',
    timeout: 40_000,
  })
  return { code: result.status, output: result.stdout + result.stderr }
}

async function waitReady(service: RunningService, child: ChildProcess, waitMs: number): Promise<void> {
  const giveUpMs = Date.now() + waitMs
  let missing = ''
  while (Date.now() < giveUpMs) {
    if (child.exitCode !== null) throw new Error(`The service ended with ${child.exitCode}:\n${service.output()}`)
    if (!(await answers(`${service.verdictUrl}/health/ready`)))
      missing = `its verdict processes (${service.verdictUrl})`
    else if (!(await answers(`${service.adminUrl}/health/ready`))) missing = `its control process (${service.adminUrl})`
    else return
    await sleep(10)
  }
  throw new Error(
    `The service was not ready after ${waitMs / 1_000} s: ${missing} did not answer "ready". A line "still starting" below says what it was at; START_WAIT_SECONDS=120 waits longer on a busy machine. What it has printed:\n${service.output()}`,
  )
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(1_000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    return false
  }
}

/** Children set process.title to `zaslon <label>`. */
function childPids(parent: number, role: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const status = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const parentPid = Number(status.slice(status.lastIndexOf(')') + 2).split(' ')[1])
        return parentPid === parent && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(role)
      } catch {
        return false
      }
    })
}

async function end(child: ChildProcess, signal: NodeJS.Signals, directory: string | undefined): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = new Promise((resolve) => child.once('exit', resolve))
    // Verdict processes go on without their supervisor.
    const children = signal === 'SIGKILL' ? childPids(child.pid ?? 0, '') : []
    child.kill(signal)
    for (const pid of children) process.kill(pid, signal)
    await exited
  }
  if (signal === 'SIGKILL') await sleep(300)
  if (directory) rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  return child.exitCode
}
