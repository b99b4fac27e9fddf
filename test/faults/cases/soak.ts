import { setTimeout as sleep } from 'node:timers/promises'
import type { FaultCase } from '../lib/fault-case.ts'
import { type Fleet, untilWholeRecord } from '../lib/fleet.ts'
import { type ProxiedCluster, randomShard, startProxiedCluster, untilPromoted } from '../lib/redis-places.ts'
import type { World } from '../lib/world.ts'

/**
 * Any fault after any other, one cluster member or node at a time, so that nobody's word is needed to be well again. Each
 * resolves when it is over and its cause is gone.
 */
type SoakFault = { readonly name: string; run(soak: Soak): Promise<void> }
type Soak = ProxiedCluster & { readonly world: World; readonly fleet: Fleet }

const NODES = 3
const SAY_EVERY = 5
/** Of a soak without --minutes. */
const USUAL_FAULTS = 8
const CALM_MS = 2_000
/** A node that is killed leaves its calls unanswered: two of three are never killed, and are asked. */
const KILLED_NODE = 2

const FAULTS: readonly SoakFault[] = [
  { name: 'master killed', run: (soak) => masterGone(soak, 'kill') },
  { name: 'master frozen', run: (soak) => masterGone(soak, 'freeze') },
  {
    name: 'replica killed',
    async run({ world, cluster }) {
      const { replica } = await randomShard(world, cluster)
      await replica.kill()
      await hold(world, 1_500)
      await replica.restart()
    },
  },
  { name: 'delay', run: (soak) => badNetwork(soak, (proxy) => proxy.set('both', { latencyMs: 30, jitterMs: 40 })) },
  { name: 'narrow', run: (soak) => badNetwork(soak, (proxy) => proxy.set('both', { bytesPerSecond: 60_000 })) },
  { name: 'slices', run: (soak) => badNetwork(soak, (proxy) => proxy.set('both', { sliceBytes: 200 })) },
  { name: 'black hole', run: (soak) => badNetwork(soak, (proxy) => proxy.set('both', { isBlackHole: true }), true) },
  { name: 'refused', run: (soak) => badNetwork(soak, (proxy) => proxy.refuse().then(() => proxy.reset()), true) },
  { name: 'resets', run: (soak) => badNetwork(soak, (proxy) => proxy.reset()) },
  {
    name: 'node killed',
    async run({ world, fleet }) {
      await fleet.killNode(KILLED_NODE)
      await hold(world, 1_000)
      await fleet.startAgain(KILLED_NODE)
    },
  },
  {
    name: 'control killed',
    async run({ world, fleet }) {
      const node = fleet.nodes[Math.floor(world.random() * NODES)]
      process.kill(node?.pids('control')[0] ?? 0, 'SIGKILL')
      await sleep(500)
      await node?.ready()
    },
  },
]

export const soak: FaultCase = {
  id: 'SOAK',
  what: 'three nodes on a Redis Cluster behind proxies, random faults one after the other; --minutes M, --seed N',
  expected: 'In the end the nodes agree, nothing acknowledged is lost, no call was unanswered, no verdict was wrong.',
  needs: ['ss', 'redis'],
  countsItself: true,
  async run(world) {
    const places = await startProxiedCluster(world)
    const fleet = await world.startFleet({
      urlOf: () => places.cluster.url,
      count: NODES,
      mayWaver: true,
      askedNodes: [0, 1],
      callsPerSecond: 100,
    })
    const startMs = performance.now()
    const done = new Map<string, number>()
    let count = 0
    const goesOn = () => !world.mustEnd() && (world.hasEnd || count < (world.isQuick ? 3 : USUAL_FAULTS))
    for (; goesOn(); count++) {
      const fault = FAULTS[Math.floor(world.random() * FAULTS.length)]!
      await fault.run({ ...places, world, fleet })
      done.set(fault.name, (done.get(fault.name) ?? 0) + 1)
      // Sometimes the next one comes before the last is over.
      if (world.random() < 0.5) await Promise.all([places.cluster.whole(), untilWholeRecord(fleet, 60_000)])
      else await places.cluster.whole()
      await sleep(world.random() * CALM_MS)
      await fleet.phase('faults')
      if ((count + 1) % SAY_EVERY === 0) {
        world.say(`${count + 1} faults in ${Math.round((performance.now() - startMs) / 1_000)} s, seed ${world.seed}`)
      }
    }
    for (const proxy of places.proxies) await proxy.heal()
    world.figure('faults', count)
    world.figure('seed', String(world.seed))
    world.figure('of them', [...done].map(([name, times]) => `${name} ${times}`).join(', '))
    await fleet.finish({ settleMs: 120_000 })
  },
}

function hold(world: World, ms: number): Promise<void> {
  return sleep(ms * (0.3 + world.random()))
}

async function masterGone({ world, cluster }: Soak, how: 'kill' | 'freeze'): Promise<void> {
  const shard = await randomShard(world, cluster)
  if (how === 'kill') await shard.master.kill()
  else shard.master.signal('SIGSTOP')
  // Awake again before its replica is elected, or after.
  if (how === 'freeze' && world.random() < 0.3) await sleep(world.random() * 1_500)
  else await untilPromoted(shard)
  await hold(world, 800)
  if (how === 'kill') await shard.master.restart()
  else shard.master.signal('SIGCONT')
}

type Proxy = ProxiedCluster['proxies'][number]

/** Of one server, or of all of them. */
async function badNetwork(
  { world, proxies }: Soak,
  spoil: (proxy: Proxy) => void | Promise<void>,
  isShort = false,
): Promise<void> {
  const one = proxies[Math.floor(world.random() * proxies.length)]!
  const spoiled = world.random() < 0.5 ? proxies : [one]
  for (const proxy of spoiled) await spoil(proxy)
  await hold(world, isShort ? 2_500 : 5_000)
  for (const proxy of spoiled) await proxy.heal()
}
