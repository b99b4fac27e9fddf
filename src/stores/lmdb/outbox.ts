/** Facts that were accepted while Redis was away, on disk until they are part of the record. */
import { ScreeningError } from '../../domain/errors.ts'
import type { Report } from '../../domain/report.ts'
import { decodeFact } from '../fact-codec.ts'
import type { CommitQueue } from './commit-queue.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, u64Part } from './keys.ts'
import type { WriteSet } from './write-set.ts'

export type OutboxFact = { readonly factId: string; readonly payload: Buffer; readonly partition: number }

export type Outbox = {
  readonly size: number
  /** When the oldest one came, epoch milliseconds; undefined when it is empty. */
  readonly oldestMs: number | undefined
  /** Resolves when it is on disk. Rejects with QUEUE_FULL when `max` facts wait already, or a storage error. */
  put(fact: OutboxFact, max: number): Promise<void>
  has(factId: string): boolean
  /** The report with this id, when one waits: a client that asks again must not fill the outbox with it. */
  report(reportId: string): Report | undefined
  /** Puts it in as part of another write, whatever the bound. */
  enter(writes: WriteSet, fact: OutboxFact): void
  /** Those that something waits for. */
  partitions(): number[]
  /** Of one partition, oldest first. */
  page(partition: number, limit: number): OutboxFact[]
  /** All of one partition, oldest first, in the snapshot that the environment reads just now. */
  ofPartition(partition: number): OutboxFact[]
  /** The oldest ones of all, which are removed as part of another write. */
  take(writes: WriteSet, limit: number): OutboxFact[]
  /** Removes a fact that is part of the record already. */
  drop(factId: string): Promise<void>
  /** The same as part of another write, when it is in the outbox at all. */
  remove(writes: WriteSet, factId: string): void
}

/** Fact id, when it came (f64), partition (u8). */
const ID_BYTES = 16
const PARTITION_AT = 24
const HEAD_BYTES = 25
const prefix = makeKey(LIVE_SPACE.outbox)
const keyOf = (order: number) => makeKey(LIVE_SPACE.outbox, { u64: order })

/** In line, and since when. */
type Place = {
  readonly order: number
  readonly atMs: number
  readonly partition: number
  readonly reportId: string | undefined
}

export function createOutbox(environment: Environment, queue: CommitQueue): Outbox {
  /** By fact id, oldest first. */
  const waiting = new Map<string, Place>()
  const idsByPartition = new Map<number, Set<string>>()
  /** Report id to fact id, of the newest with that id. */
  const reports = new Map<string, string>()
  let last = 0
  environment.scan({ prefix, limit: Number.MAX_SAFE_INTEGER }, (key, value) => {
    last = u64Part(key, KEY_PREFIX_BYTES)
    const atMs = value.readDoubleLE(ID_BYTES)
    const reportId = reportIn(value.subarray(HEAD_BYTES))?.reportId
    const partition = value.readUInt8(PARTITION_AT)
    remember(value.toString('hex', 0, ID_BYTES), { order: last, atMs, partition, reportId })
  })
  /** Accepted, on their way to the disk. */
  let entering = 0

  function enter(writes: WriteSet, { factId, payload, partition }: OutboxFact): void {
    const order = ++last
    const atMs = writes.nowMs
    const head = Buffer.allocUnsafe(HEAD_BYTES)
    head.write(factId, 0, 'hex')
    head.writeDoubleLE(atMs, ID_BYTES)
    head.writeUInt8(partition, PARTITION_AT)
    writes.put(keyOf(order), Buffer.concat([head, payload]))
    const reportId = reportIn(payload)?.reportId
    writes.afterCommit(() => remember(factId, { order, atMs, partition, reportId }))
  }

  function report(reportId: string): Report | undefined {
    const place = waiting.get(reports.get(reportId) ?? '')
    if (place === undefined) return undefined
    environment.refresh()
    const value = environment.bytes(keyOf(place.order))
    return value && reportIn(value.subarray(HEAD_BYTES))
  }

  return {
    get size() {
      return waiting.size
    },
    get oldestMs() {
      for (const { atMs } of waiting.values()) return atMs
      return undefined
    },
    async put(fact, max) {
      if (waiting.has(fact.factId)) return
      if (waiting.size + entering >= max) {
        throw new ScreeningError('QUEUE_FULL', `Redis is away, and ${max} reports wait for it already.`, {
          hint: 'Send the report again when Redis is back, with the same reportId or Idempotency-Key.',
          retryAfterSeconds: 10,
        })
      }
      entering++
      try {
        await queue.run((writes) => enter(writes, fact))
      } finally {
        entering--
      }
    },
    has: (factId) => waiting.has(factId),
    report,
    enter,
    partitions: () => [...idsByPartition.keys()],
    page(partition, limit) {
      environment.refresh()
      const facts: OutboxFact[] = []
      for (const factId of idsByPartition.get(partition) ?? []) {
        if (facts.length === limit) break
        const value = environment.bytes(keyOf(waiting.get(factId)!.order))
        if (value !== undefined) facts.push(decodeRow(value))
      }
      return facts
    },
    ofPartition(partition) {
      const facts: OutboxFact[] = []
      environment.scan({ prefix, limit: Number.MAX_SAFE_INTEGER }, (_key, value) => {
        if (value.readUInt8(PARTITION_AT) === partition) facts.push(decodeRow(value))
      })
      return facts
    },
    take(writes, limit) {
      const facts: OutboxFact[] = []
      environment.scan({ prefix, limit }, (key, value) => {
        const fact = decodeRow(value)
        facts.push(fact)
        writes.remove(Buffer.from(key))
        writes.afterCommit(() => {
          const place = waiting.get(fact.factId)
          if (place !== undefined) forget(fact.factId, place)
        })
      })
      return facts
    },
    drop: (factId) => queue.run((writes) => remove(writes, factId)),
    remove,
  }

  function remember(factId: string, place: Place): void {
    waiting.set(factId, place)
    if (place.reportId !== undefined) reports.set(place.reportId, factId)
    const ids = idsByPartition.get(place.partition)
    if (ids === undefined) idsByPartition.set(place.partition, new Set([factId]))
    else ids.add(factId)
  }

  function forget(factId: string, { partition, reportId }: Place): void {
    waiting.delete(factId)
    if (reportId !== undefined && reports.get(reportId) === factId) reports.delete(reportId)
    const ids = idsByPartition.get(partition)
    ids?.delete(factId)
    if (ids?.size === 0) idsByPartition.delete(partition)
  }

  function remove(writes: WriteSet, factId: string): void {
    const place = waiting.get(factId)
    if (place === undefined) return
    writes.remove(keyOf(place.order))
    writes.afterCommit(() => forget(factId, place))
  }
}

/** Undefined for other facts, and for what cannot be read: whoever applies it says so. */
function reportIn(payload: Buffer): Report | undefined {
  try {
    const fact = decodeFact(payload)
    return fact.kind === 'report' ? fact.report : undefined
  } catch {
    return undefined
  }
}

function decodeRow(value: Buffer): OutboxFact {
  const payload = Buffer.from(value.subarray(HEAD_BYTES))
  return { factId: value.toString('hex', 0, ID_BYTES), payload, partition: value.readUInt8(PARTITION_AT) }
}
