/**
 * RedisRecord.readAll: plain XREADs, and a close read of each partition that has more than the next entries to tell.
 *
 * In a cluster each server is asked by itself. One that did not answer is away: nothing waits for it any more, its
 * partitions answer with its failure at once, and one question at a time goes on to it until it answers again. So the
 * partitions of the other servers are read as before, and a dead server costs some requests a second.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Cluster, Command } from 'ioredis'
import { ScreeningError } from '../../domain/errors.ts'
import type { FactEntry, Position } from './fact-streams.ts'
import { partitionKeys } from './keys.ts'
import { isGapless, parseEntries } from './parse-entries.ts'
import { readFacts } from './read-facts.ts'
import { redisError } from './redis-errors.ts'
import type { RedisLink } from './redis-link.ts'

export type ReadAll = (afters: readonly (Position | undefined)[], limit: number) => Promise<(FactEntry[] | Error)[]>

type Stream = { readonly partition: number; readonly key: string; readonly after: Position }
/** By the addresses of a server and its replicas: why it does not answer. */
type ServersAway = Map<string, Error>

/** Within the time of a call, so that a silent server fails by itself and not the whole call. */
const SERVER_TIMEOUT_MS = 200
/** Between two questions to a server that is away. */
const AWAY_PAUSE_MS = 100

export function createReadAll(link: RedisLink, recordId: string): ReadAll {
  const away: ServersAway = new Map()
  let turn = 0
  return (afters, limit) => readAllFacts({ link, recordId, away }, afters, limit, turn++ % afters.length)
}

type Reading = { readonly link: RedisLink; readonly recordId: string; readonly away: ServersAway }

/** Partition number `close` is read closely, whatever the streams say. */
async function readAllFacts(
  reading: Reading,
  afters: readonly (Position | undefined)[],
  limit: number,
  close: number,
): Promise<(FactEntry[] | Error)[]> {
  const { link, recordId } = reading
  const streams = afters.flatMap((after, partition) =>
    after === undefined ? [] : { partition, after, key: partitionKeys(recordId, partition).facts },
  )
  if (streams.length === 0) return afters.map(() => [])
  const readClosely = (partition: number, after: Position) =>
    readFacts(link, recordId, { partition, after, limit, isBulk: false }).then(
      ({ entries }) => [...entries],
      (error: unknown) => redisError(error, 'reading'),
    )
  let found: Map<string, unknown>
  try {
    found = await link.call('reading all partitions', () => readNew(reading, streams, limit))
  } catch (error) {
    const refused = redisError(error, 'reading all partitions')
    if (refused.code === 'UNAVAILABLE') return afters.map(() => refused)
    found = new Map(streams.map(({ key }) => [key, 'unknown']))
  }
  const answers = new Map<number, FactEntry[] | Error>()
  await Promise.all(
    streams.map(async ({ partition, after, key }) => {
      answers.set(partition, await answerOf(partition, after, key))
    }),
  )
  return afters.map((_after, partition) => answers.get(partition) ?? [])

  async function answerOf(partition: number, after: Position, key: string): Promise<FactEntry[] | Error> {
    const reply = found.get(key)
    if (reply instanceof Error) return reply
    if (partition !== close) {
      if (reply === undefined) return []
      const entries = parseEntries(reply)
      const isNext = entries?.[0]?.position.epoch === after.epoch && isGapless(after.sequence, entries)
      if (entries && isNext) return entries
    }
    return readClosely(partition, after)
  }
}

/** Replies by stream: entries; an Error; or a text when only a close read can tell. A stream without news is missing. */
async function readNew({ link, away }: Reading, streams: readonly Stream[], limit: number) {
  const { client } = link
  const found = new Map<string, unknown>()
  const add = (reply: unknown) => {
    if (Array.isArray(reply)) for (const [key, entries] of reply) found.set(String(key), entries)
  }
  if (!(client instanceof Cluster)) {
    add(await client.callBuffer('xread', ...xreadArguments(streams, limit)))
    return found
  }
  const readGroup = async ([nodes, group]: [string, Stream[]]) => {
    const failure = away.get(nodes)
    if (failure !== undefined) {
      for (const { key } of group) found.set(key, failure)
      return
    }
    const replies = await askServer(client, group, limit)
    for (const [index, { key }] of group.entries()) {
      const [error, reply] = replies[index] ?? []
      if (error) found.set(key, failureOf(error))
      else add(reply)
    }
    const isAway = absenceOf(replies)
    if (isAway === undefined) return
    away.set(nodes, isAway)
    void untilBack(link, client, group[0]!).finally(() => away.delete(nodes))
  }
  await Promise.all([...groupsByServer(client, streams)].map(readGroup))
  return found
}

type Replies = readonly (readonly [error: Error | null, reply?: unknown])[]

/** Never rejects: what fails as a whole is every stream's failure. */
async function askServer(client: Cluster, group: readonly Stream[], limit: number): Promise<Replies> {
  const pipeline = client.pipeline()
  for (const stream of group) pipeline.callBuffer('xread', ...xreadArguments([stream], limit))
  let timer: NodeJS.Timeout | undefined
  const silence = new Promise<Replies>((resolve) => {
    const error = new Error(`no answer within ${SERVER_TIMEOUT_MS} ms`)
    timer = setTimeout(() => resolve(group.map(() => [error])), SERVER_TIMEOUT_MS)
  })
  // It rejects when slots moved a moment ago: each stream is read by itself then.
  const answer = pipeline.exec().then(
    (replies) => replies ?? [],
    () => group.map(() => [new Error('MOVED')] as const),
  )
  return await Promise.race([answer, silence]).finally(() => clearTimeout(timer))
}

/** Why a server is away: it answered nothing at all. */
function absenceOf(replies: Replies): Error | undefined {
  const failures = replies.map(([error]) => (error ? failureOf(error) : 'unknown'))
  const isAway = failures.every((one) => one instanceof ScreeningError && one.code === 'UNAVAILABLE')
  const [first] = failures
  return isAway && first instanceof Error ? first : undefined
}

/** Resolves when whoever has the stream now answers, or nobody asks any more. */
async function untilBack(link: RedisLink, client: Cluster, stream: Stream): Promise<void> {
  for (;;) {
    await sleep(AWAY_PAUSE_MS, undefined, { ref: false })
    if (!link.isReady() || absenceOf(await askServer(client, [stream], 1)) === undefined) return
  }
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
function groupsByServer(client: Cluster, streams: readonly Stream[]): Map<string, Stream[]> {
  const groups = new Map<string, Stream[]>()
  for (const stream of streams) {
    const nodes = client.slots[slotOf(stream.key)]?.join(';') ?? ''
    const group = groups.get(nodes)
    if (group) group.push(stream)
    else groups.set(nodes, [stream])
  }
  return groups
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
