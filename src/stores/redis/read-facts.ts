import { ScreeningError } from '../../domain/errors.ts'
import { callFunction, numberAt, textAt } from './call-function.ts'
import { commonUpTo, type EpochStart } from './epochs.ts'
import type { FactEntry, FactPage, Position, ReadHow } from './fact-streams.ts'
import { type PartitionKeys, partitionKeys } from './keys.ts'
import { isGapless, parseEntries } from './parse-entries.ts'
import { damaged } from './redis-errors.ts'
import type { RedisLine, RedisLink } from './redis-link.ts'
import { unpackSegment } from './segments.ts'

export type ReadOptions = ReadHow & { readonly partition: number; readonly after: Position }

/** A page that arrives within a call's time over 20 Mbit/s, and one that arrives in bulk over half of one. */
const PAGE_BYTES = 65_536
const BULK_PAGE_BYTES = 262_144

/** FactStreams.read. Its function in Redis looks at head, epochs and stream at one moment. */
export async function readFacts(link: RedisLink, recordId: string, options: ReadOptions): Promise<FactPage> {
  const { partition, after, limit, isBulk } = options
  const line = isBulk ? link.bulk() : link
  const keys = partitionKeys(recordId, partition)
  const doing = `reading partition ${partition}`
  const reply = await callFunction(line, 'read', doing, {
    keys: [keys.head, keys.facts, keys.epochs],
    args: [String(after.epoch), String(after.sequence), String(limit), String(isBulk ? BULK_PAGE_BYTES : PAGE_BYTES)],
  })
  const kind = textAt(reply, 0)
  if (kind === 'diverged') throw diverged(partition, after, numberAt(reply, 1), epochsOf(reply))
  const newest = numberAt(reply, 1)
  if (kind === 'sealed') return { entries: await readSegment(link.bulk(), keys, options), newest }
  const entries = parseEntries(Array.isArray(reply) ? reply[2] : undefined)
  if (!entries || !isGapless(after.sequence, entries)) {
    throw damaged(keys.facts, `holds something else than entry ${after.sequence + 1} and those that follow`)
  }
  return { entries, newest }
}

async function readSegment(link: RedisLine, keys: PartitionKeys, options: ReadOptions): Promise<FactEntry[]> {
  const { partition, after, limit } = options
  const doing = `reading sealed facts of partition ${partition}`
  const next = String(after.sequence + 1)
  const [from] = await link.call(doing, () => link.client.zrevrangebyscore(keys.segments, next, '-inf', 'LIMIT', 0, 1))
  if (from === undefined) throw damaged(keys.segments, `names no segment with entry ${next}`)
  const key = `${keys.segment}:${from}`
  const bytes = await link.call(doing, () => link.client.getBuffer(key))
  const entries = bytes ? await unpackSegment(bytes, after.sequence, limit) : undefined
  if (!entries || entries.length === 0 || !isGapless(after.sequence, entries)) {
    throw damaged(key, `does not hold entry ${next}`)
  }
  return entries
}

function epochsOf(reply: unknown): EpochStart[] {
  const flat: unknown = Array.isArray(reply) ? reply[2] : undefined
  const count = Array.isArray(flat) ? flat.length / 2 : 0
  const starts = Array.from({ length: count }, (_, index) => ({
    epoch: numberAt(flat, 2 * index),
    first: numberAt(flat, 2 * index + 1),
  }))
  return starts.reverse()
}

function diverged(partition: number, after: Position, lastSequence: number, epochs: EpochStart[]): ScreeningError {
  const keptUpTo = commonUpTo(after, [], epochs, lastSequence)
  const isExact = epochs.some(({ epoch }) => epoch === after.epoch)
  const message = `Partition ${partition} in Redis does not hold entry ${after.sequence} as this node read it: a failover or restart lost it.`
  return new ScreeningError('RECORD_DIVERGED', message, { partition, keptUpTo, isExact, lastSequence, epochs })
}
