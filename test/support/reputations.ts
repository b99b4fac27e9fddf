import { foldReport } from '../../src/domain/fold-report.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { Report } from '../../src/domain/report.ts'
import type { ReputationReads } from '../../src/services/build-blocks.ts'

/** Reputation records in memory, as a store gives them. */
export type Reputations = ReputationReads & {
  /** Somebody reports the number; who is left out is new. */
  report(number: number, atMs: number, fields?: Partial<Report>): void
  /** How many records were read. */
  readonly reads: number
}

export function createReputations(): Reputations {
  const records = new Map<number, DataView>()
  let count = 0
  let reads = 0
  return {
    report(number, atMs, fields = {}) {
      count++
      const report: Report = {
        reportId: `r${count}`,
        number: number as PhoneNumber,
        channel: 'hotline',
        scenario: 'bank',
        reporter: count.toString(16).padStart(16, '0').padEnd(32, 'f'),
        ingress: 0,
        atMs,
        receivedMs: atMs,
        weight: 1,
        ...fields,
      }
      records.set(number, foldReport(records.get(number), report))
    },
    get reads() {
      return reads
    },
    reputationOf(number) {
      reads++
      const record = records.get(number)
      return record && new DataView(record.buffer.slice(record.byteOffset, record.byteOffset + record.byteLength))
    },
    readReputationNumbers(after, into) {
      const numbers = [...records.keys()].filter((number) => number > after).sort((a, b) => a - b)
      into.set(numbers.slice(0, into.length))
      return Math.min(numbers.length, into.length)
    },
  }
}
