import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './run-service.ts'

/** Real redis-server processes on loopback, each in its own folder, with nothing of the machine's configuration. */
export type RedisServer = {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** Where it keeps its files. */
  readonly folder: string
  signal(signal: NodeJS.Signals): void
  /** SIGKILL, and waits until it is gone. Its folder stays. */
  kill(): Promise<void>
  /** Starts it again on the same port and folder. */
  restart(): Promise<void>
  /** redis-cli against this server; the answer as text. */
  cli(...args: string[]): string
  /** The same without holding up this process; what went wrong as text too, also that nothing came for a second. */
  ask(...args: string[]): Promise<string>
  /** Kills it and removes its folder. */
  close(): Promise<void>
}

export type RedisOptions = {
  readonly port?: number
  readonly args?: readonly string[]
  /** The address to listen at, with the command that runs a program where that address is (`ip netns exec …`). */
  readonly host?: string
  readonly prefix?: readonly string[]
}

/** A server that is stopped does not answer. */
const ASK_MS = 1_000

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const { host = '127.0.0.1', prefix = [] } = options
  const tryCli = (args: readonly string[]) => attempt(['-h', host, '-p', String(port), ...args])
  const folder = mkdtempSync(path.join(os.tmpdir(), 'zaslon-redis-'))
  const port = options.port ?? (await freePort())
  let child = await launch()

  async function launch(): Promise<ChildProcess> {
    const args = [
      '--port',
      String(port),
      '--bind',
      host,
      '--protected-mode',
      'no',
      '--dir',
      folder,
      '--save',
      '',
      ...(options.args ?? []),
    ]
    const [program = '', ...rest] = [...prefix, 'redis-server', ...args]
    const started = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [started.stdout, started.stderr]) stream?.on('data', (chunk) => (output += chunk))
    for (const giveUpMs = Date.now() + 10_000; ; await sleep(10)) {
      if (started.exitCode !== null || Date.now() > giveUpMs) throw new Error(`redis-server did not start:\n${output}`)
      // With a password it answers NOAUTH: it is there.
      if (/PONG|NOAUTH|LOADING/.test(await tryCli(['ping']))) return started
    }
  }

  const server: RedisServer = {
    port,
    folder,
    url: `redis://${host}:${port}`,
    get pid() {
      return child.pid ?? 0
    },
    signal: (signal) => void child.kill(signal),
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await gone
    },
    async restart() {
      await server.kill()
      child = await launch()
    },
    cli: (...args) => execFileSync('redis-cli', ['-h', host, '-p', String(port), ...args], { encoding: 'utf8' }).trim(),
    ask: (...args) => tryCli(args),
    async close() {
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return server
}

export type RedisCluster = {
  readonly servers: readonly RedisServer[]
  readonly url: string
  /** Resolves when every server is there, sees all others, and every replica has its master's data. */
  whole(waitMs?: number): Promise<void>
  close(): Promise<void>
}

export type RedisClusterOptions = {
  readonly nodeTimeoutMs?: number
  readonly args?: readonly string[]
  /** Where a server runs, by its index; on loopback when missing. */
  readonly hosts?: readonly { readonly address: string; readonly prefix: readonly string[] }[]
  /** The port that clients and replicas are told to connect to, for what stands before a server; on the same address. */
  readonly portBefore?: (port: number) => Promise<number>
}

/** Three masters with one replica each, whole when it resolves. Failover after about `nodeTimeoutMs` and a vote. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { nodeTimeoutMs = 1_000, args = [], hosts = [], portBefore } = options
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)]
  const servers: RedisServer[] = []
  const urls: string[] = []
  const close = async () => void (await Promise.all(servers.map((server) => server.close())))
  try {
    for (let index = 0; index < 6; index++) {
      const port = await freePortWithBus()
      const shown = portBefore === undefined ? port : await portBefore(port)
      const announced = shown === port ? [] : ['--cluster-announce-port', String(shown)]
      const host = hosts[index]
      const where = host === undefined ? {} : { host: host.address, prefix: host.prefix }
      const all = [...cluster, '--repl-diskless-sync-delay', '0', ...announced, ...args]
      servers.push(await startRedis({ port, ...where, args: all }))
      urls.push(`redis://${host?.address ?? '127.0.0.1'}:${shown}`)
    }
    const addresses = servers.map(({ url }) => url.slice('redis://'.length))
    // Not in this process's turn: what stands before the servers may run in it.
    const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']
    await promisify(execFile)('redis-cli', ['-h', hosts[0]?.address ?? '127.0.0.1', ...create])
    await waitWhole(servers)
  } catch (error) {
    await close()
    throw error
  }
  return { servers, url: urls.join(','), whole: (waitMs) => waitWhole(servers, waitMs), close }
}

/** The port of the bus is the port plus 10000. */
async function freePortWithBus(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port < 55_000 && (await isFree(port + 10_000))) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

async function waitWhole(servers: readonly RedisServer[], waitMs = 30_000): Promise<void> {
  const isWhole = async (server: RedisServer) => {
    const state = await server.ask('cluster', 'info')
    const replication = await server.ask('info', 'replication')
    const isLinked = replication.includes('role:master') || replication.includes('master_link_status:up')
    return state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:6') && isLinked
  }
  for (const giveUpMs = Date.now() + waitMs; Date.now() < giveUpMs; await sleep(50)) {
    if ((await Promise.all(servers.map(isWhole))).every(Boolean)) return
  }
  throw new Error('The Redis cluster did not become whole.')
}

/** What redis-cli printed, or what went wrong, without holding up this process. */
function attempt(args: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    execFile('redis-cli', args, { timeout: ASK_MS }, (error, output) =>
      resolve(error === null ? output : String(error)),
    )
  })
}
