import { rmSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile, round } from '../../../bench/lib/stats.ts'
import type { RecordState } from '../../../src/domain/record-view.ts'
import type { RunningService, RunOptions } from '../../support/run-service.ts'
import { ask } from './api.ts'
import type { Acknowledged } from './changes.ts'
import { differences, notBlocked } from './compare-nodes.ts'
import { killAll, until } from './node-state.ts'
import { type Oracle, type OracleOptions, prepareNode, startOracle } from './oracle.ts'
import { type FinishOptions, type Phase, reportCalls } from './trial.ts'
import { lostOf, verifyChanges } from './verify-changes.ts'
import type { World } from './world.ts'

/**
 * Nodes that share a record, each under calls, with a writer of its own. In the end all of them must have the same content,
 * and each of them everything that any of them has acknowledged.
 */
export type Fleet = {
  readonly nodes: readonly RunningService[]
  /** What became of calls and changes at every node since the last one. Waits `forMs` first. */
  phase(name: string, forMs?: number): Promise<Phase[]>
  /** SIGKILL to every process of the node. */
  killNode(index: number): Promise<void>
  /** The same, and its data directory is gone. What it has answered as queued may be gone with it, and is looked for no more. */
  loseNode(index: number): Promise<void>
  /** Starts it again on its ports and its data; resolves with the milliseconds until it is ready. */
  startAgain(index: number): Promise<number>
  /** One more node, that has nothing and no writer: whatever it says at the end, it has from Redis. */
  join(): Promise<void>
  record(index: number): Promise<RecordAnswer>
  /** Resolves when the node says so, with the milliseconds. */
  until(index: number, state: RecordState, waitMs?: number): Promise<number>
  /** Acknowledged by somebody who is not a writer of the fleet. */
  add(reports: Acknowledged['reports']): void
  /** Ends the writers, waits until the nodes agree, ends the calls, and looks for everything at every node. */
  finish(options?: FinishOptions & { readonly settleMs?: number }): Promise<void>
}
export type RecordAnswer = {
  readonly state: RecordState
  readonly behind: number
  readonly rewound: number
  readonly outbox: { readonly facts: number }
  readonly problem?: { readonly code: string; readonly detail: string }
}

type NodeOptions = Parameters<World['startNode']>[0]

export type FleetOptions = {
  /** The addresses of Redis for a node. */
  readonly urlOf: (index: number) => string
  readonly count?: number
  readonly optionsOf?: (index: number) => NodeOptions
  /** Nodes that are asked; all of them when missing. */
  readonly askedNodes?: readonly number[]
} & Partial<Pick<OracleOptions, 'callsPerSecond' | 'pauseMs' | 'mayWaver' | 'hasWriter'>>

/** Several nodes, their Redis and the asking threads share two cores. */
const CALLS_PER_SECOND = 150
const CONNECTIONS = 8
const WRITER_NUMBERS = 20_000
const REVIEWS_OF_A_WRITER = 400
const PAUSE_MS = { report: 40, entry: 400, import: 1_500, policy: 3_000, review: 600 }
const SETTLE_MS = 60_000
const BUSY_LATENESS_MS = 100
/** As many numbers as fit in the ranges of the writers of one run. */
const SEEDS = 300

export async function startFleet(world: World, options: FleetOptions): Promise<Fleet> {
  const { urlOf, count = 2, optionsOf = (): NodeOptions => ({}), hasWriter = true } = options
  const nodes: RunningService[] = []
  const launch = (index: number, given: RunOptions) => {
    const key = path.join(nodes[0]?.dataDirectory ?? '', 'pseudonym.key')
    const environment = {
      ZASLON_REDIS_URL: urlOf(index),
      ...(index === 0 ? {} : { ZASLON_PSEUDONYM_KEY_FILE: key }),
      ...optionsOf(index)?.environment,
    }
    return world.startNode({ processes: 1, ...optionsOf(index), ...given, environment })
  }
  for (let index = 0; index < count; index++) nodes.push(await launch(index, {}))
  // A write that takes over 200 ms on a busy machine is refused.
  const prepared = () =>
    prepareNode(nodes[0]!).then(
      () => true,
      () => false,
    )
  await until('the nodes are prepared', prepared)
  const same = async () => (await differences(nodes, [])).length === 0
  await until('the nodes have the same content before the fault', same)
  await sleep(500)
  const oracles = await Promise.all(nodes.map((node, index) => startOne(node, index)))
  const acknowledged = oracles.map(({ changes }) => changes.acknowledged)
  const phases: Phase[] = []
  let isOver = false
  const end = async () => {
    if (!isOver) await Promise.all(oracles.map((oracle) => oracle.stop()))
    isOver = true
  }
  world.cleanup.defer(end)

  function startOne(node: RunningService, index: number): Promise<Oracle> {
    const isAsked = options.askedNodes?.includes(index) ?? true
    return startOracle(
      {
        verdictPort: node.verdictPort,
        callsPerSecond: isAsked ? (options.callsPerSecond ?? CALLS_PER_SECOND) : 0,
        connections: isAsked ? CONNECTIONS : 0,
        sendsDeadline: true,
        hasWriter,
        seed: (world.seed % SEEDS) * 10 * WRITER_NUMBERS + index * WRITER_NUMBERS,
        reviewsFrom: index * REVIEWS_OF_A_WRITER,
        pauseMs: options.pauseMs ?? PAUSE_MS,
        mayWaver: options.mayWaver ?? false,
      },
      node,
    )
  }

  async function phase(name: string, forMs = 0): Promise<Phase[]> {
    await sleep(forMs)
    const taken = await Promise.all(
      oracles.map(async (oracle) => ({ name, calls: await oracle.takeCalls(), changes: oracle.changes.take() })),
    )
    phases.push(...taken)
    return taken
  }

  const record = (index: number) => ask<RecordAnswer>(nodes[index]!, 'GET', '/v1/record')
  async function isSettled(): Promise<boolean> {
    const records = await Promise.all(nodes.map((_, index) => record(index).catch(() => undefined)))
    return records.every((one) => one?.state === 'following' && one.behind === 0 && one.outbox.facts === 0)
  }
  async function settle(waitMs: number): Promise<void> {
    let different: string[] = []
    const startMs = performance.now()
    try {
      await until('the nodes follow and have sent what waited', isSettled, waitMs)
      await until(
        'the nodes have the same content',
        async () => {
          different = await differences(nodes, acknowledged)
          return different.length === 0
        },
        5_000,
      )
    } catch (error) {
      const records = await Promise.all(nodes.map((_, index) => record(index).catch(String)))
      world.expect(`the nodes agree (${error})`, false, { different: different.slice(0, 5), records })
    }
    world.figure('settled ms', round(performance.now() - startMs))
    world.figure('different', different.length)
  }

  async function verify(): Promise<void> {
    const all = await Promise.all(
      nodes.flatMap((node) =>
        acknowledged.map((one) => verifyChanges(node, one, { mayRenumber: options.mayWaver ?? false })),
      ),
    )
    const checked = all.slice(0, acknowledged.length).reduce((sum, one) => sum + one.checked, 0)
    const lost = all.reduce((sum, one) => sum + lostOf(one), 0)
    const half = all.reduce((sum, one) => sum + one.halfImports, 0)
    const let_through = await notBlocked(nodes, acknowledged)
    world.figure('acknowledged', checked)
    world.figure(
      'of them queued',
      acknowledged.flatMap((one) => one.reports).filter((one) => one.state === 'queued').length,
    )
    world.figure(
      'rewound',
      (await Promise.all(nodes.map((_, index) => record(index)))).reduce((sum, one) => sum + one.rewound, 0),
    )
    world.figure('lost', lost)
    const worst = all.filter((one) => lostOf(one) + one.halfImports > 0)
    world.expect('every acknowledged change is at every node, every import whole', lost + half === 0, worst)
    world.expect('what was reported enough is blocked at every node', let_through.length === 0, let_through.slice(0, 5))
  }

  await phase('warm-up', world.isQuick ? 700 : 1_500)
  phases.splice(0)
  return {
    nodes,
    phase,
    record,
    killNode: (index) => killAll(nodes[index]!),
    async loseNode(index) {
      await killAll(nodes[index]!)
      rmSync(nodes[index]!.dataDirectory, { recursive: true })
      const { reports } = acknowledged[index]!
      reports.splice(0, reports.length, ...reports.filter(({ state }) => state !== 'queued'))
    },
    async startAgain(index) {
      const startMs = performance.now()
      const { adminPort, verdictPort, dataDirectory } = nodes[index]!
      nodes[index] = await launch(index, { adminPort, verdictPort, dataDirectory })
      return performance.now() - startMs
    },
    async join() {
      nodes.push(await launch(nodes.length, {}))
    },
    until: (index, state, waitMs = 30_000) =>
      until(`node ${index + 1} says ${state}`, async () => (await record(index)).state === state, waitMs),
    add: (reports) => void acknowledged[0]!.reports.push(...reports),
    async finish({ settleMs = SETTLE_MS, mayLeaveUnanswered = false, mayBeLate = false } = {}) {
      await Promise.all(oracles.map(({ changes }) => changes.stop()))
      await phase('end')
      await settle(settleMs)
      await phase('settled', 200)
      await end()
      // Lateness of the askers by so much is the neighbours: nothing can be said of the service's.
      const lateness = phases.flatMap(({ calls }) => calls.lateness)
      const isBusy = quantile(lateness, 0.999) > BUSY_LATENESS_MS
      world.figure('machine', isBusy ? 'too busy to judge times' : 'calm')
      reportCalls(world, phases, { mayLeaveUnanswered, mayBeLate: mayBeLate || isBusy, mayBeUnsent: isBusy })
      reportChanges(world, phases)
      for (const node of nodes) for (const line of troubles(node)) world.say(line)
      if (hasWriter) await verify()
    },
  }
}

/** What a node has said that somebody must look at. */
function troubles(node: RunningService): string[] {
  return node
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{"level":"error"') && !line.includes('"UNAVAILABLE"'))
    .slice(0, 5)
    .map((line) => line.slice(0, 400))
}

/** Phases with refusals, and the words of a few that no fault of Redis explains. */
function reportChanges(world: World, phases: readonly Phase[]): void {
  const refused: Record<string, number> = {}
  for (const { changes } of phases) {
    for (const [code, count] of Object.entries(changes.refused)) refused[code] = (refused[code] ?? 0) + count
  }
  const told = Object.entries(refused).map(([code, count]) => `${code} ${count}`)
  if (told.length > 0) world.figure('refused', told.join(' '))
  const words = phases.flatMap(({ changes }) => changes.words).filter((one) => !/UNAVAILABLE|LIST_CHANGED/i.test(one))
  for (const one of words.slice(0, 3)) world.say(one)
}

/** Resolves with the milliseconds until every node follows the whole record. Rejects with what they say instead. */
export async function untilWholeRecord(fleet: Fleet, waitMs = 30_000): Promise<number> {
  let records: unknown[] = []
  const follow = async () => {
    const now = await Promise.all(fleet.nodes.map((_, index) => fleet.record(index)))
    records = now
    return now.every(({ state }) => state === 'following')
  }
  try {
    return await until('every node follows the record', follow, waitMs)
  } catch (cause) {
    throw new Error(`Not every node follows the record: ${JSON.stringify(records)}`, { cause })
  }
}
