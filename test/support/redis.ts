import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './run-service.ts'

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

export async function startRedis(options: { port?: number; args?: readonly string[] } = {}): Promise<RedisServer> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'zaslon-redis-'))
  const port = options.port ?? (await freePort())
  let child = await launch()

  async function launch(): Promise<ChildProcess> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '', ...(options.args ?? [])]
    const started = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [started.stdout, started.stderr]) stream?.on('data', (chunk) => (output += chunk))
    for (const giveUpMs = Date.now() + 10_000; ; await sleep(10)) {
      if (started.exitCode !== null || Date.now() > giveUpMs) throw new Error(`redis-server did not start:\n${output}`)
      // With a password it answers NOAUTH: it is there.
      if (/PONG|NOAUTH|LOADING/.test(tryCli(port, ['ping']))) return started
    }
  }

  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
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
    cli: (...args) => execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' }).trim(),
    async close() {
      await server.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return server
}

export type RedisCluster = { readonly servers: readonly RedisServer[]; readonly url: string; close(): Promise<void> }

/** Three masters with one replica each, whole when it resolves. Failover after about `nodeTimeoutMs` and a vote. */
export async function startRedisCluster(options: { nodeTimeoutMs?: number; args?: readonly string[] } = {}) {
  const { nodeTimeoutMs = 1_000, args = [] } = options
  const cluster = ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(nodeTimeoutMs)]
  const servers: RedisServer[] = []
  for (let index = 0; index < 6; index++) {
    // The bus port is the port plus 10000.
    let port = await freePort()
    while (port > 55_000) port = await freePort()
    servers.push(await startRedis({ port, args: [...cluster, '--repl-diskless-sync-delay', '0', ...args] }))
  }
  const close = async () => void (await Promise.all(servers.map((server) => server.close())))
  try {
    const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
    servers[0]?.cli('--cluster', 'create', ...addresses, '--cluster-replicas', '1', '--cluster-yes')
    await waitWhole(servers)
  } catch (error) {
    await close()
    throw error
  }
  const url = servers.map(({ port }) => `redis://127.0.0.1:${port}`).join(',')
  return { servers, url, close } satisfies RedisCluster
}

/** Resolves when every server sees the whole cluster, and every replica its master. */
export async function waitWhole(servers: readonly RedisServer[]): Promise<void> {
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

function tryCli(port: number, args: readonly string[]): string {
  try {
    return execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8', stdio: 'pipe' })
  } catch (error) {
    return String(error)
  }
}
