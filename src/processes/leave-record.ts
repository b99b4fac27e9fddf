import { randomBytes } from 'node:crypto'
import { ScreeningError } from '../domain/errors.ts'
import type { RecordProblem, RecordState } from '../domain/record-view.ts'
import { keepPseudonymKey } from '../stores/data-directory.ts'
import { keptLayers } from '../stores/kept-layers.ts'
import type { Replica } from '../stores/lmdb/replica.ts'
import type { TakenFacts } from '../stores/lmdb/take-outbox.ts'
import { connectRedis } from '../stores/redis/connect-redis.ts'
import { createFactStreams } from '../stores/redis/fact-streams-redis.ts'
import type { RecordTrouble } from '../stores/redis/record-follower.ts'
import { createRedisRecordStore } from '../stores/redis/redis-record-store.ts'
import { assertSameKey, pseudonymCheckOf } from './find-record.ts'
import { type MigrateOptions, openStore, PATIENCE_MS, type Place, using } from './migrate-directory.ts'
import { hasContents, layersThrough, type MigrateProgress } from './migrate-layers.ts'

const CATCH_UP_MS = 600_000
const LATE_HINT = 'Look at zaslon record status of another node; or go on with what is here: --offline'
/** Of a node whose record is in a state that does not pass by itself. */
const NEXT_STEPS: Readonly<Partial<Record<RecordState, string>>> = {
  lost: 'Correct ZASLON_REDIS_URL when it names another Redis; else start a node and say zaslon record restore there',
  diverged: 'Start the node and decide: zaslon record accept, or zaslon record restore',
  damaged: 'Start a node that has everything and say zaslon record restore there',
  newer: 'Say it with the newer version',
  stopped: "Look at this node's disk",
}

/**
 * Takes in what Redis has and makes the directory a record of its own. Redis stays as it is. Rejects with UNAVAILABLE when
 * Redis cannot be reached, unless `isOffline`: then what the directory has is the record. Resolves with what became of the
 * facts that waited in the outbox still.
 */
export async function migrateToEmbedded(
  options: MigrateOptions & { readonly isOffline: boolean },
  onProgress: MigrateProgress,
): Promise<TakenFacts> {
  const { config, directory, pseudonymKey, isOffline } = options
  return using(directory, { mayBeOwn: false }, async ({ replica, contents }) => {
    const binding = replica.binding()
    if (binding === undefined) throw notJoined()
    assertSameKey(binding, pseudonymCheckOf(pseudonymKey))
    if (!isOffline) {
      const { link } = await connectRedis(config.redis)
      try {
        await takeIn({ ...options, link, recordId: binding.recordId, replica, contents }, onProgress)
      } finally {
        link.close()
      }
    }
    // First: with another key every reporter would count once more.
    keepPseudonymKey(directory, pseudonymKey)
    const layerIdMax = Math.max(0, ...contents.layerIds(), ...replica.layersInUse())
    return replica.unbind({ layerIdMax, hasLayer: (layer) => hasContents(contents, layer) })
  })
}

async function takeIn(from: Place, onProgress: MigrateProgress): Promise<void> {
  const { config, directory, link, recordId, replica, contents } = from
  const streams = createFactStreams(link, recordId)
  const layerStore = openStore(config, link, recordId)
  const layers = layersThrough(layerStore, { contents, directory, allocate: streams.allocateLayer, onProgress })
  const hopeless = watchTrouble()
  const store = createRedisRecordStore(
    { recordId, outboxMax: config.redis.outboxMax },
    {
      replica: { ...replica, close: async () => {} },
      streams,
      layers,
      publish: streams.publishReputation,
      newFactId: () => randomBytes(16).toString('hex'),
      now: Date.now,
      random: Math.random,
      onApplied: () => onProgress('facts', 0.5),
      onTrouble: hopeless.onTrouble,
      onRefused: () => {},
      onFault: () => {},
    },
  )
  try {
    const problem = () => store.recordStatus().problem
    await Promise.race([hopeless.trouble, inTime(store.follower.caughtUp(), problem)])
    await Promise.race([hopeless.trouble, outboxTaken(replica, problem)])
    const missing = keptLayers(replica).filter((layer) => !layers.has(layer))
    await layers.fetch(missing)
  } finally {
    await store.close()
    await layerStore.close()
  }
}

/** What does not pass by itself: `trouble` rejects with the first of it. */
function watchTrouble() {
  let reject: (error: unknown) => void = () => {}
  const trouble = new Promise<never>((_resolve, rejectIt) => {
    reject = rejectIt
  })
  // It may come when nobody waits any more.
  trouble.catch(() => {})
  const onTrouble = ({ partition, state, error }: RecordTrouble) => {
    const step = NEXT_STEPS[state]
    if (step !== undefined) reject(hopelessNow({ partition, state, error }, step))
  }
  return { trouble, onTrouble }
}

async function outboxTaken(
  { outbox }: Pick<Replica, 'outbox'>,
  problem: () => RecordProblem | undefined,
): Promise<void> {
  for (const giveUpMs = performance.now() + PATIENCE_MS; outbox.size > 0; await pause(100)) {
    if (performance.now() > giveUpMs) throw notTaken(outbox.size, problem())
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

async function inTime(work: Promise<void>, problem: () => RecordProblem | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(notRead(problem())), CATCH_UP_MS)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

function notJoined(): ScreeningError {
  return new ScreeningError('CONFIG_INVALID', 'The data directory is its own record already: there is nothing to do.')
}

function hopelessNow({ partition, state, error }: RecordTrouble, step: string): unknown {
  if (!(error instanceof ScreeningError)) return error
  const message = `Partition ${partition} of the record is ${state}: ${error.message}`
  const first = typeof error.details.hint === 'string' ? error.details.hint.replace(/\.$/, '') : step
  const hint = `${first}; or go on with what is here: zaslon migrate to-embedded --offline`
  return new ScreeningError(error.code, message, { ...error.details, hint }, { cause: error })
}

function notRead(problem: RecordProblem | undefined): ScreeningError {
  const message = `Redis was not read to its end in ${CATCH_UP_MS / 1_000} s.${because(problem)}`
  return new ScreeningError('UNAVAILABLE', message, { hint: LATE_HINT })
}

function notTaken(facts: number, problem: RecordProblem | undefined): ScreeningError {
  const message = `Redis did not take ${facts} reports that wait on this node's disk.${because(problem)}`
  return new ScreeningError('UNAVAILABLE', message, { hint: LATE_HINT })
}

function because(problem: RecordProblem | undefined): string {
  return problem === undefined ? '' : ` ${problem.detail}`
}
