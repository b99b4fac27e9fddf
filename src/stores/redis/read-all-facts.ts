import { Cluster, Command, type Redis } from 'ioredis'
import type { FactEntry, Position } from './fact-streams.ts'
import { partitionKeys } from './keys.ts'
import { isGapless, parseEntries } from './parse-entries.ts'
import { readFacts } from './read-facts.ts'
import { redisError } from './redis-errors.ts'
import type { RedisLink } from './redis-link.ts'

export type ReadAllOptions = {
  /** By partition; undefined: not asked for. */
  readonly afters: readonly (Position | undefined)[]
  readonly limit: number
  /** Partition number `turn % afters.length` is read closely, whatever the streams say. */
  readonly turn: number
}

/** RedisRecord.readAll: plain XREADs, and a close read of each partition that has more than the next entries to tell. */
export async function readAllFacts(
  link: RedisLink,
  recordId: string,
  options: ReadAllOptions,
): Promise<(FactEntry[] | Error)[]> {
  const { afters, limit, turn } = options
  const streams = afters.flatMap((after, partition) =>
    after === undefined ? [] : [{ partition, after, key: partitionKeys(recordId, partition).facts }],
  )
  const answers: (FactEntry[] | Error)[] = afters.map(() => [])
  if (streams.length === 0) return answers
  const close = turn % afters.length
  const settle = (work: Promise<FactEntry[]>) => work.catch((error: unknown) => redisError(error, 'reading'))
  let found: Map<string, unknown>
  try {
    found = await link.call('reading all partitions', () => readNew(link.client, streams, limit))
  } catch (error) {
    const refused = redisError(error, 'reading all partitions')
    if (refused.code === 'UNAVAILABLE') return afters.map((after) => (after === undefined ? [] : refused))
    found = new Map(streams.map(({ key }) => [key, 'unknown']))
  }
  const read = await Promise.all(
    streams.map(({ partition, after, key }) => {
      const reply = found.get(key)
      if (reply instanceof Error) return reply
      if (partition !== close) {
        if (reply === undefined) return []
        const entries = parseEntries(reply)
        const isNext = entries?.[0]?.position.epoch === after.epoch && isGapless(after.sequence, entries)
        if (entries && isNext) return entries
      }
      return settle(readFacts(link, recordId, { partition, after, limit }))
    }),
  )
  for (const [index, { partition }] of streams.entries()) answers[partition] = read[index]!
  return answers
}

type Stream = { readonly key: string; readonly after: Position }

/** Replies by stream: entries; an Error; or a text when only a close read can tell. A stream without news is missing. */
async function readNew(
  client: Redis | Cluster,
  streams: readonly Stream[],
  limit: number,
): Promise<Map<string, unknown>> {
  const found = new Map<string, unknown>()
  const add = (reply: unknown) => {
    if (Array.isArray(reply)) for (const [key, entries] of reply) found.set(String(key), entries)
  }
  if (!(client instanceof Cluster)) {
    add(await client.callBuffer('xread', ...xreadArguments(streams, limit)))
    return found
  }
  await Promise.all(
    groupsByServer(client, streams).map(async (group) => {
      const pipeline = client.pipeline()
      for (const stream of group) pipeline.callBuffer('xread', ...xreadArguments([stream], limit))
      const replies = await pipeline.exec().catch(() => null)
      for (const [index, { key }] of group.entries()) {
        const [error, reply] = replies?.[index] ?? [new Error('MOVED')]
        if (error) found.set(key, failureOf(error))
        else add(reply)
      }
    }),
  )
  return found
}

/** A server that was silent has had its time; what another server may know is worth a read of its own. */
function failureOf(error: Error): Error | 'unknown' {
  const isElsewhere = /^(?:MOVED|ASK|TRYAGAIN|WRONGTYPE)\b/.test(error.message)
  return isElsewhere ? 'unknown' : redisError(error, 'reading all partitions')
}

function xreadArguments(streams: readonly Stream[], limit: number): (string | number)[] {
  const ids = streams.map(({ after }) => `${after.epoch}-${after.sequence}`)
  return ['COUNT', limit, 'STREAMS', ...streams.map(({ key }) => key), ...ids]
}

/** A pipeline of ioredis goes to one server: streams together whose slots have the same nodes. */
function groupsByServer(client: Cluster, streams: readonly Stream[]): Stream[][] {
  const groups = new Map<string, Stream[]>()
  for (const stream of streams) {
    const nodes = client.slots[slotOf(stream.key)]?.join(';') ?? ''
    const group = groups.get(nodes)
    if (group) group.push(stream)
    else groups.set(nodes, [stream])
  }
  return [...groups.values()]
}

/** At most 65 keys a record, worked out once. */
const slots = new Map<string, number>()
function slotOf(key: string): number {
  const known = slots.get(key)
  if (known !== undefined) return known
  const slot = new Command('get', [key]).getSlot() ?? 0
  slots.set(key, slot)
  return slot
}
