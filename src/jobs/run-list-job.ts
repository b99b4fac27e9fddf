import { ScreeningError } from '../domain/errors.ts'
import { changeEntries, rebaseImport } from './change-entries.ts'
import { cleanLists, keepSpool } from './clean-lists.ts'
import { importNumbering } from './import-numbering.ts'
import { JobCancelled } from './job-control.ts'
import type { JobDependencies } from './job-dependencies.ts'
import type { JobOutcome, ListJob, ListJobResults } from './list-jobs.ts'
import { stageImport } from './stage-import.ts'
import { fetchLayer, pushLayer } from './transfer-layer.ts'

/**
 * Runs one job in a job thread. Operating errors and cancellation come back as data; anything else is a fault in this
 * code and rejects.
 */
export async function runListJob(
  job: ListJob,
  dependencies: JobDependencies,
): Promise<JobOutcome<ListJobResults[ListJob['kind']]>> {
  try {
    return { ok: true, value: await dispatch(job, dependencies) }
  } catch (error) {
    dropUnfinished(job, dependencies)
    if (error instanceof JobCancelled) return { ok: false, code: 'CANCELLED', message: error.message, details: {} }
    if (error instanceof ScreeningError) {
      return { ok: false, code: error.code, message: error.message, details: error.details }
    }
    const full = fullDisk(error)
    if (full !== undefined) return full
    throw error
  }
}

function dispatch(
  job: ListJob,
  dependencies: JobDependencies,
): Promise<ListJobResults[ListJob['kind']]> | ListJobResults[ListJob['kind']] {
  switch (job.kind) {
    case 'stage-import':
      return stageImport(job, dependencies)
    case 'change-entries':
      return changeEntries(job, dependencies)
    case 'rebase-import':
      return rebaseImport(job, dependencies)
    case 'import-numbering':
      return importNumbering(job, dependencies)
    case 'clean-lists':
      return cleanLists(job, dependencies)
    case 'keep-spool':
      return keepSpool(job)
    case 'push-layer':
      return pushLayer(job, dependencies)
    case 'fetch-layer':
      return fetchLayer(job, dependencies)
    default:
      return job satisfies never
  }
}

/** What a failed job wrote is garbage; when even that cannot be removed, the next cleaning will. */
function dropUnfinished(job: ListJob, { contents }: JobDependencies): void {
  if (!('layerId' in job)) return
  try {
    contents.dropLayer(job.layerId)
  } catch {
    // The disk is full or failing, which the job's own error says already.
  }
}

/** Spools, rejected rows and gates are plain files: their full disk is ours too. */
function fullDisk(error: unknown): JobOutcome<never> | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return { ok: false, code: 'STORAGE_FULL', message: 'The disk is full; nothing was changed.', details: {} }
  }
  if (typeof code !== 'string' || !/^E[A-Z]+$/.test(code)) return undefined
  return { ok: false, code: 'STORAGE_FAILED', message: `A file of the import cannot be used (${code}).`, details: {} }
}
