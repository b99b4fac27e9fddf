import { foldReport } from '../../src/domain/fold-report.ts'
import { createThousandSums } from '../../src/domain/number-block.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { readThousand } from '../../src/services/build-blocks.ts'
import { type BlockTable, blockHarm, createBlockTable, openBlockTable } from '../../src/shm/block-table.ts'
import { writeThousand } from '../../src/shm/block-table-writer.ts'
import { createReputationMap } from './reputation-map.ts'

/** Complaints in the order they came: each is judged by what was known before it, then folded in. */
export type ComplaintStream = {
  /** Strength of a call from the number at `atMs`, of unknown ingress kind: what a verdict thread would read. */
  score(number: PhoneNumber, atMs: number): number
  /** One more complaint by somebody who has not complained before. */
  complain(number: PhoneNumber, atMs: number): void
  readonly table: BlockTable
}

/** Entries for each complaint: with 2.6 for each reported number the table stays less than half full. */
const ENTRIES_PER_COMPLAINT = 4
const ENTRIES_MIN = 1_024

/** Reputation records, their block table and the functions that read them are those of the service. */
export function createComplaintStream(options: { complaints: number; startMs: number }): ComplaintStream {
  const reputations = createReputationMap()
  const entries = Math.max(ENTRIES_MIN, options.complaints * ENTRIES_PER_COMPLAINT)
  const table = openBlockTable(createBlockTable(entries, options.startMs))
  const sums = createThousandSums()
  let count = 0
  return {
    table,
    score: (number, atMs) => blockHarm(table, number, 0, atMs, reputations.reputationOf(number)),
    complain(number, atMs) {
      count++
      const record = foldReport(reputations.reputationOf(number), {
        reportId: String(count),
        number,
        channel: 'partner',
        scenario: 'other',
        reporter: count.toString(16).padStart(16, '0').repeat(2),
        ingress: 0,
        atMs,
        receivedMs: atMs,
        weight: 1,
      })
      reputations.put(number, record)
      const first = Math.floor(number / 1_000) * 1_000
      readThousand(reputations, first, table.base, sums)
      writeThousand(table, first, sums)
    },
  }
}

/** When each complaint came: as the file says, or so many a day after `fromMs`. */
export function arrivalTimes(
  { numbers, timesMs }: { numbers: readonly unknown[]; timesMs: readonly number[] | undefined },
  fromMs: number,
  perDay: number,
): readonly number[] {
  if (timesMs) return timesMs.map((atMs) => Math.max(atMs, fromMs))
  return numbers.map((_, index) => fromMs + ((index + 1) * 86_400_000) / perDay)
}
