import { describe, expect, it } from 'vitest'
import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { numbersOnly } from '../contract/list-contents.contract.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { startStoreChild } from '../support/store-child.ts'

type Acknowledged = { reportId: string; number: number; sequence: number }

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

describe('the record after kill -9 of its writer', () => {
  it('holds every acknowledged report, its change and its weight in the reputation', async () => {
    const directory = temporaryDirectory()
    const acknowledged: Acknowledged[] = []
    for (let round = 0; round < 4; round++) {
      const child = startStoreChild('append', directory)
      // Twenty are always on their way.
      await child.untilTold(40 + round * 37)
      await child.kill()
      acknowledged.push(...child.told.filter((message): message is Acknowledged => typeof message === 'object'))

      const store = await openRecordStore({ directory })
      for (const { reportId, sequence, number } of acknowledged) {
        expect(store.report(reportId)).toMatchObject({ reportId, number })
        expect(sequence).toBeLessThanOrEqual(store.lastSequence())
      }
      const changes = store.changesAfter(0, 1_000_000)
      expect(changes.map((change) => change.sequence)).toEqual(changes.map((_, index) => index + 1))
      expect(store.audit(1_000_000)).toHaveLength(changes.length)
      expect(reportsInReputations(store)).toBe(changes.length)
      await store.close()
    }
    // Each round but for "ready".
    expect(acknowledged.length).toBeGreaterThanOrEqual(39 + 76 + 113 + 150)
  })
})

describe('list contents after kill -9 of their writer', () => {
  it('holds every layer that was written whole, and takes new ones over the remains', async () => {
    const directory = temporaryDirectory()
    const written = new Set<number>()
    for (let round = 0; round < 4; round++) {
      const child = startStoreChild('put', directory)
      // "ready" and a layer; the kill is some way into the next one.
      await child.untilTold(2)
      await pause(round * 7)
      await child.kill()
      for (const message of child.told) if (isLayer(message)) written.add(message.layerId)

      const contents = openListContents({ directory, readOnly: false })
      const numbers = new Float64Array(200_001)
      for (const layerId of written) {
        expect(contents.readNumbers(layerId, 0, numbers)).toBe(200_000)
        expect(numbers[199_999]).toBe(1_000_000 * layerId + 599_997)
      }
      for (const layerId of contents.layerIds()) if (!written.has(layerId)) contents.dropLayer(layerId)
      expect(new Set(contents.layerIds())).toEqual(written)
      contents.putLayer(1_000_000, numbersOnly([5]))
      expect(contents.readNumbers(1_000_000, 0, numbers)).toBe(1)
      contents.dropLayer(1_000_000)
      await contents.close()
    }
    expect(written.size).toBeGreaterThanOrEqual(4)
  })
})

function isLayer(message: unknown): message is { layerId: number } {
  return typeof message === 'object' && message !== null && 'layerId' in message
}

function reportsInReputations(store: Awaited<ReturnType<typeof openRecordStore>>): number {
  const numbers = new Float64Array(100)
  const count = store.readReputationNumbers(0, numbers)
  let reports = 0
  for (const number of numbers.subarray(0, count)) {
    reports += store.reputationOf(number as never)?.getUint32(4, true) ?? 0
  }
  return reports
}
