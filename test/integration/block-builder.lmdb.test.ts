import { describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { blockHarmOf } from '../../src/services/block-harm.ts'
import { createBlockBuilder } from '../../src/services/build-blocks.ts'
import { blockHarm, createBlockTable, openBlockTable } from '../../src/shm/block-table.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const FIRST = 79_160_000_000

describe('the block builder over a record on disk', () => {
  it('follows the reports, and explains what the table says', async () => {
    const store = await openRecordStore({ directory: temporaryDirectory() }, { now: () => NOW })
    let count = 0
    const report = (number: number, ingress: number) =>
      store.appendReport(
        {
          reportId: `r${++count}`,
          number: number as PhoneNumber,
          channel: 'hotline',
          scenario: 'bank',
          reporter: count.toString(16).padStart(32, '0'),
          ingress,
          atMs: NOW,
          receivedMs: NOW,
          weight: 1,
        },
        'test',
      )
    // More than one read of a dense block, and some that lie alone.
    await Promise.all(Array.from({ length: 300 }, (_, i) => report(FIRST + i * 3, i % 4)))
    await Promise.all(Array.from({ length: 30 }, (_, i) => report(FIRST + i * 1_777_777, i % 4)))

    const table = openBlockTable(createBlockTable(8_192, NOW))
    const failures: unknown[] = []
    const builder = createBlockBuilder({ store, table, onFailure: (error) => failures.push(error) })
    await builder.start()
    const asked = [FIRST + 1, FIRST + 500, FIRST + 999, FIRST + 5_000, FIRST + 1_777_777, FIRST + 1_777_778]
    const strengths = () =>
      asked.map((number) => blockHarm(table, number, 2, NOW, store.reputationOf(number as PhoneNumber)))
    expect(strengths()).toEqual(asked.map((number) => blockHarmOf(store, number, 2, NOW)))
    const before = strengths()

    await report(FIRST + 1_777_779, 2)
    builder.changed(FIRST + 1_777_779)
    await builder.settled()
    expect(strengths()).toEqual(asked.map((number) => blockHarmOf(store, number, 2, NOW)))
    expect(strengths().slice(0, 4)).toEqual(before.slice(0, 4))
    expect(strengths()[5]).toBeGreaterThan(before[5] ?? 0)
    expect(failures).toEqual([])
    await store.close()
  })
})
