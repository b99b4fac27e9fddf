import type { NumberLookup } from '../../domain/lookup.ts'
import type { ListContents, RecordStore } from '../ports.ts'
import { memoryContents } from './memory-contents.ts'
import { memoryLists } from './memory-lists.ts'
import { createMemoryLog, type MemoryLogOptions, memoryDocuments } from './memory-log.ts'
import { memoryPolicies, memoryReports, memoryReviews } from './memory-records.ts'
import { memoryReporters } from './memory-reporters.ts'

export type MemoryStore = RecordStore & { readonly contents: ListContents; readonly lookup: NumberLookup }

/** The fake: everything the record store promises except surviving the process. It is a VerdictStore as well. */
export function createMemoryStore(
  options: MemoryLogOptions = {},
  dependencies: { now: () => number } = { now: Date.now },
): MemoryStore {
  const log = createMemoryLog(options, dependencies)
  const reporters = memoryReporters()
  const reports = memoryReports(log, reporters)
  return {
    ...reports,
    ...reporters.reads,
    ...memoryLists(log),
    ...memoryPolicies(log),
    ...memoryReviews(log, reports, reporters),
    ...memoryDocuments(),
    ...log.reads,
    ...memoryContents(reports.reputationOf),
    close: async () => {},
  }
}
