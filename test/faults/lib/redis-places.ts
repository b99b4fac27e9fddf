import type { RedisCluster, RedisServer } from '../../support/redis.ts'
import type { ChaosProxy } from './chaos-proxy.ts'
import { until } from './node-state.ts'
import type { World } from './world.ts'

/** One Redis, and a proxy before it for each node, so that the network of one node can be bad. */
export type ProxiedRedis = {
  readonly redis: RedisServer
  readonly proxies: readonly ChaosProxy[]
  readonly urlOf: (index: number) => string
}

export async function startProxiedRedis(world: World, nodes = 2): Promise<ProxiedRedis> {
  const redis = await world.startRedis()
  const proxies: ChaosProxy[] = []
  for (let index = 0; index < nodes; index++) {
    const target = { host: '127.0.0.1', port: redis.port }
    proxies.push(await world.startProxy({ target, random: world.random }))
  }
  return { redis, proxies, urlOf: (index) => `redis://127.0.0.1:${proxies[index]?.port}` }
}

/** A cluster with a proxy before each server, on the way of clients and of replicas. */
export type ProxiedCluster = { readonly cluster: RedisCluster; readonly proxies: readonly ChaosProxy[] }

export async function startProxiedCluster(world: World): Promise<ProxiedCluster> {
  const proxies: ChaosProxy[] = []
  const cluster = await world.startRedisCluster({
    async portBefore(port) {
      const proxy = await world.startProxy({ target: { host: '127.0.0.1', port }, random: world.random })
      proxies.push(proxy)
      return proxy.port
    },
  })
  return { cluster, proxies }
}

type Member = {
  readonly id: string
  readonly masterId: string
  readonly isMaster: boolean
  readonly server: RedisServer
}

/** As a living server sees it: the bus port names a server, also behind a proxy. */
async function members(cluster: RedisCluster): Promise<Member[]> {
  for (const server of cluster.servers) {
    const rows = (await server.ask('cluster', 'nodes')).split('\n').map((line) => line.split(' '))
    const found = rows.flatMap(([id = '', address = '', flags = '', masterId = '']) => {
      const port = Number(/@(\d+)/.exec(address)?.[1]) - 10_000
      const one = cluster.servers.find((candidate) => candidate.port === port)
      return one === undefined ? [] : [{ id, masterId, isMaster: /master/.test(flags), server: one }]
    })
    if (found.length === cluster.servers.length) return found
  }
  throw new Error('No server of the cluster answers.')
}

export type Shard = { readonly master: RedisServer; readonly replica: RedisServer }

export async function shardsOf(cluster: RedisCluster): Promise<Shard[]> {
  const all = await members(cluster)
  return all
    .filter(({ isMaster }) => isMaster)
    .flatMap(({ id, server }) => {
      const replica = all.find(({ masterId }) => masterId === id)?.server
      return replica === undefined ? [] : [{ master: server, replica }]
    })
}

export async function randomShard(world: World, cluster: RedisCluster): Promise<Shard> {
  const shards = await shardsOf(cluster)
  const shard = shards[Math.floor(world.random() * shards.length)]
  if (shard === undefined) throw new Error('The cluster has no master with a replica.')
  return shard
}

/** Resolves with the milliseconds until the replica is master. */
export function untilPromoted({ replica }: Shard): Promise<number> {
  return until('the replica is master', async () => (await replica.ask('role')).startsWith('master'))
}
