import { ScreeningError } from '../../domain/errors.ts'
import { allocateLayer } from './allocate-layer.ts'
import { callFunction, numberAt, textAt, withLibrary } from './call-function.ts'
import type { FactStreams, PartitionHead, Position } from './fact-streams.ts'
import { functionName } from './functions.ts'
import { idsSeconds, partitionKeys, RECORD_KEY } from './keys.ts'
import { foreignRecord } from './open-record.ts'
import { publishReputation, type ReputationPublication } from './publish-reputation.ts'
import { createReadAll } from './read-all-facts.ts'
import { readFacts } from './read-facts.ts'
import { unavailable } from './redis-errors.ts'
import type { RedisLink } from './redis-link.ts'
import { sealFacts } from './seal-facts.ts'

/** The record in Redis, of one record id. Safe to share; every call settles within a quarter of a second. */
export type RedisRecord = FactStreams & {
  /** Packs the oldest half of a long stream into a segment. False: not long enough, or another node was faster. */
  seal(partition: number): Promise<boolean>
  /** Writes what a number's reports amount to, unless a newer one is there (false). */
  publishReputation(partition: number, number: number, publication: ReputationPublication): Promise<boolean>
  /** A layer id nobody had before and greater than `known`. */
  allocateLayer(known: number): Promise<number>
}

/** Replication on a local network takes below a millisecond; the rest of the call's time is left for the answer. */
const WAIT_MS = 100
const NOT_KNOWN = 'Whether the change was made is not known yet.'

export function createFactStreams(link: RedisLink, recordId: string): RedisRecord {
  return {
    append: (partition, factId, payload, token = '') => append(link, recordId, { partition, factId, payload, token }),
    read: (partition, after, how) => readFacts(link, recordId, { partition, after, ...how }),
    touch: (partition) => touch(link, recordId, partition),
    readAll: createReadAll(link, recordId),
    seal: (partition) => sealFacts(link, recordId, partition),
    publishReputation: (partition, number, publication) =>
      publishReputation(link, recordId, partition, number, publication),
    allocateLayer: (known) => allocateLayer(link, recordId, known),
  }
}

/** Where the partition is gone because Redis holds another record by now, it says that: RECORD_FOREIGN. */
async function touch(link: RedisLink, recordId: string, partition: number): Promise<PartitionHead> {
  const { head, facts, epochs } = partitionKeys(recordId, partition)
  const doing = `a look at partition ${partition}`
  try {
    const reply = await callFunction(link, 'touch', doing, { keys: [head, facts, epochs], args: [] })
    return { epoch: numberAt(reply, 0), sequence: numberAt(reply, 1), oldest: numberAt(reply, 2) }
  } catch (error) {
    if (!(error instanceof ScreeningError && error.code === 'RECORD_LOST')) throw error
    const found = await link.call(doing, () => link.client.hget(RECORD_KEY, 'recordId')).catch(() => null)
    throw found === null || found === recordId ? error : foreignRecord(found, recordId)
  }
}

async function append(
  link: RedisLink,
  recordId: string,
  fact: { partition: number; factId: string; payload: Buffer; token: string },
): Promise<{ position: Position; isNew: boolean }> {
  const { partition, factId, payload, token } = fact
  const { head, facts, epochs, ids } = partitionKeys(recordId, partition)
  const seconds = idsSeconds(partition)
  const doing = `an append to partition ${partition}`
  const keys = [head, facts, epochs, ids]
  const args = [factId, payload, String(seconds), token]
  const exchange =
    link.ackReplicas === 0
      ? callFunction(link, 'append', doing, { keys, args })
      : link.call(doing, () => withLibrary(link.writer, () => appendAndWait(link, keys, args)))
  const reply = await exchange.catch((error: unknown) => {
    throw sayingWhetherKnown(error)
  })
  const position = { epoch: numberAt(reply, 0), sequence: numberAt(reply, 1) }
  return { position, isNew: textAt(reply, 2) === '1' }
}

/** Who refuses has appended nothing, and who is not connected neither; of a connection that broke or fell silent nobody knows. */
function sayingWhetherKnown(error: unknown): unknown {
  const isAway = error instanceof ScreeningError && error.code === 'UNAVAILABLE'
  if (!isAway || !(error.cause instanceof Error) || error.cause.name === 'ReplyError') return error
  return new ScreeningError('UNAVAILABLE', `${error.message} ${NOT_KNOWN}`, error.details, { cause: error.cause })
}

/** A pipeline with one key goes to one connection whole, so WAIT is about the append before it. */
async function appendAndWait(link: RedisLink, keys: readonly string[], args: readonly (string | Buffer)[]) {
  const pipeline = link.writer.pipeline()
  pipeline.callBuffer('fcall', functionName('append'), keys.length, ...keys, ...args)
  pipeline.wait(link.ackReplicas, WAIT_MS)
  const [appended, waited] = (await pipeline.exec()) ?? []
  const failure = appended?.[0] ?? waited?.[0]
  if (failure) throw failure
  const acknowledged = Number(waited?.[1])
  if (acknowledged >= link.ackReplicas) return appended?.[1]
  const reason = `${acknowledged} of ${link.ackReplicas} replicas acknowledged it within ${WAIT_MS} ms. ${NOT_KNOWN}`
  throw unavailable('an append', reason)
}
