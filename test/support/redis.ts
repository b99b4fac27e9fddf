import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { freePort } from './run-service.ts'

/** Suites with real servers are skipped where their programs are missing. */
export const hasRedis = isInstalled('redis-server') && isInstalled('redis-cli')
export const hasOpenssl = isInstalled('openssl')
if (!hasRedis) console.warn('skipped: what needs a real Redis: redis-server or redis-cli is not installed')
if (!hasOpenssl) console.warn('skipped: Redis with TLS: openssl is not installed')

function isInstalled(program: string): boolean {
  const places = (process.env.PATH ?? '').split(path.delimiter)
  return places.some((place) => place !== '' && existsSync(path.join(place, program)))
}

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
  /** Clients and servers speak TLS; the certificate signs itself. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string }
  /** Where a server runs, by its index; on loopback when missing. */
  readonly hosts?: readonly { readonly address: string; readonly prefix: readonly string[] }[]
  /** The port that clients and replicas are told to connect to, for what stands before a server; on the same address. */
  readonly portBefore?: (port: number) => Promise<number>
}

/** Three masters with one replica each, whole when it resolves. Failover after about `nodeTimeoutMs` and a vote. */
export async function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisCluster> {
  const { nodeTimeoutMs = 1_000, args = [], hosts = [], portBefore, tls } = options
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)]
  const servers: RedisServer[] = []
  const urls: string[] = []
  /** Where they are themselves. */
  const addresses: string[] = []
  const close = async () => void (await Promise.all(servers.map((server) => server.close())))
  try {
    for (let index = 0; index < 6; index++) {
      const port = await freePortWithBus()
      const tlsPort = tls === undefined ? port : await freePortWithBus()
      const tlsArgs = tls === undefined ? [] : tlsOptions(tlsPort, tls)
      const shown = portBefore === undefined ? tlsPort : await portBefore(port)
      const announced = shown === tlsPort ? [] : ['--cluster-announce-port', String(shown)]
      const host = hosts[index]
      const where = host === undefined ? {} : { host: host.address, prefix: host.prefix }
      const all = [...cluster, '--repl-diskless-sync-delay', '0', ...announced, ...args, ...tlsArgs]
      servers.push(await startRedis({ port, ...where, args: all }))
      urls.push(`${tls === undefined ? 'redis' : 'rediss'}://${host?.address ?? '127.0.0.1'}:${shown}`)
      addresses.push(`${host?.address ?? '127.0.0.1'}:${tlsPort}`)
    }
    // Not in this process's turn: what stands before the servers may run in it.
    const host = hosts[0]?.address ?? '127.0.0.1'
    const signed = tls === undefined ? [] : ['-p', addresses[0]?.split(':')[1] ?? '', '--tls', '--cacert', tls.certFile]
    const create = ['--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes']
    await promisify(execFile)('redis-cli', ['-h', host, ...signed, ...create])
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

function tlsOptions(port: number, { certFile, keyFile }: { certFile: string; keyFile: string }): string[] {
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile]
  const both = ['--tls-cluster', 'yes', '--tls-replication', 'yes', '--tls-auth-clients', 'no']
  return ['--tls-port', String(port), ...files, ...both]
}
