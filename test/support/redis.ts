import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
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
  signal(signal: NodeJS.Signals): void
  /** SIGKILL, and waits until it is gone. Its folder stays. */
  kill(): Promise<void>
  /** Starts it again on the same port and folder. */
  restart(): Promise<void>
  /** redis-cli against this server; the answer as text. */
  cli(...args: string[]): string
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
      if (/PONG|NOAUTH|LOADING/.test(tryCli(['ping']))) return started
    }
  }

  const server: RedisServer = {
    port,
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
    async close() {
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return server
}

export type RedisCluster = { readonly servers: readonly RedisServer[]; readonly url: string; close(): Promise<void> }

/** Three masters with one replica each, whole when it resolves. Failover after about `nodeTimeoutMs` and a vote. */
export async function startRedisCluster(
  options: { nodeTimeoutMs?: number; args?: readonly string[]; tls?: { certFile: string; keyFile: string } } = {},
) {
  const { nodeTimeoutMs = 1_000, args = [], tls } = options
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)]
  const servers: RedisServer[] = []
  /** The ports by which they know each other: with TLS, when it is wanted. */
  const ports: number[] = []
  for (let index = 0; index < 6; index++) {
    const port = await clusterPort()
    const tlsPort = tls === undefined ? port : await clusterPort()
    const tlsArgs = tls === undefined ? [] : tlsOptions(tlsPort, tls)
    ports.push(tlsPort)
    servers.push(await startRedis({ port, args: [...cluster, '--repl-diskless-sync-delay', '0', ...args, ...tlsArgs] }))
  }
  const close = async () => void (await Promise.all(servers.map((server) => server.close())))
  try {
    const addresses = ports.map((port) => `127.0.0.1:${port}`)
    const signed = tls === undefined ? [] : ['-p', String(ports[0]), '--tls', '--cacert', tls.certFile]
    servers[0]?.cli(...signed, '--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes')
    await waitWhole(servers)
  } catch (error) {
    await close()
    throw error
  }
  const url = ports.map((port) => `${tls === undefined ? 'redis' : 'rediss'}://127.0.0.1:${port}`).join(',')
  return { servers, url, close } satisfies RedisCluster
}

/** The bus port is the port plus 10000. */
async function clusterPort(): Promise<number> {
  for (;;) {
    const port = await freePort()
    if (port <= 55_000) return port
  }
}

function tlsOptions(port: number, { certFile, keyFile }: { certFile: string; keyFile: string }): string[] {
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile]
  const both = ['--tls-cluster', 'yes', '--tls-replication', 'yes', '--tls-auth-clients', 'no']
  return ['--tls-port', String(port), ...files, ...both]
}

async function waitWhole(servers: readonly RedisServer[]): Promise<void> {
  const isWhole = (server: RedisServer) => {
    const state = server.cli('cluster', 'info')
    const replication = server.cli('info', 'replication')
    const isLinked = replication.includes('role:master') || replication.includes('master_link_status:up')
    return state.includes('cluster_state:ok') && state.includes('cluster_known_nodes:6') && isLinked
  }
  for (const giveUpMs = Date.now() + 30_000; Date.now() < giveUpMs; await sleep(50)) {
    if (servers.every(isWhole)) return
  }
  throw new Error('The Redis cluster did not become whole.')
}

function attempt(args: readonly string[]): string {
  try {
    return execFileSync('redis-cli', args, { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    return String(error)
  }
}
