import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type RedisServer, startRedis, startRedisCluster } from '../../test/support/redis.ts'
import { type RunningService, type RunOptions, runService } from '../../test/support/run-service.ts'
import { call } from './service-client.ts'
import { waitUntil, within } from './wait-until.ts'

/** Redis servers of our own and nodes that share a record through them. */
export type SharedRecord = {
  readonly url: string
  readonly servers: readonly RedisServer[]
  /** Starts node `name` on its own data directory, which stays until close. Node `a` comes first: it has the key. */
  startNode(name: string, options?: NodeOptions): Promise<RunningService>
  close(): Promise<void>
}

export type SharedRecordOptions = { readonly isCluster: boolean; readonly args?: readonly string[] }

export type NodeOptions = RunOptions & {
  /** Called now and then while the node is not ready: it has to fetch everything first. */
  readonly onWait?: (seconds: number) => void
}

/** A new node with 1 M facts to apply, at several times what one takes. */
const READY_MS = 600_000
const SAY_EVERY_MS = 5_000
/** A service stops within 15 s, or not at all. */
const STOP_MS = 15_000

export async function startSharedRecord(options: SharedRecordOptions): Promise<SharedRecord> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const args = options.args ?? []
  const redis = options.isCluster ? await startRedisCluster({ args }) : await startSingle(args)
  const { servers, url } = redis
  const running = new Set<RunningService>()
  return {
    url,
    servers,
    async startNode(name, { onWait, ...given } = {}) {
      const startMs = performance.now()
      const waiting = setInterval(() => onWait?.(Math.round((performance.now() - startMs) / 1000)), SAY_EVERY_MS)
      const keyOfA = { ZASLON_PSEUDONYM_KEY_FILE: path.join(root, 'a', 'pseudonym.key') }
      const service = await runService({
        dataDirectory: path.join(root, name),
        waitMs: READY_MS,
        ...given,
        environment: { ZASLON_REDIS_URL: url, ...(name === 'a' ? {} : keyOfA), ...given.environment },
      }).finally(() => clearInterval(waiting))
      running.add(service)
      return service
    },
    async close() {
      // One that was stopped before is stopped at once.
      await Promise.all([...running].map(stopOrKill))
      await Promise.all(servers.map((server) => server.close()))
      rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

export async function stopOrKill(service: RunningService): Promise<void> {
  try {
    await within('the end of a service', STOP_MS, service.stop())
  } catch (error) {
    await service.kill()
    throw error
  }
}

async function startSingle(args: readonly string[]) {
  const server = await startRedis({ args })
  return { servers: [server], url: server.url }
}

/** What `GET /v1/record` says, as far as benches look at it. */
type RecordAnswer = { readonly state: string; readonly behind: number; readonly outbox: { readonly facts: number } }

export type FollowingOptions = { readonly limitMs: number; readonly onWait?: (text: string) => void }

/** Resolves when the node has applied the whole record, and the record has all of the node. */
export async function untilFollowing(node: RunningService, { limitMs, onWait }: FollowingOptions): Promise<void> {
  let last: RecordAnswer | undefined
  const isFollowing = async () => {
    last = await call<RecordAnswer>(node, 'GET', '/v1/record')
    return last.state === 'following' && last.behind === 0 && last.outbox.facts === 0
  }
  const say = (seconds: number) =>
    onWait?.(`${seconds} s, it says ${last?.state}, ${last?.behind} facts behind, ${last?.outbox.facts} in the outbox`)
  try {
    await waitUntil('a node follows the record to its end', isFollowing, { limitMs, onWait: say })
  } catch (cause) {
    throw new Error(`${cause} It said ${JSON.stringify(last)}. Its output:\n${node.output().slice(-4_000)}`, { cause })
  }
}

export function redisVersion(servers: readonly RedisServer[]): string {
  const living = servers.find((server) => server.pid !== 0)
  return /redis_version:(\S+)/.exec(living?.cli('info', 'server') ?? '')?.[1] ?? 'unknown'
}
