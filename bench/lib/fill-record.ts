import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { type Fact, partitionOf, partitionOfNumber, REPORT_PARTITIONS } from '../../src/stores/fact.ts'
import { encodeFact } from '../../src/stores/fact-codec.ts'
import { connectRedis } from '../../src/stores/redis/connect-redis.ts'
import { createFactStreams, type RedisRecord } from '../../src/stores/redis/fact-streams-redis.ts'
import { RECORD_KEY } from '../../src/stores/redis/keys.ts'
import { reportFact, reportFacts } from './report-facts.ts'
import type { Say } from './run-bench.ts'

/** Well within the time a call has, and enough to keep Redis busy. */
const IN_FLIGHT_MAX = 512
const SENTINEL_REPORTS = 5
/** A connection that was lost stands again after some of these. */
const AGAIN_MS = 200
const SAY_EVERY_MS = 5_000

/** A number of each report partition that no complaint and no other bench names. */
export function sentinelNumbers(): PhoneNumber[] {
  const found = new Map<number, PhoneNumber>()
  for (let number = 79_550_000_000; found.size < REPORT_PARTITIONS; number++) {
    const partition = partitionOfNumber(number as PhoneNumber)
    if (!found.has(partition)) found.set(partition, number as PhoneNumber)
  }
  return [...found.values()]
}

/** Appends report facts straight to the record, then five reports on each sentinel, and seals what nodes would seal. */
export async function fillRecord(
  url: string,
  count: number,
  say: Say,
): Promise<{ source: string; appendSeconds: number }> {
  const { link } = await connectRedis({ url })
  try {
    // Nodes have begun it.
    const recordId = await link.client.hget(RECORD_KEY, 'recordId')
    if (!recordId) throw new Error('There is no record in this Redis.')
    const record = createFactStreams(link, recordId)
    const { facts, source } = reportFacts(count)
    const startMs = performance.now()
    await appendAll(record, facts, (appended) => say(`${appended} of ${count} facts appended`))
    const sentinels = sentinelNumbers().flatMap((number, index) =>
      Array.from({ length: SENTINEL_REPORTS }, (_, report) =>
        reportFact(number, count + index * SENTINEL_REPORTS + report, Date.now()),
      ),
    )
    await appendAll(record, sentinels, () => {})
    const appendSeconds = (performance.now() - startMs) / 1000
    say(`${count} facts appended in ${Math.round(appendSeconds)} s; old ones are sealed`)
    for (let partition = 0; partition < REPORT_PARTITIONS; partition++) {
      while (await again(() => record.seal(partition)));
    }
    return { source, appendSeconds: Math.round(appendSeconds) }
  } finally {
    link.close()
  }
}

async function appendAll(
  record: RedisRecord,
  facts: Iterable<Fact>,
  onProgress: (appended: number) => void,
): Promise<void> {
  let batch: Promise<unknown>[] = []
  let appended = 0
  let sayMs = performance.now() + SAY_EVERY_MS
  for (const fact of facts) {
    const factId = createHash('md5').update(encodeFact(fact)).digest('hex')
    batch.push(again(() => record.append(partitionOf(fact), factId, encodeFact(fact))))
    if (batch.length < IN_FLIGHT_MAX) continue
    await Promise.all(batch)
    appended += batch.length
    batch = []
    if (performance.now() < sayMs) continue
    sayMs += SAY_EVERY_MS
    onProgress(appended)
  }
  await Promise.all(batch)
}

/** The same fact id again: one that was appended after all is not appended twice. */
async function again<T>(work: () => Promise<T>, tries = 20): Promise<T> {
  for (let left = tries; ; left--) {
    try {
      return await work()
    } catch (error) {
      if (left === 0) throw error
      await sleep(AGAIN_MS)
    }
  }
}
