import { setTimeout as sleep } from 'node:timers/promises'
import { ScreeningError } from '../../domain/errors.ts'
import type { RecordState } from '../../domain/record-view.ts'
import { PARTITIONS } from '../fact.ts'
import { pushKeptLayers } from '../kept-layers.ts'
import type { Actor } from '../ports.ts'
import { type RecordViewOptions, recordView } from './record-view.ts'
import type { RedisRecordStore } from './redis-record-store.ts'
import { removeOtherRecord } from './remove-partition.ts'
import { acceptPartition, DISPUTED, type RepairDependencies, type RepairOptions } from './repair-record.ts'
import { restorePartition } from './restore-partition.ts'

export type RecordDeskOptions = RepairOptions & RecordViewOptions

const ALL = Array.from({ length: PARTITIONS }, (_, index) => index)
const RESTORED_AT_ONCE = 8
/** All facts of a partition are in memory until they take the place of what is here: one is read while another is written. */
const ACCEPTED_AT_ONCE = 2
/** `waiting`: it may need contents for what it takes back only, and none for what Redis has by now. */
const ACCEPTABLE: readonly RecordState[] = ['waiting', 'diverged', 'damaged']

/** A broken connection stands again in tens of milliseconds; somebody waits for the word that there is no Redis. */
const REACH_MS = 2_000
const REACH_PAUSE_MS = 200

/** How this node stands to the record, and the operator's words about it: services/record-desk.ts. */
export function createRecordDesk(
  options: RecordDeskOptions,
  dependencies: RepairDependencies & { readonly store: RedisRecordStore },
) {
  const { store } = dependencies
  const { follower } = store
  let deciding = false

  async function decide(
    actor: Actor,
    word: 'accept' | 'restore',
    states: readonly RecordState[],
    replace = false,
  ): Promise<void> {
    if (deciding) throw new ScreeningError('UNAVAILABLE', 'Another decision is being carried out.')
    deciding = true
    try {
      let found = await reached('nothing was changed')
      if (replace) {
        await removeOtherRecord(dependencies.link, options.recordId)
        found = await lookAtAll()
      }
      const disputed = ALL.filter((index) => states.includes(found[index]!))
      while (disputed.length > 0) {
        const some = disputed.splice(0, word === 'accept' ? ACCEPTED_AT_ONCE : RESTORED_AT_ONCE)
        // None of them may still be at work when this rejects and somebody says it again.
        const settled = await Promise.allSettled(some.map((partition) => settlePartition(partition, word, actor)))
        for (const one of settled) if (one.status === 'rejected') throw one.reason
      }
      await reached('it may be done in part')
      if (word === 'restore') await pushKeptLayers(dependencies)
      await store.appendAudit({ action: `record.${word}`, subject: options.recordId }, actor).catch(() => {})
    } finally {
      deciding = false
    }
  }

  function lookAtAll(): Promise<RecordState[]> {
    return Promise.all(ALL.map((partition) => follower.look(partition)))
  }

  /** What the partitions are. Rejects when Redis cannot be asked about any of them: nothing can be decided then. */
  async function reached(soFar: string): Promise<RecordState[]> {
    for (const giveUpMs = performance.now() + REACH_MS; ; await sleep(REACH_PAUSE_MS)) {
      const found = await lookAtAll()
      if (found.some((state) => state !== 'away')) return found
      if (performance.now() < giveUpMs) continue
      const { error } = follower.stateOf(0)
      if (error instanceof ScreeningError && error.code !== 'UNAVAILABLE') throw error
      const hint = 'Bring Redis or the network to it back, then say it again. What the node sees: zaslon record status'
      const details = { hint, retryAfterSeconds: 5 }
      throw new ScreeningError('UNAVAILABLE', `Redis cannot be reached: ${soFar}.`, details, { cause: error })
    }
  }

  function settlePartition(partition: number, word: 'accept' | 'restore', actor: Actor): Promise<void> {
    return follower.holding(partition, () =>
      word === 'accept'
        ? acceptPartition(partition, dependencies)
        : restorePartition(partition, actor, options, dependencies),
    )
  }

  return {
    view: () => recordView(store.recordStatus(), options),
    accept: (actor: Actor) => decide(actor, 'accept', ACCEPTABLE),
    restore: (actor: Actor, { replace = false }: { replace?: boolean } = {}) =>
      decide(actor, 'restore', DISPUTED, replace),
  }
}
