import { randomBytes } from 'node:crypto'
import { ScreeningError } from '../../domain/errors.ts'
import { PARTITIONS } from '../fact.ts'
import { callFunction, textAt } from './call-function.ts'
import type { Position } from './fact-streams.ts'
import { idsSeconds, partitionKeys, RECORD_KEY } from './keys.ts'
import type { RedisLink } from './redis-link.ts'

export type OpenRecordOptions = {
  /** The record this node was joined to before; 32 hexadecimal digits. */
  readonly known?: string
  /** Derived from the pseudonym key: the same on all nodes of a record. */
  readonly pseudonymCheck: string
  readonly mayCreate: boolean
}

/**
 * Which record is in this Redis; makes one when there is none, nothing is `known` and the node may. Nodes that start at
 * once agree: the first names it, everybody completes what the first began. Rejects with RECORD_LOST, RECORD_FOREIGN,
 * CONFIG_INVALID (another pseudonym key), UNAVAILABLE.
 */
export async function openRecord(
  link: RedisLink,
  { known, pseudonymCheck, mayCreate }: OpenRecordOptions,
): Promise<{ recordId: string; isNew: boolean }> {
  const isFirst = known === undefined && mayCreate
  const proposed = known ?? randomBytes(16).toString('hex')
  const claimed = await claim(link, { recordId: proposed, pseudonymCheck, mayClaim: isFirst })
  const { recordId, state, isNew } = claimed
  if (known !== undefined && recordId !== known) throw foreignRecord(recordId, known)
  if (state === 'migrating' && known === undefined) throw stillMigrating(link)
  assertPseudonyms(link, claimed, pseudonymCheck)
  if (state === 'creating') await complete(link, recordId, PARTITION_NUMBERS)
  // A directory is joined when everything is there: only the last word was missing.
  if (state === 'migrating') await complete(link, recordId, [])
  return { recordId, isNew }
}

/**
 * For an operator's restore: makes a partition that is not there, and the record's own key when that is missing too. It
 * holds one entry, the marker of its birth, in an epoch above `epochBefore`, which must be no less than any the partition
 * had: then it shares nothing with what was there. Until it is said to be restored, only who has `token` can use it.
 * Undefined: it was there already. Rejects with RECORD_FOREIGN when Redis holds another record.
 */
export async function recreatePartition(
  link: RedisLink,
  options: {
    readonly recordId: string
    readonly pseudonymCheck: string
    readonly partition: number
    readonly epochBefore: number
    readonly token: string
    /** False: rejects with RECORD_LOST when the record's own key is missing. */
    readonly mayClaim?: boolean
  },
): Promise<Position | undefined> {
  const { recordId, pseudonymCheck, partition, mayClaim = true } = options
  const claimed = await claim(link, { recordId, pseudonymCheck, mayClaim })
  if (claimed.recordId !== recordId) throw foreignRecord(claimed.recordId, recordId)
  assertPseudonyms(link, claimed, pseudonymCheck)
  // Before there is anything in it: a node that starts now would complete it with empty partitions.
  if (claimed.state === 'creating') await complete(link, recordId, [])
  return await create(link, recordId, partition, options)
}

const PARTITION_NUMBERS = Array.from({ length: PARTITIONS }, (_, partition) => partition)

/** A look first: it is answered by a Redis that takes no writes too. */
async function claim(link: RedisLink, wanted: { recordId: string; pseudonymCheck: string; mayClaim: boolean }) {
  const doing = 'opening the record'
  const find = () => callFunction(link, 'find', doing, { keys: [RECORD_KEY], args: [] })
  const reply = await find().catch((error: unknown) => {
    const isThere = !(error instanceof ScreeningError && error.code === 'RECORD_LOST')
    if (isThere || !wanted.mayClaim) throw error
    return callFunction(link, 'claim', doing, {
      keys: [RECORD_KEY],
      args: [wanted.recordId, wanted.pseudonymCheck, 'creating'],
    })
  })
  const isNew = Array.isArray(reply) && reply[3] === 1
  return { recordId: textAt(reply, 0), state: textAt(reply, 1), pseudonymCheck: textAt(reply, 2), isNew }
}

/** The key of another record says nothing: that it is another one is what matters, so this is asked after that. */
function assertPseudonyms(link: RedisLink, found: { pseudonymCheck: string }, own: string): void {
  if (found.pseudonymCheck === own) return
  const message = `The record in Redis (${link.shown}) was made with another pseudonym key than this node has.`
  throw otherPseudonymKey(message, `${KEY_HINT} Or ZASLON_REDIS_URL names another Redis: then correct that.`)
}

const KEY_HINT = 'Give all nodes the same key file: ZASLON_PSEUDONYM_KEY_FILE.'

/** CONFIG_INVALID: reports of this node would have other pseudonyms than those of the others. */
export function otherPseudonymKey(message: string, hint = KEY_HINT): ScreeningError {
  return new ScreeningError('CONFIG_INVALID', message, { pseudonymKey: 'another', hint })
}

/** Whether this node does not belong to the record that is there: nothing that passes. */
export function isForeignRecord(error: unknown): boolean {
  if (!(error instanceof ScreeningError)) return false
  return error.code === 'RECORD_FOREIGN' || error.details.pseudonymKey === 'another'
}

async function complete(link: RedisLink, recordId: string, partitions: readonly number[]): Promise<void> {
  for (const partition of partitions) await create(link, recordId, partition, { epochBefore: 0, token: '' })
  await callFunction(link, 'ready', 'completing the record', { keys: [RECORD_KEY], args: [recordId] })
}

async function create(
  link: RedisLink,
  recordId: string,
  partition: number,
  { epochBefore, token }: { readonly epochBefore: number; readonly token: string },
): Promise<Position | undefined> {
  const { head, facts, epochs, segments, ids } = partitionKeys(recordId, partition)
  const reply = await callFunction(link, 'create', `creating partition ${partition}`, {
    keys: [head, facts, epochs, segments, ids],
    args: [String(epochBefore), String(idsSeconds(partition)), token],
  })
  const epoch = Number(reply)
  return epoch === 0 ? undefined : { epoch, sequence: 1 }
}

function stillMigrating({ shown }: RedisLink): ScreeningError {
  return new ScreeningError('UNAVAILABLE', `A record is being moved into Redis (${shown}).`, {
    hint: 'Start this node when that has ended. Was it interrupted, say it again on the same node: zaslon migrate to-redis',
  })
}

/** Redis holds another record than the one this node belongs to. */
export function foreignRecord(found: string, known: string): ScreeningError {
  const message = `Redis holds the record ${found}, this node belongs to the record ${known}.`
  const hint =
    'Correct ZASLON_REDIS_URL, or use another data directory. When Redis was emptied and a new node began a record there: ' +
    'zaslon record restore --replace-record on a node that runs, zaslon migrate to-redis --replace-record on one that is stopped'
  return new ScreeningError('RECORD_FOREIGN', message, { found, known, hint })
}
