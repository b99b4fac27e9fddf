import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { commonUpTo, type EpochStart } from '../../../src/stores/redis/epochs.ts'
import { type FactEntry, type FactStreams, START } from '../../../src/stores/redis/fact-streams.ts'
import { hasRedis, type RedisServer, startRedis } from '../../support/redis.ts'
import { joinRecord, newFactId, readToEnd, untilDone } from '../../support/redis-record.ts'

/** A node that follows one partition and goes back when the partition did. */
function createFollower(record: FactStreams, partition: number) {
  const entries: FactEntry[] = []
  const epochs = (): EpochStart[] => {
    const starts = new Map<number, number>()
    for (const { position } of entries) {
      if (!starts.has(position.epoch)) starts.set(position.epoch, position.sequence)
    }
    return [...starts].map(([epoch, first]) => ({ epoch, first }))
  }
  return {
    entries,
    async follow() {
      const after = entries.at(-1)?.position ?? START
      try {
        const page = await untilDone(() => record.read(partition, after, { limit: 3, isBulk: false }))
        entries.push(...page.entries)
      } catch (error) {
        if (!(error instanceof ScreeningError) || error.code !== 'RECORD_DIVERGED') throw error
        const theirs = error.details.epochs as readonly EpochStart[]
        const kept = commonUpTo(after, epochs(), theirs, Number(error.details.lastSequence))
        expect(kept).toBeLessThan(after.sequence)
        entries.length = kept
      }
    },
  }
}

describe.skipIf(!hasRedis)('the history of a partition', () => {
  let server: RedisServer
  let joined: Awaited<ReturnType<typeof joinRecord>>
  beforeAll(async () => {
    server = await startRedis()
    joined = await joinRecord(server.url)
    server.cli('save')
  })
  afterAll(async () => {
    joined?.link.close()
    await server?.close()
  })

  it('is what every follower ends with, whatever restarts took back meanwhile', async () => {
    const { record } = joined
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant('append' as const) },
      { weight: 3, arbitrary: fc.constant('follow' as const) },
      { weight: 1, arbitrary: fc.constant('save' as const) },
      { weight: 1, arbitrary: fc.constant('touch' as const) },
      { weight: 2, arbitrary: fc.constant('cut' as const) },
    )
    let partition = 0
    const check = async (steps: readonly string[]) => {
      partition = (partition + 1) % 64
      const [first = START] = [await untilDone(() => record.touch(partition))]
      server.cli('save')
      const follower = createFollower(record, partition)
      let written: string[] = (await readToEnd(record, partition)).map(({ factId }) => factId).filter(Boolean)
      let saved = [...written]
      for (const name of steps) {
        if (name === 'append') {
          const factId = newFactId()
          await untilDone(() => record.append(partition, factId, Buffer.from(name)))
          written.push(factId)
        } else if (name === 'follow') await follower.follow()
        else if (name === 'touch') await untilDone(() => record.touch(partition))
        else if (name === 'save') {
          server.cli('save')
          saved = [...written]
        } else {
          await server.restart()
          written = [...saved]
        }
      }
      await untilDone(() => record.touch(partition))
      for (let round = 0; round < 2 * steps.length + 10; round++) await follower.follow()
      const all = await readToEnd(record, partition)
      expect(all.map(({ factId }) => factId).filter(Boolean)).toEqual(written)
      expect(all.map(({ position }) => position.sequence)).toEqual(all.map((_, index) => index + 1))
      expect(follower.entries).toEqual(all)
      expect(all.at(-1)?.position.epoch ?? first.epoch).toBeGreaterThanOrEqual(first.epoch)
    }
    const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), check)
    // A branch that was read, lost with its marker, and replaced by one that goes on from before.
    const branch = [
      'append',
      'save',
      'append',
      'cut',
      'append',
      'follow',
      'follow',
      'follow',
      'cut',
      'append',
      'append',
    ]
    await fc.assert(property, { numRuns: 12, endOnFailure: true, examples: [[branch as never]] })
  })
})
