/** What the record of an import says when it did not become active. */
import { ScreeningError } from '../domain/errors.ts'
import type { RefusedUpload } from '../jobs/list-jobs.ts'
import type { StoredImport } from './import-records.ts'
import { JobStopped } from './list-job-runner.ts'
import type { RecordAway } from './patience.ts'

/**
 * Cancelled, or failed with a code and a sentence; a fault of ours goes to `onFault` too. What somebody approved and cannot
 * be activated goes on waiting for somebody.
 */
export function noteEnd(
  stored: StoredImport,
  error: unknown,
  { nowMs, onFault }: { nowMs: number; onFault: (error: unknown) => void },
): void {
  const { record, activation } = stored
  record.finishedMs = nowMs
  if (error instanceof JobStopped) {
    record.state = 'cancelled'
    return
  }
  const isOurs = error instanceof ScreeningError
  if (!isOurs) onFault(error)
  const problem = isOurs ? problemOf(error) : { code: 'INTERNAL', detail: 'The import failed; see the log.' }
  if (activation?.approved !== undefined && stored.waiting !== undefined) {
    record.state = record.dryRun ? 'previewed' : 'held'
    record.problem = activation.approved.problem ?? problem
    delete stored.activation
    return
  }
  record.state = 'failed'
  record.problem = problem
  if (isOurs && error.code === 'IMPORT_EMPTY' && 'rejected' in error.details) {
    const { counts, rejected } = error.details as unknown as RefusedUpload
    record.counts = { ...record.counts, ...counts }
    record.rejected = [...rejected]
  }
}

/** Its state is `activating` when it only has to be brought into force, else `queued`; the try was no attempt. */
export function noteAway(stored: StoredImport, { cause }: RecordAway): void {
  const { record } = stored
  if (record.state === 'parsing') {
    record.state = 'queued'
    record.progress = 0
    stored.attempts = Math.max(0, stored.attempts - 1)
  }
  // Whoever sent a request is told to send it again; an import does that itself.
  const { code, detail } = cause.code === 'UNAVAILABLE' ? { code: cause.code, detail: cause.message } : problemOf(cause)
  const waits = 'The import waits until the record takes writes again, and goes on by itself then.'
  record.problem = { code, detail: `${waits} ${detail}` }
}

function problemOf(error: ScreeningError): { code: string; detail: string } {
  return { code: error.code, detail: [error.message, error.details.hint].filter(Boolean).join(' ') }
}
