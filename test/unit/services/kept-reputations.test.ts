import { describe, expect, it } from 'vitest'
import { ENTRY_PRESENT } from '../../../src/domain/lookup.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { describeReputation } from '../../../src/domain/reputation.ts'
import { createBlockBuilder } from '../../../src/services/build-blocks.ts'
import { keepingReputations, withKeptReputations } from '../../../src/services/kept-reputations.ts'
import { createBlockTable, openBlockTable } from '../../../src/shm/block-table.ts'
import { createReputationTable, openReputationTable } from '../../../src/shm/reputation-table.ts'
import { createReputations } from '../../support/reputations.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const NUMBER = 79_160_000_002 as PhoneNumber

function world() {
  const record = createReputations()
  const table = openReputationTable(createReputationTable(64))
  const asked: number[] = []
  return {
    record,
    reads: keepingReputations(record, table),
    asked,
    lookup: withKeptReputations(
      {
        entry: () => ENTRY_PRESENT,
        reputation(number) {
          asked.push(number)
          return record.reputationOf(number)
        },
      },
      table,
    ),
  }
}

const reporters = (view: DataView | undefined) => view && describeReputation(view, NOW, 10).reporters

describe('kept reputations', () => {
  it('are those of the record, which is asked for a number that was never read', () => {
    const { record, reads, lookup, asked } = world()
    record.report(NUMBER, NOW)
    expect(reporters(lookup.reputation(NUMBER))).toBe(1)
    expect(asked).toEqual([NUMBER])
    reads.reputationOf(NUMBER)
    expect(reporters(lookup.reputation(NUMBER))).toBe(1)
    expect(asked).toEqual([NUMBER])
    expect(lookup.entry(1, NUMBER, NOW)).toBe(ENTRY_PRESENT)
  })

  it('follow what is read again', () => {
    const { record, reads, lookup } = world()
    record.report(NUMBER, NOW)
    reads.reputationOf(NUMBER)
    record.report(NUMBER, NOW)
    reads.reputationOf(NUMBER)
    expect(reporters(lookup.reputation(NUMBER))).toBe(2)
  })

  it('are read from the record when they have become too long', () => {
    const { record, reads, lookup, asked } = world()
    for (let count = 0; count < 6; count++) record.report(NUMBER, NOW)
    reads.reputationOf(NUMBER)
    expect(reporters(lookup.reputation(NUMBER))).toBe(6)
    expect(asked).toEqual([])
    record.report(NUMBER, NOW)
    reads.reputationOf(NUMBER)
    expect(reporters(lookup.reputation(NUMBER))).toBe(7)
    expect(asked).toEqual([NUMBER])
  })

  it('are all there once the blocks around reported numbers have been read', async () => {
    const { record, reads, lookup, asked } = world()
    const numbers = Array.from({ length: 20 }, (_, index) => (NUMBER + 1_000 * index) as PhoneNumber)
    for (const number of numbers) record.report(number, NOW)
    await createBlockBuilder({
      store: reads,
      table: openBlockTable(createBlockTable(256, NOW)),
      onFailure(error) {
        throw error
      },
    }).start()
    for (const number of numbers) expect(reporters(lookup.reputation(number))).toBe(1)
    expect(asked).toEqual([])
  })
})
