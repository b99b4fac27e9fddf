/**
 * The write path of a node whose record is in Redis: append the fact to its partition's stream, read it back with
 * everything before it, apply it, and say what it did. So an acknowledged fact is in Redis and on this node's disk.
 *
 * Nothing waits for a Redis that does not answer: a report goes to the outbox and is acknowledged as queued, another
 * write is refused with UNAVAILABLE. While a partition is known to be in trouble that happens at once.
 */
import { ScreeningError } from '../../domain/errors.ts'
import { DESK_PARTITION, type Fact, type FactKind, type FactResults, partitionOf } from '../fact.ts'
import { encodeFact } from '../fact-codec.ts'
import type { Outbox, OutboxFact } from '../lmdb/outbox.ts'
import type { FactStreams, Position } from './fact-streams.ts'
import type { RecordFollower } from './record-follower.ts'

export type FactWriterOptions = {
  /** Facts that may wait for Redis; more are refused with QUEUE_FULL. */
  readonly outboxMax: number
  /** The longest that a write waits for Redis. */
  readonly deadlineMs?: number
}

export type FactWriterDependencies = {
  readonly streams: Pick<FactStreams, 'append'>
  readonly follower: Pick<RecordFollower, 'nudge' | 'look' | 'awaitFact' | 'forgetFact' | 'stateOf'>
  readonly outbox: Outbox
  /** Of the last fact of a partition that is applied here. */
  readonly position: (partition: number) => Position
  readonly newFactId: () => string
  /** Whether a fact of the outbox may be offered now; asked in their order. Those behind one that may not are asked about too. */
  readonly mayOffer: (fact: OutboxFact) => boolean
}

export type FactWriter = {
  /** Resolves with `queued` when a report waits in the outbox. */
  write(fact: Fact): Promise<FactResults[FactKind] | 'queued'>
  /** Offers what waits in the outbox to partitions that answer; one round at a time. */
  drain(): Promise<void>
}

/** Above a healthy write (a few ms) by far, and what a client of ours that waits 500 ms can live with. */
const WRITE_DEADLINE_MS = 175
/**
 * Nodes that wait for contents that are gone for good get out of it when another version of that list comes into force: they
 * look for the contents once more, and read on to it.
 */
const WAY_OUT_DEADLINE_MS = 5_000
/** Of one partition in one round. */
const DRAIN_PAGE = 64

/** The fact may not be part of the record, for a reason that passes or that somebody mends. */
class NotRecorded extends Error {
  override readonly cause: ScreeningError

  constructor(cause: ScreeningError) {
    super(cause.message)
    this.cause = cause
  }
}

export function createFactWriter(options: FactWriterOptions, dependencies: FactWriterDependencies): FactWriter {
  const { streams, follower, outbox } = dependencies
  const { outboxMax, deadlineMs = WRITE_DEADLINE_MS } = options
  let draining: Promise<void> | undefined

  async function record(fact: Fact, { partition, factId, payload }: OutboxFact): Promise<FactResults[FactKind]> {
    const { state, error } = follower.stateOf(partition)
    const isWayOut = state === 'waiting' && endsWaiting(fact)
    if (state !== 'following' && !isWayOut) throw new NotRecorded(notNow(error))
    const applied = follower.awaitFact(factId)
    const deadline = rejectAfter(isWayOut ? Math.max(deadlineMs, WAY_OUT_DEADLINE_MS) : deadlineMs)
    try {
      const appended = streams.append(partition, factId, payload).then(
        () => void (isWayOut ? follower.look(partition) : follower.nudge(partition)),
        (error: unknown) => {
          throw error instanceof ScreeningError ? new NotRecorded(error) : error
        },
      )
      // The append's own answer is waited for too: it may be that of replicas.
      const done = await Promise.race([Promise.all([applied, appended]).then(([result]) => result), deadline.promise])
      return done as FactResults[FactKind]
    } finally {
      deadline.clear()
      follower.forgetFact(factId)
      // Whichever lost the race may fail later: the one that won has answered already.
      applied.catch(() => {})
    }
  }

  /**
   * The desk also when it waits for contents or is damaged: a list version that was taken back may have contents that
   * have long been dropped, and only what follows in the outbox puts another one in force.
   */
  function takesOffers(partition: number): boolean {
    const { state } = follower.stateOf(partition)
    return state === 'following' || ((state === 'waiting' || state === 'damaged') && partition === DESK_PARTITION)
  }

  /** Each partition by itself: one that is in trouble holds up no other. */
  async function drainOnce(): Promise<void> {
    await Promise.all(outbox.partitions().map(drainPartition))
  }

  async function drainPartition(partition: number): Promise<void> {
    if (!takesOffers(partition)) return
    for (const fact of outbox.page(partition, DRAIN_PAGE)) {
      const { factId, payload } = fact
      if (!dependencies.mayOffer(fact)) continue
      try {
        const { position } = await streams.append(partition, factId, payload)
        follower.nudge(partition)
        // Otherwise it leaves when it is applied.
        if (position.sequence <= dependencies.position(partition).sequence) await outbox.drop(factId)
      } catch {
        return
      }
    }
  }

  return {
    async write(fact) {
      const partition = partitionOf(fact)
      const factId = dependencies.newFactId()
      const payload = encodeFact(fact)
      try {
        return await record(fact, { partition, factId, payload })
      } catch (error) {
        if (!(error instanceof NotRecorded)) throw error
        if (fact.kind !== 'report') throw error.cause
        await outbox.put({ factId, payload, partition }, outboxMax)
        return 'queued'
      }
    },
    drain() {
      draining ??= drainOnce().finally(() => {
        draining = undefined
      })
      return draining
    },
  }
}

/** Whatever is in force by now, which a node that waits does not know: who expects a certain version would be refused. */
function endsWaiting(fact: Fact): boolean {
  return fact.kind === 'list-activate' && fact.expectedMark === undefined
}

/** Why a partition that is not followed takes no write now. */
export function notNow(error: unknown): ScreeningError {
  if (error instanceof ScreeningError && error.code !== 'UNAVAILABLE') return error
  const why = error === undefined ? 'This node does not follow the record yet' : 'Redis cannot be reached'
  return unreachable(`${why}: nothing was changed.`)
}

function unreachable(message: string): ScreeningError {
  return new ScreeningError('UNAVAILABLE', message, {
    hint: 'Verdicts go on from what this node has. Send the request again in some seconds.',
    retryAfterSeconds: 2,
  })
}

function rejectAfter(ms: number): { promise: Promise<never>; clear(): void } {
  let timer: NodeJS.Timeout | undefined
  const promise = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () =>
        reject(
          new NotRecorded(
            unreachable(`Redis did not answer within ${ms} ms: whether the change was made is not known yet.`),
          ),
        ),
      ms,
    )
  })
  promise.catch(() => {})
  return { promise, clear: () => clearTimeout(timer) }
}
