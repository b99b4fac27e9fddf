/**
 * The record of a node that is its own: live.mdb. One process writes it (the control process, process-lock.ts), all writes
 * go through one queue (commit-queue.ts), everybody reads it in place.
 */
import type { FactBody } from '../fact.ts'
import { factWrites, type WriteFact } from '../fact-writes.ts'
import type { Actor, RecordStore } from '../ports.ts'
import { applyFact } from './apply-fact.ts'
import { nextLayerId } from './lists.ts'
import { type LiveDependencies, type LiveOptions, openLiveEnvironment } from './live-environment.ts'
import { documentWrites } from './logs.ts'
import { assertOwnRecord } from './record-binding.ts'
import { recordReads } from './record-reads.ts'
import { assertOwnNumber } from './reports.ts'

/**
 * Opens (or creates, or migrates) the record for writing. Rejects like openLiveEnvironment, and with CONFIG_INVALID when
 * the directory is a replica of a record in Redis.
 */
export async function openRecordStore(
  options: LiveOptions,
  dependencies: LiveDependencies = { now: Date.now },
): Promise<RecordStore> {
  const { environment, queue, close } = await openLiveEnvironment(options, dependencies, assertOwnRecord)
  const write = (body: FactBody, actor: Actor) =>
    queue.run((writes) => {
      if (body.kind === 'report') assertOwnNumber(environment, body.report)
      return applyFact(environment, writes, { ...body, actor, atMs: writes.nowMs })
    })
  const reads = recordReads(environment)
  return {
    ...reads,
    ...factWrites(write as WriteFact, reads),
    ...documentWrites(queue),
    allocateLayer: () => queue.run((writes) => nextLayerId(environment, writes)),
    close,
  }
}
