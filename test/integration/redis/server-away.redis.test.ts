import type { Cluster } from 'ioredis'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import type { FactEntry } from '../../../src/stores/redis/fact-streams.ts'
import { partitionKeys } from '../../../src/stores/redis/keys.ts'
import { hasRedis, startRedisCluster } from '../../support/redis.ts'
import { joinRecord, masterOf, newFactId, untilDone } from '../../support/redis-record.ts'

/** Pauses between two questions to a server that is away end when the test says so. */
const pauses = vi.hoisted(() => ({ held: [] as (() => void)[], ended: 0 }))
vi.mock('node:timers/promises', async (original) => {
  const timers = await original<typeof import('node:timers/promises')>()
  const setTimeout: typeof timers.setTimeout = (ms, value, options) =>
    options?.ref === false
      ? new Promise((resolve) => pauses.held.push(() => resolve(value as never)))
      : timers.setTimeout(ms, value, options)
  return { ...timers, setTimeout }
})
function endPauses(): void {
  const held = pauses.held.splice(0)
  pauses.ended += held.length
  for (const end of held) end()
}

type Joined = Awaited<ReturnType<typeof joinRecord>>
/** The streams of each pipeline, as they are asked. */
function watchPipelines({ link }: Joined): string[][] {
  const asked: string[][] = []
  const client = link.client as Cluster
  const make = client.pipeline.bind(client)
  vi.spyOn(client, 'pipeline').mockImplementation((...commands) => {
    const pipeline = make(...commands)
    const streams: string[] = []
    asked.push(streams)
    const call = pipeline.callBuffer.bind(pipeline) as (...parts: unknown[]) => typeof pipeline
    // XREAD COUNT n STREAMS key id
    pipeline.callBuffer = (...parts: unknown[]) => {
      streams.push(String(parts[4]))
      return call(...parts)
    }
    return pipeline
  })
  return asked
}

const QUIET_READS = 50
const MORE_QUESTIONS = 10

describe.skipIf(!hasRedis)('a cluster with one master down', () => {
  it('reads the partitions of the others and hardly asks the dead one', async () => {
    const cluster = await startRedisCluster({ nodeTimeoutMs: 60_000 })
    const joined = await joinRecord(cluster.url)
    onTestFinished(async () => {
      joined.link.close()
      await cluster.close()
    })
    const heads = await Promise.all(Array.from({ length: 65 }, (_, index) => joined.record.touch(index)))
    const master = masterOf(cluster, joined.recordId, 0)
    const isDown = heads.map((_, index) => master.cli('exists', partitionKeys(joined.recordId, index).head) === '1')
    const dead = new Set(heads.flatMap((_, at) => (isDown[at] ? [partitionKeys(joined.recordId, at).facts] : [])))
    const living = isDown.indexOf(false)
    const asked = watchPipelines(joined)
    for (const harm of ['frozen', 'killed'] as const) {
      if (harm === 'frozen') master.signal('SIGSTOP')
      else await master.kill()
      asked.length = 0
      pauses.ended = 0
      let news: FactEntry[] = []
      for (let quiet = 0; quiet < QUIET_READS; ) {
        const before = asked.length
        const pages = await joined.impatient.readAll(heads, 10)
        const refused = pages.map((page) => page instanceof Error)
        expect(refused.filter((_, at) => isDown[at])).not.toContain(false)
        if (refused.some((isRefused, at) => isRefused !== isDown[at])) {
          // On a busy machine a living one is silent as well: everybody is asked anew.
          endPauses()
          continue
        }
        const page = (pages[living] ?? []) as FactEntry[]
        if (page.length > 0) heads[living] = { ...page.at(-1)!.position, oldest: 1 }
        news.push(...page)
        if (
          asked
            .slice(before)
            .flat()
            .some((stream) => dead.has(stream))
        )
          continue
        quiet++
        if (quiet === 20) {
          // One fact, however often it has to be appended.
          const fact = newFactId()
          await untilDone(() => joined.record.append(living, fact, Buffer.from('a fact')))
        }
        if (quiet === 30) endPauses()
      }
      expect(news).toHaveLength(1)
      news = []
      // Who ended a pause put one question, and who was told that it is back asked for everything once; until it was known to be
      // away, and on a busy machine, some more did. Who asked with every read would never have read quietly.
      const toTheDead = asked.filter((streams) => streams.some((stream) => dead.has(stream)))
      expect(toTheDead.length).toBeLessThanOrEqual(MORE_QUESTIONS + 2 * pauses.ended)
      if (harm === 'killed') break
      master.signal('SIGCONT')
      await untilDone(async () => {
        endPauses()
        await joined.record.readAll(heads, 10)
      })
    }
  }, 90_000)
})
