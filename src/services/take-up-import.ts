import { ScreeningError } from '../domain/errors.ts'
import type { RecordStore } from '../stores/ports.ts'
import { noteEnd } from './import-ends.ts'
import type { StoredImport } from './import-records.ts'

/** Starts of one import, restarts of the process included. */
const ATTEMPTS_MAX = 2

export type TakeUpDependencies = {
  readonly store: Pick<RecordStore, 'list' | 'oldestSequence'>
  /** Of the spool file that is there; undefined: none is. */
  readonly spoolBytes: number | undefined
  readonly nowMs: number
  readonly onFault: (error: unknown) => void
}

/**
 * What a restart does with an import that it interrupted, which its record then says: go on with its activation, begin
 * again, or nothing, for it is active or has failed with IMPORT_INTERRUPTED.
 */
export function takeUpImport(
  stored: StoredImport,
  { store, spoolBytes, nowMs, onFault }: TakeUpDependencies,
): 'go-on' | 'begin-again' | 'ended' {
  const { record } = stored
  const list = store.list(record.list)
  const isWhole = spoolBytes === stored.spoolBytes
  if (record.state === 'activating' && stored.waiting !== undefined && isWhole) {
    stored.activation ??= { actor: record.actor, since: store.oldestSequence() }
    return 'go-on'
  }
  delete record.problem
  if (record.state === 'activating' && list?.active.importId === record.importId) {
    record.state = 'active'
    record.version = list.activeVersion
    record.finishedMs = nowMs
    return 'ended'
  }
  if (list !== undefined && isWhole && stored.attempts < ATTEMPTS_MAX) {
    record.state = 'queued'
    record.progress = 0
    return 'begin-again'
  }
  const message = 'The service stopped while it imported this upload. Send it again.'
  noteEnd(stored, new ScreeningError('IMPORT_INTERRUPTED', message), { nowMs, onFault })
  return 'ended'
}
