import { join } from 'node:path'
import type { VerdictStore } from '../ports.ts'
import { type Environment, openEnvironment } from './environment.ts'
import { settleFormat } from './format.ts'
import { listContentsOf, openListsEnvironment } from './list-contents.ts'
import { listReads } from './lists.ts'
import { LIVE_FORMAT } from './live-environment.ts'
import { LIVE_FILE } from './live-format.ts'
import { logReads } from './logs.ts'
import { createLookup } from './lookup.ts'
import { policyReads } from './policies.ts'
import { reportReads } from './reports.ts'
import { storageError } from './storage-error.ts'

export type VerdictStoreOptions = {
  /** The data directory. */
  readonly directory: string
}

/**
 * Opens both environments read-only for one thread of a verdict process. Rejects with UNAVAILABLE while the control
 * process has not made them, STORAGE_FORMAT when another version wrote them.
 */
export async function openVerdictStore(options: VerdictStoreOptions): Promise<VerdictStore> {
  const live = openEnvironment({ path: join(options.directory, LIVE_FILE), readOnly: true })
  let lists: Environment | undefined
  try {
    settleFormat(live, LIVE_FORMAT)
    lists = openListsEnvironment({ directory: options.directory, readOnly: true })
    return assemble(live, lists)
  } catch (error) {
    await Promise.all([live.close(), lists?.close()])
    throw storageError(error, 'opening the record', options.directory)
  }
}

function assemble(live: Environment, lists: Environment): VerdictStore {
  const records = listReads(live)
  const logs = logReads(live)
  const reports = reportReads(live)
  const lookup = createLookup({ live, lists })
  let closing: Promise<void> | undefined
  return {
    lists: records.lists,
    list: records.list,
    numberingPlans: records.numberingPlans,
    policy: policyReads(live).policy,
    lastSequence: logs.lastSequence,
    oldestSequence: logs.oldestSequence,
    changesAfter: logs.changesAfter,
    readReputationNumbers: reports.readReputationNumbers,
    reputationOf: reports.reputationOf,
    contents: listContentsOf(lists),
    lookup,
    close() {
      closing ??= Promise.all([lookup.close(), live.close(), lists.close()]).then(() => {})
      return closing
    },
  }
}
