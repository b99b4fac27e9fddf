/** A partition of the record as a whole: out of a node's replica, and as facts that would make it again. */
import type { PhoneNumber } from '../../domain/phone-number.ts'
import type { Report } from '../../domain/report.ts'
import { DESK_PARTITION, type FactBody, partitionOfNumber } from '../fact.ts'
import type { Step } from './commit-queue.ts'
import { deskFacts, deskRows } from './desk-rows.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, u64Part } from './keys.ts'
import { reporterReportKey } from './reporters.ts'
import { reportKey } from './reports.ts'
import { decodeJson } from './values.ts'

const BY_NUMBER_SPACES = [LIVE_SPACE.reportByNumber, LIVE_SPACE.countedReporter, LIVE_SPACE.reputation]

/**
 * Removes everything the partition's facts have made, but the change log and the audit log. Numbers that lose their reputation
 * are changes: verdict processes have copies.
 */
export function removePartition(environment: Environment, step: Step, partition: number): void {
  const keys =
    partition === DESK_PARTITION ? deskRows(environment).map(([key]) => key) : numberKeys(environment, partition)
  step((writes) => {
    for (const key of keys) {
      writes.remove(key)
      if (key[0] !== LIVE_SPACE.reputation) continue
      writes.change({ kind: 'report', number: u64Part(key, KEY_PREFIX_BYTES) as PhoneNumber })
    }
  })
}

function numberKeys(environment: Environment, partition: number): Buffer[] {
  const keys: Buffer[] = []
  for (const space of BY_NUMBER_SPACES) {
    environment.scan({ prefix: makeKey(space), limit: Number.MAX_SAFE_INTEGER }, (key, value) => {
      const number = u64Part(key, KEY_PREFIX_BYTES)
      if (partitionOfNumber(number as PhoneNumber) !== partition) return
      keys.push(Buffer.from(key))
      if (space !== LIVE_SPACE.reportByNumber) return
      const row = reportKey(value.toString(), number)
      keys.push(row)
      const stored = environment.json<{ report: Report }>(row)
      if (stored !== undefined) keys.push(reporterReportKey(stored.report))
    })
  }
  return keys
}

/** Facts which, applied in this order to an empty partition, make what is there. */
export function* partitionFacts(environment: Environment, partition: number): Generator<FactBody> {
  if (partition === DESK_PARTITION) {
    yield* deskFacts(environment)
    return
  }
  const keys: Buffer[] = []
  // By number, then in the order they came: the order in which they were folded.
  environment.scan({ prefix: makeKey(LIVE_SPACE.reportByNumber), limit: Number.MAX_SAFE_INTEGER }, (key, value) => {
    const number = u64Part(key, KEY_PREFIX_BYTES)
    if (partitionOfNumber(number as PhoneNumber) === partition) keys.push(reportKey(value.toString(), number))
  })
  for (const key of keys) {
    const row = environment.bytes(key)
    if (row !== undefined) yield { kind: 'report', report: decodeJson<{ report: Report }>(row).report }
  }
}
