/**
 * Follows the record: reads every partition's new facts, applies them to this node's replica, and takes back what Redis
 * has lost, to offer it again. Nothing waits for it but writes of this node, which wait for their own fact.
 */
import { ScreeningError } from '../../domain/errors.ts'
import { DESK_PARTITION, PARTITIONS } from '../fact.ts'
import { decodeFact } from '../fact-codec.ts'
import { type AppliedFact, type DecodedEntry, LayersMissing, type Replica } from '../lmdb/replica.ts'
import type { LayerRef } from '../ports.ts'
import type { FactEntry, FactStreams, Position } from './fact-streams.ts'

/**
 * `following`: all is well. `away`: nobody answers, tried again all the time. The others need somebody: `lost`, `diverged`,
 * `damaged` and `newer` are the errors RECORD_LOST, RECORD_DIVERGED, RECORD_DAMAGED and STORAGE_FORMAT; `stopped`: the
 * node's own disk refused. All of them keep the state as it is, are looked at again each second, and end by themselves
 * when their cause does.
 */
export const PARTITION_STATES = ['following', 'away', 'lost', 'diverged', 'damaged', 'newer', 'stopped'] as const
export type PartitionState = (typeof PARTITION_STATES)[number]

/** A partition of the record is not followed any more, and why. */
export type RecordTrouble = { readonly partition: number; readonly state: PartitionState; readonly error: unknown }

export type RecordFollower = {
  /** Reads the partition now, and again when it is being read. */
  nudge(partition: number): void
  /** Resolves when the fact is applied here, with what it did; rejects with why it was refused, or why it will not come. */
  awaitFact(factId: string): Promise<unknown>
  forgetFact(factId: string): void
  stateOf(partition: number): { readonly state: PartitionState; readonly error: unknown }
  /** Resolves when every partition was once read to its end. Rejects never: it waits. */
  caughtUp(): Promise<void>
  status(): FollowerStatus
  /** Runs `work` while nothing reads or applies the partition. */
  holding<T>(partition: number, work: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

export type FollowerStatus = {
  /** How many partitions are in each state that any is in. */
  readonly states: Readonly<Partial<Record<PartitionState, number>>>
  /** The first trouble that needs somebody. */
  readonly problem: { readonly code: string; readonly detail: string } | undefined
  /** The last moment of which everything in the record is applied here, epoch milliseconds. */
  readonly freshMs: number
  /** Facts that are known to be in the record and are not applied here. */
  readonly behind: number
  readonly applied: number
  readonly rewound: number
}

export type FollowerOptions = {
  /** Between two looks at all partitions. */
  readonly pollMs?: number
  /** Between two questions whether Redis is still the same server; also the pause of a partition in trouble. */
  readonly touchMs?: number
}

export type FollowerDependencies = {
  readonly streams: FactStreams
  readonly replica: Pick<Replica, 'position' | 'rewindableTo' | 'apply' | 'rewind'>
  /** Brings layers into this node's lists.mdb; resolves with those that Redis does not have (any more). */
  readonly fetchLayers: (layers: readonly LayerRef[]) => Promise<readonly LayerRef[]>
  readonly hasLayer: (layer: LayerRef) => boolean
  readonly now: () => number
  /** 0..1, for pauses. */
  readonly random: () => number
  /** New facts are in the change log. */
  readonly onApplied: () => void
  readonly onTrouble: (trouble: RecordTrouble) => void
}

/** Reading all partitions this often costs 50 small requests a second a server. */
const POLL_MS = 20
const TOUCH_MS = 1_000
const PAGE_ENTRIES = 2_000
/** A desk batch grows when the layers of its middle are gone already: its end needs only what is in force. */
const DESK_ENTRIES_MAX = 200_000

type Partition = {
  readonly index: number
  position: Position
  newest: number
  state: PartitionState
  error: unknown
  freshMs: number
  touchAtMs: number
  retryAtMs: number
  busy: Promise<void> | undefined
  isNudged: boolean
  isHeld: boolean
}

export function createRecordFollower(options: FollowerOptions, dependencies: FollowerDependencies): RecordFollower {
  const { pollMs = POLL_MS, touchMs = TOUCH_MS } = options
  const { streams, replica, now, random } = dependencies
  const partitions = Array.from({ length: PARTITIONS }, (_, index) => newPartition(index, replica.position(index)))
  const waiting = new Map<string, { resolve: (result: unknown) => void; reject: (error: unknown) => void }>()
  let applied = 0
  let rewound = 0
  let isClosed = false
  let whenCaughtUp: (() => void)[] = []

  function settle(facts: readonly AppliedFact[]): void {
    applied += facts.length
    for (const { factId, result, error } of facts) {
      const author = waiting.get(factId)
      if (author === undefined) continue
      waiting.delete(factId)
      if (error === undefined) author.resolve(result)
      else author.reject(error)
    }
    if (facts.length > 0) dependencies.onApplied()
  }

  async function advance(partition: Partition): Promise<void> {
    for (;;) {
      const startedMs = now()
      if (startedMs >= partition.touchAtMs) await touch(partition)
      const entries = await streams.read(partition.index, partition.position, PAGE_ENTRIES)
      if (entries.length > 0) await apply(partition, entries)
      if (entries.length < PAGE_ENTRIES) {
        partition.freshMs = startedMs
        partition.newest = partition.position.sequence
        enter(partition, 'following', undefined)
        return
      }
    }
  }

  async function touch(partition: Partition): Promise<void> {
    const head = await streams.touch(partition.index, partition.position.epoch)
    partition.newest = Math.max(head.sequence, partition.position.sequence)
    partition.touchAtMs = now() + touchMs * (0.9 + 0.2 * random())
  }

  async function apply(partition: Partition, entries: readonly FactEntry[]): Promise<void> {
    const decoded = entries.map(decode)
    const last = entries.at(-1)!.position
    partition.newest = Math.max(partition.newest, last.sequence)
    if (partition.index === DESK_PARTITION) settle(await applyDesk(partition, decoded))
    else settle(await replica.apply(partition.index, decoded, { newest: partition.newest }))
    partition.position = replica.position(partition.index)
  }

  /** Lists come into force with their contents: missing layers are fetched before, and the batch is tried again. */
  async function applyDesk(partition: Partition, entries: DecodedEntry[]): Promise<AppliedFact[]> {
    for (;;) {
      try {
        return await replica.apply(DESK_PARTITION, entries, {
          newest: partition.newest,
          hasLayer: dependencies.hasLayer,
        })
      } catch (error) {
        if (!(error instanceof LayersMissing)) throw error
        const gone = await dependencies.fetchLayers(error.layers)
        if (gone.length > 0) entries.push(...(await readOn(entries, gone)))
      }
    }
  }

  async function readOn(entries: readonly DecodedEntry[], gone: readonly LayerRef[]): Promise<DecodedEntry[]> {
    const more = await streams.read(DESK_PARTITION, entries.at(-1)!.position, PAGE_ENTRIES)
    if (more.length === 0 || entries.length > DESK_ENTRIES_MAX) {
      const { layerId } = gone[0]!
      throw new ScreeningError(
        'RECORD_DAMAGED',
        `The contents of layer ${layerId}, which a list in force needs, are gone.`,
      )
    }
    return more.map(decode)
  }

  /** Redis has another history behind `keptUpTo`: back to there; what is taken back waits in the outbox to be offered. */
  async function rewind(partition: Partition, error: ScreeningError): Promise<void> {
    const { keptUpTo } = error.details
    if (typeof keptUpTo !== 'number' || keptUpTo < replica.rewindableTo(partition.index)) throw error
    rewound += await replica.rewind(partition.index, keptUpTo)
    partition.position = replica.position(partition.index)
    partition.isNudged = true
    dependencies.onApplied()
  }

  async function work(partition: Partition): Promise<void> {
    try {
      await advance(partition)
    } catch (error) {
      try {
        if (!(error instanceof ScreeningError && error.code === 'RECORD_DIVERGED')) throw error
        await rewind(partition, error)
      } catch (trouble) {
        const state = stateFor(trouble)
        enter(partition, state, trouble)
        // The server that answers next may be another one.
        partition.touchAtMs = 0
        partition.retryAtMs = now() + (state === 'away' ? 50 + 100 * random() : touchMs)
      }
    }
  }

  function enter(partition: Partition, state: PartitionState, error: unknown): void {
    const isNew = partition.state !== state
    partition.state = state
    partition.error = error
    if (isNew && state !== 'following') dependencies.onTrouble({ partition: partition.index, state, error })
    if (whenCaughtUp.length > 0 && partitions.every(({ freshMs }) => freshMs > 0)) {
      for (const done of whenCaughtUp) done()
      whenCaughtUp = []
    }
  }

  function start(partition: Partition): void {
    if (isClosed || partition.isHeld) return
    if (partition.busy !== undefined) {
      partition.isNudged = true
      return
    }
    if (partition.state !== 'following' && now() < partition.retryAtMs) return
    partition.isNudged = false
    partition.busy = work(partition).finally(() => {
      partition.busy = undefined
      if (partition.isNudged) start(partition)
    })
  }

  const poll = setInterval(() => {
    for (const partition of partitions) if (partition.busy === undefined) start(partition)
  }, pollMs)

  return {
    nudge: (index) => start(partitions[index]!),
    awaitFact: (factId) => new Promise((resolve, reject) => waiting.set(factId, { resolve, reject })),
    forgetFact: (factId) => void waiting.delete(factId),
    stateOf: (index) => partitions[index]!,
    caughtUp: () =>
      new Promise((resolve) => {
        if (partitions.every(({ freshMs }) => freshMs > 0)) resolve()
        else whenCaughtUp.push(resolve)
      }),
    status: () => ({ ...statusOf(partitions), applied, rewound }),
    async holding(index, workWhileHeld) {
      const partition = partitions[index]!
      partition.isHeld = true
      try {
        await partition.busy
        return await workWhileHeld()
      } finally {
        partition.position = replica.position(index)
        partition.isHeld = false
        partition.retryAtMs = 0
        partition.touchAtMs = 0
      }
    },
    async close() {
      isClosed = true
      clearInterval(poll)
      await Promise.all(partitions.map(({ busy }) => busy))
      for (const { reject } of waiting.values()) reject(new ScreeningError('UNAVAILABLE', 'The node stops.'))
    },
  }
}

function newPartition(index: number, position: Position): Partition {
  return {
    index,
    position,
    newest: position.sequence,
    state: 'away',
    error: undefined,
    freshMs: 0,
    touchAtMs: 0,
    retryAtMs: 0,
    busy: undefined,
    isNudged: false,
    isHeld: false,
  }
}

function decode(entry: FactEntry): DecodedEntry {
  return { ...entry, fact: entry.factId === '' ? undefined : decodeFact(entry.payload) }
}

function stateFor(error: unknown): PartitionState {
  if (!(error instanceof ScreeningError)) return 'stopped'
  switch (error.code) {
    case 'UNAVAILABLE':
      return 'away'
    case 'RECORD_LOST':
      return 'lost'
    case 'RECORD_DIVERGED':
      return 'diverged'
    case 'RECORD_DAMAGED':
      return 'damaged'
    case 'STORAGE_FORMAT':
      return 'newer'
    default:
      return 'stopped'
  }
}

function statusOf(partitions: readonly Partition[]): Omit<FollowerStatus, 'applied' | 'rewound'> {
  const states: Partial<Record<PartitionState, number>> = {}
  let freshMs = Number.POSITIVE_INFINITY
  let behind = 0
  let worst: Partition | undefined
  for (const partition of partitions) {
    states[partition.state] = (states[partition.state] ?? 0) + 1
    freshMs = Math.min(freshMs, partition.freshMs)
    behind += Math.max(0, partition.newest - partition.position.sequence)
    if (partition.error !== undefined && (worst === undefined || worst.state === 'away')) worst = partition
  }
  return { states, freshMs, behind, problem: worst === undefined ? undefined : problemOf(worst.error) }
}

function problemOf(error: unknown): { code: string; detail: string } {
  if (error instanceof ScreeningError) return { code: error.code, detail: error.message }
  return { code: 'INTERNAL', detail: error instanceof Error ? error.message : String(error) }
}
