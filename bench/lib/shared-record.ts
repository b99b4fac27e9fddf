import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { type RedisServer, startRedis, startRedisCluster } from '../../test/support/redis.ts'
import { type RunningService, type RunOptions, runService } from '../../test/support/run-service.ts'

/** Redis servers of our own and nodes that share a record through them. */
export type SharedRecord = {
  readonly url: string
  readonly servers: readonly RedisServer[]
  /** Resolves when a cluster is healthy again. */
  whole(): Promise<void>
  /** Starts node `name` on its own data directory, which stays until close. Node `a` comes first: it has the key. */
  startNode(name: string, options?: RunOptions): Promise<RunningService>
  close(): Promise<void>
}

export type SharedRecordOptions = { readonly isCluster: boolean; readonly args?: readonly string[] }

const READY_MS = 300_000

export async function startSharedRecord(options: SharedRecordOptions): Promise<SharedRecord> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const args = options.args ?? []
  const redis = options.isCluster ? await startRedisCluster({ args }) : await startSingle(args)
  const { servers, url } = redis
  const running = new Set<RunningService>()
  return {
    url,
    servers,
    whole: async () => void ('whole' in redis && (await redis.whole())),
    async startNode(name, given = {}) {
      const service = await runService({
        dataDirectory: path.join(root, name),
        waitMs: READY_MS,
        ...given,
        environment: {
          ZASLON_REDIS_URL: url,
          ...(name === 'a' ? {} : { ZASLON_PSEUDONYM_KEY_FILE: path.join(root, 'a', 'pseudonym.key') }),
          ...given.environment,
        },
      })
      running.add(service)
      return service
    },
    async close() {
      // One that was stopped before is stopped at once.
      await Promise.all([...running].map((service) => service.stop()))
      // A frozen server would not mind its end otherwise.
      for (const server of servers) server.signal('SIGCONT')
      await Promise.all(servers.map((server) => server.close()))
      rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

async function startSingle(args: readonly string[]) {
  const server = await startRedis({ args })
  return { servers: [server], url: server.url }
}

/** What `GET /v1/record` says, as far as benches look at it. */
export type RecordAnswer = {
  readonly recordId: string
  readonly state: string
  readonly behind: number
  readonly applied: number
  readonly rewound: number
  readonly outbox: { readonly facts: number }
}

export function redisVersion(servers: readonly RedisServer[]): string {
  const living = servers.find((server) => server.pid !== 0)
  return /redis_version:(\S+)/.exec(living?.cli('info', 'server') ?? '')?.[1] ?? 'unknown'
}
