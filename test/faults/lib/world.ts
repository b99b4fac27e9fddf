import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import {
  type RedisCluster,
  type RedisClusterOptions,
  type RedisServer,
  startRedis,
  startRedisCluster,
} from '../../support/redis.ts'
import { type RunningService, type RunOptions, runService } from '../../support/run-service.ts'
import type { Acknowledged } from './changes.ts'
import { type ChaosProxy, type ChaosProxyOptions, startChaosProxy } from './chaos-proxy.ts'
import { type Cleanup, folderName } from './cleanup.ts'
import { type LoopDisk, makeLoopDisk } from './disks.ts'
import type { Failure, Figure } from './fault-case.ts'
import { type Fleet, type FleetOptions, startFleet } from './fleet.ts'
import { type Host, makeNetwork, type Network } from './network.ts'
import { startTrial, type Trial, type TrialOptions } from './trial.ts'
import { lostOf, verifyChanges } from './verify-changes.ts'

/** What a case gets: a place of its own on the machine, nodes, stores, a bad network, and somewhere to say what it saw. */
export type World = {
  readonly isQuick: boolean
  /** Rounds, for a case that counts itself. */
  readonly count: number
  readonly seed: number
  /** 0..1, of the seed. */
  readonly random: () => number
  /** True when the person wants it to end, or its time is over: after this round. */
  readonly mustEnd: () => boolean
  /** True: the time is given, the case may go on until then. */
  readonly hasEnd: boolean
  readonly folder: string
  readonly cleanup: Cleanup
  /** A line of progress. */
  say(text: string): void
  figure(name: string, value: Figure): void
  expect(what: string, holds: boolean, got?: unknown): void

  /** A node with a data directory of its own, or the one given. Any number of them. */
  startNode(options?: RunOptions & { readonly config?: string }): Promise<RunningService>
  loopDisk(mebibytes: number): LoopDisk
  /** A host of its own in the network of this world. */
  addHost(name: string): Host
  /** On a host, or on this machine. Behind a proxy it is as bad as the proxy is told to be. */
  startRedis(options?: { readonly host?: Host; readonly args?: readonly string[] }): Promise<RedisServer>
  /** Three masters and their replicas, on this machine or on hosts. */
  startRedisCluster(options?: RedisClusterOptions): Promise<RedisCluster>
  startProxy(options: ChaosProxyOptions): Promise<ChaosProxy>
  /** Prepares a node, begins to ask and to write, and judges. */
  startTrial(node: RunningService, options?: TrialOptions): Promise<Trial>
  /** Nodes on one record, each under calls and changes. */
  startFleet(options: FleetOptions): Promise<Fleet>
  /** Looks for everything that was acknowledged, and says what is missing. */
  verify(node: RunningService, acknowledged: Acknowledged): Promise<void>
}

export type WorldOptions = Pick<World, 'isQuick' | 'count' | 'seed' | 'mustEnd' | 'hasEnd' | 'say' | 'cleanup'>
export type Findings = { readonly figures: Record<string, Figure>; readonly failures: Failure[] }

/** Two processes, so that one can be broken while the other serves. */
const PROCESSES = 2
/** On a machine with many neighbours: how fast a node starts is measured where that is the question. */
const START_WAIT_MS = 120_000

export function createWorld(options: WorldOptions): { world: World; findings: Findings } {
  const { cleanup } = options
  const folder = mkdtempSync(folderName())
  cleanup.defer(() => rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }))
  const findings: Findings = { figures: {}, failures: [] }
  let network: Network | undefined
  let made = 0
  const world: World = {
    ...options,
    random: seeded(options.seed),
    folder,
    figure(name, value) {
      findings.figures[name] = value
    },
    expect(what, holds, got = '') {
      if (!holds) findings.failures.push({ expected: what, got: typeof got === 'string' ? got : JSON.stringify(got) })
    },
    async startNode({ config, ...given } = {}) {
      const dataDirectory = given.dataDirectory ?? path.join(folder, `node-${++made}`)
      mkdirSync(dataDirectory, { recursive: true })
      const configPath = path.join(folder, `node-${++made}.yaml`)
      if (config !== undefined) writeFileSync(configPath, config)
      const environment = { ...(config === undefined ? {} : { ZASLON_CONFIG: configPath }), ...given.environment }
      const node = await runService({
        processes: PROCESSES,
        threads: 1,
        waitMs: START_WAIT_MS,
        ...given,
        dataDirectory,
        environment,
      })
      // The same end for a node that was stopped long ago.
      cleanup.defer(() => node.kill())
      return node
    },
    loopDisk(mebibytes) {
      const place = path.join(folder, `disk-${++made}`)
      mkdirSync(place)
      return makeLoopDisk(cleanup, { folder: place, mebibytes })
    },
    addHost(name) {
      network ??= makeNetwork(cleanup)
      return network.addHost(name)
    },
    async startRedis({ host, args = [] } = {}) {
      const where = host === undefined ? {} : { host: host.address, prefix: host.prefix }
      const server = await startRedis({ ...where, args })
      cleanup.defer(() => server.close())
      return server
    },
    async startRedisCluster(clusterOptions = {}) {
      const cluster = await startRedisCluster(clusterOptions)
      cleanup.defer(() => cluster.close())
      return cluster
    },
    async startProxy(proxyOptions) {
      const proxy = await startChaosProxy(proxyOptions)
      cleanup.defer(() => proxy.close())
      return proxy
    },
    startFleet: (fleetOptions) => startFleet(world, fleetOptions),
    startTrial: (node, trialOptions = {}) => startTrial(trialOptions, { world, node }),
    async verify(node, acknowledged) {
      const verified = await verifyChanges(node, acknowledged)
      const lost = lostOf(verified)
      world.figure('acknowledged', verified.checked)
      world.figure('lost', lost)
      world.figure('half imports', verified.halfImports)
      world.expect('every acknowledged change is there', lost === 0, verified)
      world.expect('no import is half there', verified.halfImports === 0, verified)
    },
  }
  return { world, findings }
}

/** mulberry32: the seed is in the result, so a run can be had again. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
