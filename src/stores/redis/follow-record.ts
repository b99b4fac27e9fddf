/**
 * Follows the record: reads every partition's new facts, applies them to this node's replica, and takes back what Redis
 * has lost, to offer it again. Nothing waits for it but writes of this node, which wait for their own fact.
 */
import { ScreeningError } from '../../domain/errors.ts'
import type { RecordState } from '../../domain/record-view.ts'
import { DESK_PARTITION, PARTITIONS } from '../fact.ts'
import { type AppliedFact, type DecodedEntry, LayersMissing } from '../lmdb/apply-entries.ts'
import type { LayerRef } from '../ports.ts'
import { createSlots } from '../slots.ts'
import { decodeEntry, follows } from './decode-entry.ts'
import { commonUpTo, type EpochStart } from './epochs.ts'
import type { FactEntry } from './fact-streams.ts'
import { contentsMissing, fetchMissing } from './missing-layers.ts'
import { OwnFailure, ownFailure } from './own-failure.ts'
import { newPartition, type Partition, stateFor, statusOf } from './partition-state.ts'
import type { FollowerDependencies, FollowerOptions, RecordFollower } from './record-follower.ts'

/** 50 small requests a second a server. */
const POLL_MS = 20
const TOUCH_MS = 1_000
/** What is new since the last look, as a rule. */
const PAGE_ENTRIES = 64
const FAR_PAGE_ENTRIES = 2_000
const FAR_READERS = 4
/** A desk batch grows when the layers of its middle are gone already: its end needs only what is in force. */
const DESK_ENTRIES_MAX = 200_000

export function createRecordFollower(options: FollowerOptions, dependencies: FollowerDependencies): RecordFollower {
  const { pollMs = POLL_MS, touchMs = TOUCH_MS } = options
  const { streams, replica, now, random } = dependencies
  /** For pauses: clocks are set, this one only goes on. */
  const clock = dependencies.clock ?? (() => performance.now())
  const farReaders = createSlots(FAR_READERS)
  const partitions = Array.from({ length: PARTITIONS }, (_, index) => newPartition(index, replica.position(index)))
  const waiting = new Map<string, { resolve: (result: unknown) => void; reject: (error: unknown) => void }>()
  let applied = 0
  let rewound = 0
  let isClosed = false
  let whenCaughtUp: (() => void)[] = []

  async function fetchLayers(layers: readonly LayerRef[]): Promise<readonly LayerRef[]> {
    if (isClosed) throw new ScreeningError('UNAVAILABLE', 'The node stops.')
    return dependencies.fetchLayers(layers)
  }

  function settle(facts: readonly AppliedFact[]): void {
    applied += facts.length
    for (const { factId, kind, wasWaiting, result, error } of facts) {
      if (wasWaiting && error !== undefined) told(() => dependencies.onRefused({ factId, kind, error }))
      const author = waiting.get(factId)
      if (author === undefined) continue
      waiting.delete(factId)
      if (error === undefined) author.resolve(result)
      else author.reject(error)
    }
    if (facts.length > 0) told(dependencies.onApplied)
  }

  /** What listeners throw is no trouble of the partition. */
  function told(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      dependencies.onTrouble({ partition: -1, state: 'stopped', error })
    }
  }

  /** Reads to the end. `page`: what a poll has read behind the position already. */
  async function advance(partition: Partition, page: readonly FactEntry[] | undefined): Promise<void> {
    const startedMs = now()
    if (clock() >= partition.touchAt) await touch(partition)
    if (page !== undefined) await apply(partition, page)
    const { entries, newest } = await streams.read(partition.index, partition.position, {
      limit: PAGE_ENTRIES,
      isBulk: false,
    })
    partition.newest = newest
    if (entries.length > 0) await apply(partition, entries)
    if (partition.position.sequence < newest) {
      // One that is followed and has much at once goes on taking writes.
      if (partition.state !== 'following') enter(partition, 'catching-up', undefined)
      return readFar(partition)
    }
    partition.freshMs = startedMs
    enter(partition, 'following', undefined)
  }

  /** A few partitions at a time, in large pages: all at once would make every page late. */
  function readFar(partition: Partition): Promise<void> {
    return farReaders(async () => {
      for (;;) {
        const startedMs = now()
        const { entries, newest } = await streams.read(partition.index, partition.position, {
          limit: FAR_PAGE_ENTRIES,
          isBulk: true,
        })
        partition.newest = newest
        if (entries.length > 0) await apply(partition, entries)
        if (isClosed) return
        if (partition.position.sequence < newest) continue
        partition.freshMs = startedMs
        enter(partition, 'following', undefined)
        return
      }
    })
  }

  async function touch(partition: Partition): Promise<void> {
    const head = await streams.touch(partition.index)
    partition.newest = Math.max(head.sequence, partition.position.sequence)
    partition.isAsked = true
    partition.touchAt = clock() + touchMs * (0.9 + 0.2 * random())
  }

  async function apply(partition: Partition, entries: readonly FactEntry[]): Promise<void> {
    const decoded = entries.map(decodeEntry)
    partition.newest = Math.max(partition.newest, entries.at(-1)!.position.sequence)
    const facts =
      partition.index === DESK_PARTITION
        ? await applyDesk(partition, decoded)
        : await replica.apply(partition.index, decoded, { newest: partition.newest }).catch(ownFailure)
    partition.position = replica.position(partition.index)
    settle(facts)
  }

  /** Lists come into force with their contents: missing layers are fetched before, and the batch is tried again. */
  async function applyDesk(partition: Partition, entries: DecodedEntry[]): Promise<AppliedFact[]> {
    const fetched = new Set<string>()
    for (;;) {
      try {
        return await replica.apply(DESK_PARTITION, entries, {
          newest: partition.newest,
          hasLayer: dependencies.hasLayer,
        })
      } catch (error) {
        if (!(error instanceof LayersMissing)) return ownFailure(error)
        const gone = await fetchMissing(error.layers, { fetched, fetchLayers })
        if (gone.length > 0) entries.push(...(await readOn(entries, gone)))
      }
    }
  }

  async function readOn(entries: readonly DecodedEntry[], gone: readonly LayerRef[]): Promise<DecodedEntry[]> {
    const { entries: more } = await streams.read(DESK_PARTITION, entries.at(-1)!.position, {
      limit: FAR_PAGE_ENTRIES,
      isBulk: true,
    })
    if (more.length === 0 || entries.length > DESK_ENTRIES_MAX) throw contentsMissing(gone, replica)
    return more.map(decodeEntry)
  }

  /** Redis has another history: back to where both are the same; what is taken back waits in the outbox to be offered. */
  async function rewind(partition: Partition, error: ScreeningError): Promise<void> {
    const { epochs, lastSequence } = error.details
    const { index, position } = partition
    const ours = replica.epochsOf(index)
    const keptUpTo = commonUpTo(position, ours, epochs as EpochStart[], Number(lastSequence))
    // Nothing in common: the record was written anew from somewhere, and offering everything again would undo what is newer.
    if (keptUpTo === 0 || keptUpTo < replica.rewindableTo(index)) throw error
    rewound += await takeBack(partition.index, keptUpTo)
    partition.position = replica.position(partition.index)
    partition.isNudged = true
    told(dependencies.onApplied)
  }

  /** A list that was replaced since comes into force again with its contents, which may have been dropped here meanwhile. */
  async function takeBack(index: number, keptUpTo: number): Promise<number> {
    if (index !== DESK_PARTITION) return replica.rewind(index, keptUpTo)
    const fetched = new Set<string>()
    for (;;) {
      try {
        return await replica.rewind(index, keptUpTo, { hasLayer: dependencies.hasLayer })
      } catch (error) {
        if (!(error instanceof LayersMissing)) throw error
        const gone = await fetchMissing(error.layers, { fetched, fetchLayers })
        if (gone.length > 0) throw contentsMissing(gone, replica, { isTakenBack: true })
      }
    }
  }

  async function work(partition: Partition, page: readonly FactEntry[] | undefined): Promise<void> {
    try {
      await advance(partition, page)
    } catch (error) {
      try {
        if (!(error instanceof ScreeningError && error.code === 'RECORD_DIVERGED')) throw error
        await rewind(partition, error)
      } catch (trouble) {
        const isOwn = trouble instanceof OwnFailure
        const state = isOwn ? 'stopped' : stateFor(trouble)
        enter(partition, state, isOwn ? trouble.cause : trouble)
        // The server that answers next may be another one.
        partition.touchAt = 0
        partition.retryAt = clock() + (state === 'away' ? 50 + 100 * random() : touchMs)
      }
    }
  }

  function enter(partition: Partition, state: RecordState, error: unknown): void {
    const isNew = partition.state !== state
    partition.state = state
    partition.error = error
    if (isNew && state !== 'following' && state !== 'catching-up')
      dependencies.onTrouble({ partition: partition.index, state, error })
    if (whenCaughtUp.length > 0 && partitions.every(({ freshMs }) => freshMs > 0)) {
      for (const done of whenCaughtUp) done()
      whenCaughtUp = []
    }
  }

  function start(partition: Partition, page?: readonly FactEntry[]): void {
    if (isClosed || partition.isHeld) return
    if (partition.busy !== undefined) {
      partition.isNudged = true
      return
    }
    if (partition.state !== 'following' && clock() < partition.retryAt) return
    partition.isNudged = false
    partition.busy = work(partition, page).finally(() => {
      partition.busy = undefined
      if (partition.isNudged) start(partition)
    })
  }

  /** One look at all partitions at once; those with news, with trouble, or due for a touch are worked on. */
  async function pollAll(): Promise<void> {
    const startedMs = now()
    const pages = await streams.readAll(
      // Who is at work on a partition reads it himself.
      partitions.map(({ position, busy }) => (busy === undefined ? position : undefined)),
      PAGE_ENTRIES,
    )
    for (const [index, page] of pages.entries()) {
      const partition = partitions[index]!
      if (partition.busy !== undefined) continue
      const isQuiet = Array.isArray(page) && page.length === 0
      if (isQuiet && partition.state === 'following' && clock() < partition.touchAt) partition.freshMs = startedMs
      // A page that was read before the position moved on is of no use.
      else start(partition, Array.isArray(page) && follows(partition.position, page) ? page : undefined)
    }
  }

  let polling: Promise<void> | undefined
  const poll = setInterval(() => {
    polling ??= pollAll()
      .catch((error: unknown) => dependencies.onTrouble({ partition: -1, state: 'stopped', error }))
      .finally(() => {
        polling = undefined
      })
  }, pollMs)

  return {
    nudge: (index) => start(partitions[index]!),
    awaitFact: (factId) => new Promise((resolve, reject) => waiting.set(factId, { resolve, reject })),
    forgetFact: (factId) => void waiting.delete(factId),
    stateOf: (index) => partitions[index]!,
    async look(index) {
      const partition = partitions[index]!
      await partition.busy
      partition.retryAt = 0
      partition.touchAt = 0
      start(partition)
      await partition.busy
      return partition.state
    },
    caughtUp: () =>
      new Promise((resolve) => {
        if (partitions.every(({ freshMs }) => freshMs > 0)) resolve()
        else whenCaughtUp.push(resolve)
      }),
    status: () => ({ ...statusOf(partitions), applied, rewound }),
    async holding(index, workWhileHeld) {
      const partition = partitions[index]!
      if (partition.isHeld) {
        throw new ScreeningError('UNAVAILABLE', `Partition ${index} is being accepted or restored already.`, {
          hint: 'Wait until that is done, then look at: zaslon record status',
        })
      }
      partition.isHeld = true
      try {
        await partition.busy
        return await workWhileHeld()
      } finally {
        partition.position = replica.position(index)
        partition.isHeld = false
        partition.retryAt = 0
        partition.touchAt = 0
      }
    },
    async close() {
      isClosed = true
      clearInterval(poll)
      await polling
      await Promise.all(partitions.map(({ busy }) => busy))
      for (const { reject } of waiting.values()) reject(new ScreeningError('UNAVAILABLE', 'The node stops.'))
    },
  }
}
