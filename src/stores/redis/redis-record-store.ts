/**
 * The record store of a node that shares its record through Redis: reads come from this node's replica, writes become
 * facts in Redis that every node applies.
 */
import { ScreeningError } from '../../domain/errors.ts'
import type { PhoneNumber } from '../../domain/phone-number.ts'
import type { RecordState } from '../../domain/record-view.ts'
import { describeReputation } from '../../domain/reputation.ts'
import { DESK_PARTITION, type Fact, type FactBody, partitionOfNumber } from '../fact.ts'
import { factWrites, type WriteFact } from '../fact-writes.ts'
import { layerOfPlan } from '../kept-layers.ts'
import type { Replica } from '../lmdb/replica.ts'
import {
  ACTOR_CHARS_MAX,
  type Actor,
  type AppendReportResult,
  type LayerId,
  type LayerRef,
  type RecordStore,
} from '../ports.ts'
import { assertSameReport, joinReview, type ReviewRequest } from '../record-rules.ts'
import { bringVersion } from './bring-version.ts'
import type { FactStreams } from './fact-streams.ts'
import { createRecordFollower } from './follow-record.ts'
import { createLayerOffers } from './offer-layers.ts'
import type { FollowerStatus } from './partition-state.ts'
import type { ReputationPublication } from './publish-reputation.ts'
import type { FollowerOptions, RecordFollower, RecordTrouble, RefusedFact } from './record-follower.ts'
import { tendLayers } from './tend-layers.ts'
import { createFactWriter, type FactWriterOptions, notNow } from './write-fact.ts'

export type RedisRecordStore = RecordStore & {
  readonly follower: RecordFollower
  recordStatus(): RecordStatus
}

export type RecordStatus = FollowerStatus & {
  readonly recordId: string
  /** Reports (and facts taken back) that wait on this node's disk for Redis. */
  readonly outbox: { readonly facts: number; readonly oldestMs: number | undefined }
}

/** List contents that nodes hand each other through Redis. */
export type LayerTraffic = {
  /** An id that no node has given out before; `known` is the greatest this node has seen. */
  allocate(known: LayerId): Promise<LayerId>
  /** Resolves when Redis has the contents, all of them. Cheap when it has. */
  push(layers: readonly LayerRef[]): Promise<void>
  /** Resolves with those that Redis does not have. */
  fetch(layers: readonly LayerRef[]): Promise<readonly LayerRef[]>
  /** Names (layerName) of layers that another node looked for in vain a moment ago. */
  wanted(): Promise<ReadonlySet<string>>
  has(layer: LayerRef): boolean
  /** The greatest layer id that is in use or reserved here. */
  newest(): LayerId
}

export type RedisRecordStoreOptions = FollowerOptions &
  FactWriterOptions & {
    readonly recordId: string
    /** How long a change of single entries waits until Redis has its contents. */
    readonly pushDeadlineMs?: number
  }

export type RedisRecordStoreDependencies = {
  readonly replica: Replica
  readonly streams: FactStreams
  readonly layers: LayerTraffic
  /** Shows what a number's reports amount to to whoever reads Redis. */
  readonly publish: (partition: number, number: number, publication: ReputationPublication) => Promise<unknown>
  readonly newFactId: () => string
  readonly now: () => number
  readonly random: () => number
  /** The change log has grown without a write of this node. */
  readonly onApplied: () => void
  readonly onTrouble: (trouble: RecordTrouble) => void
  readonly onRefused: (refused: RefusedFact) => void
  /** Contents could not be brought to Redis; tried again. */
  readonly onFault: (error: unknown) => void
}

/** Of distinct reporters; the score does not depend on it. */
const REPORTERS_WINDOW_DAYS = 10
/** Within the 30 s of a request, behind a wait for the list. */
const PUSH_DEADLINE_MS = 10_000
/** What waits is offered this often; each round takes what it can. */
const DRAIN_EVERY_MS = 100
/**
 * An id is up to so much above the last one: when a failover loses the counter's newest step, two nodes that then count on
 * from the same number hardly ever get the same id, and if they do the second is refused (list-rules.ts). 32 ids a layer
 * are gone on the average: 130 million layers, one a second for four years.
 */
const LAYER_ID_JUMP = 64

export function createRedisRecordStore(
  options: RedisRecordStoreOptions,
  dependencies: RedisRecordStoreDependencies,
): RedisRecordStore {
  const { replica, streams, layers, now } = dependencies
  const follower = createRecordFollower(options, {
    ...dependencies,
    fetchLayers: layers.fetch,
    hasLayer: layers.has,
  })
  const writer = createFactWriter(options, {
    streams,
    follower,
    outbox: replica.outbox,
    position: replica.position,
    newFactId: dependencies.newFactId,
    mayOffer: createLayerOffers({ outbox: replica.outbox, layers, onFault: dependencies.onFault }),
  })
  const stopTending = tendLayers({ replica, layers, follower, onFault: dependencies.onFault })
  const drain = setInterval(() => {
    if (replica.outbox.size > 0) writer.drain().catch(dependencies.onFault)
  }, DRAIN_EVERY_MS)

  async function write(body: FactBody, actor: Actor): Promise<unknown> {
    if (actor.length === 0 || actor.length > ACTOR_CHARS_MAX) {
      throw new RangeError(`An actor has 1 to ${ACTOR_CHARS_MAX} characters, got ${actor.length}.`)
    }
    const fact: Fact = { ...body, actor, atMs: now() }
    const result = await writer.write(fact)
    if (result !== 'queued') return result
    const { report } = fact as Extract<Fact, { kind: 'report' }>
    return { outcome: 'queued', sequence: replica.lastSequence(), report } satisfies AppendReportResult
  }
  const writes = factWrites(write as WriteFact, replica)

  /** Whoever is about to move contents is told before, not after having tried for long. */
  function assertDesk(states: readonly RecordState[] = ['following']): void {
    const { state, error } = follower.stateOf(DESK_PARTITION)
    if (!states.includes(state)) throw notNow(error)
  }

  /** Nobody waits for it, and the next report of the number makes up for one that fails. */
  function publish(number: PhoneNumber): void {
    const partition = partitionOfNumber(number)
    const position = replica.position(partition)
    const record = replica.reputationOf(number)
    if (record === undefined) return
    const { reports, score } = describeReputation(record, now(), REPORTERS_WINDOW_DAYS)
    const bytes = new Uint8Array(record.buffer, record.byteOffset, record.byteLength)
    dependencies.publish(partition, number, { position, reports, score, record: bytes }).catch(() => {})
  }

  return {
    ...replica,
    ...writes,
    follower,
    recordStatus: () => ({
      ...follower.status(),
      recordId: options.recordId,
      outbox: { facts: replica.outbox.size, oldestMs: replica.outbox.oldestMs },
    }),
    async appendReport(report, actor) {
      const known = replica.report(report.reportId)
      // Another report with this id is refused here; of two at the same moment the fact itself refuses one.
      const waiting = known ?? replica.outbox.report(report.reportId)
      if (waiting !== undefined) assertSameReport(waiting, report)
      if (waiting !== undefined && known === undefined) {
        return { outcome: 'queued', sequence: replica.lastSequence(), report: waiting }
      }
      const result = await writes.appendReport(report, actor)
      if (result.outcome === 'recorded') publish(report.number)
      return result
    },
    async openReview(request, actor) {
      const open = unchangedReview(replica, request)
      return open === undefined ? writes.openReview(request, actor) : { review: open, opened: false }
    },
    async stageVersion(name, version, actor) {
      if (replica.list(name) === undefined) return writes.stageVersion(name, version, actor)
      assertDesk()
      const pushed = layers.push(version.layers)
      // Somebody waits for single entries, and nobody for an import.
      await (version.importId === undefined ? soon(pushed, options.pushDeadlineMs) : pushed)
      return writes.stageVersion(name, version, actor)
    },
    async activateVersion(name, version, options, actor) {
      assertDesk(options.expectedActive === undefined ? ['following', 'waiting'] : ['following'])
      await bringVersion(name, version, { reads: replica, layers })
      return writes.activateVersion(name, version, options, actor)
    },
    async putNumberingPlan(plan, actor) {
      assertDesk()
      await layers.push([layerOfPlan(plan)])
      return writes.putNumberingPlan(plan, actor)
    },
    async allocateLayer() {
      assertDesk()
      return layers.allocate(layers.newest() + Math.floor(dependencies.random() * LAYER_ID_JUMP))
    },
    async close() {
      clearInterval(drain)
      stopTending()
      await follower.close()
      await writer.drain()
      await replica.close()
    },
  }
}

/** What takes longer goes on, so that the next try finds it done. */
async function soon(pushed: Promise<void>, deadlineMs = PUSH_DEADLINE_MS): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(tooSlow(deadlineMs)), deadlineMs)
  })
  await Promise.race([pushed, late]).finally(() => clearTimeout(timer))
}

function tooSlow(deadlineMs: number): ScreeningError {
  const message = `Redis has not taken the contents of the list within ${deadlineMs / 1_000} s: nothing was changed.`
  return new ScreeningError('UNAVAILABLE', message, {
    hint: 'Send it again in some seconds: what is under way goes on. When it lasts, look at Redis with: zaslon doctor',
    retryAfterSeconds: 5,
  })
}

/** Many calls want a review of the same number: one that changes nothing is no fact. */
function unchangedReview(replica: Pick<Replica, 'reviewOf'>, request: ReviewRequest) {
  const newest = replica.reviewOf(request.number)
  return newest?.state === 'open' && joinReview(newest, request) === newest ? newest : undefined
}
