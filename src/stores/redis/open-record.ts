import { randomBytes } from 'node:crypto'
import { ScreeningError } from '../../domain/errors.ts'
import { PARTITIONS } from '../fact.ts'
import { callFunction, textAt } from './call-function.ts'
import { partitionKeys, RECORD_KEY } from './keys.ts'
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
  const { recordId, state, isNew } = await claim(link, { recordId: proposed, pseudonymCheck, mayClaim: isFirst })
  if (known !== undefined && recordId !== known) throw foreign(recordId, known)
  if (state === 'creating') await complete(link, recordId, PARTITION_NUMBERS, 0)
  return { recordId, isNew }
}

/**
 * For an operator's restore: makes the missing heads among `partitions`, and the record's own key when that is missing
 * too. Heads that are there stay as they are; a head that is missing while other keys of its partition are there is
 * RECORD_DAMAGED. Every new partition holds one entry, the marker of its birth at sequence 1, in an epoch of at least
 * `epochAtLeast`, which must be greater than any this record had: then it shares nothing with what was there before.
 */
export async function recreateRecord(
  link: RedisLink,
  options: {
    readonly recordId: string
    readonly pseudonymCheck: string
    readonly partitions: readonly number[]
    readonly epochAtLeast: number
  },
): Promise<void> {
  const { recordId, pseudonymCheck, partitions, epochAtLeast } = options
  const claimed = await claim(link, { recordId, pseudonymCheck, mayClaim: true })
  if (claimed.recordId !== recordId) throw foreign(claimed.recordId, recordId)
  await complete(link, recordId, partitions, epochAtLeast)
}

const PARTITION_NUMBERS = Array.from({ length: PARTITIONS }, (_, partition) => partition)

/** A look first: it is answered by a Redis that takes no writes too. */
async function claim(link: RedisLink, wanted: { recordId: string; pseudonymCheck: string; mayClaim: boolean }) {
  const doing = 'opening the record'
  const find = () => callFunction(link, 'find', doing, { keys: [RECORD_KEY], args: [] })
  const reply = await find().catch((error: unknown) => {
    const isThere = !(error instanceof ScreeningError && error.code === 'RECORD_LOST')
    if (isThere || !wanted.mayClaim) throw error
    return callFunction(link, 'claim', doing, { keys: [RECORD_KEY], args: [wanted.recordId, wanted.pseudonymCheck] })
  })
  if (textAt(reply, 2) !== wanted.pseudonymCheck) {
    throw otherPseudonymKey(
      `The record in Redis (${link.shown}) was made with another pseudonym key than this node has.`,
    )
  }
  const isNew = Array.isArray(reply) && reply[3] === 1
  return { recordId: textAt(reply, 0), state: textAt(reply, 1), isNew }
}

/** CONFIG_INVALID: reports of this node would have other pseudonyms than those of the others. */
export function otherPseudonymKey(message: string): ScreeningError {
  const hint = 'Give all nodes the same key file: ZASLON_PSEUDONYM_KEY_FILE.'
  return new ScreeningError('CONFIG_INVALID', message, { pseudonymKey: 'another', hint })
}

/** Whether this node does not belong to the record that is there: nothing that passes. */
export function isForeignRecord(error: unknown): boolean {
  if (!(error instanceof ScreeningError)) return false
  return error.code === 'RECORD_FOREIGN' || error.details.pseudonymKey === 'another'
}

async function complete(link: RedisLink, recordId: string, partitions: readonly number[], epochAtLeast: number) {
  for (const partition of partitions) {
    const { head, facts, epochs, segments } = partitionKeys(recordId, partition)
    await callFunction(link, 'create', `creating partition ${partition}`, {
      keys: [head, facts, epochs, segments],
      args: [String(epochAtLeast)],
    })
  }
  await callFunction(link, 'ready', 'completing the record', { keys: [RECORD_KEY], args: [recordId] })
}

function foreign(found: string, known: string): ScreeningError {
  const message = `Redis holds the record ${found}, this node belongs to the record ${known}.`
  const hint = 'Correct ZASLON_REDIS_URL, or use another data directory.'
  return new ScreeningError('RECORD_FOREIGN', message, { found, known, hint })
}
