import path from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { PACKAGE_DIRECTORY } from '../config/package-directory.ts'
import { createListJobRunner, type ListJobRunner, TRANSFERS_RUNNING_MAX } from '../services/list-job-runner.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import type { RecordStore } from '../stores/ports.ts'
import type { LayerStoreSettings } from '../stores/redis/open-layer-store.ts'

export type JobThreads = { readonly runner: ListJobRunner; close(): Promise<void> }

export type JobThreadsOptions = {
  readonly directory: DataDirectory
  /** Missing: this node is alone. */
  readonly redis?: LayerStoreSettings
}

/** One for an import of ten million rows, one for a few entries that must not wait behind it. */
const JOB_THREADS = 2
export const IMPORTS_RUNNING_MAX = JOB_THREADS - 1

export function startJobThreads(
  { directory, redis }: JobThreadsOptions,
  store: Pick<RecordStore, 'allocateLayer' | 'layersInUse'>,
): JobThreads {
  const threads = JOB_THREADS + (redis === undefined ? 0 : TRANSFERS_RUNNING_MAX)
  const pool = new Piscina({
    filename: path.join(PACKAGE_DIRECTORY, 'dist', 'workers', 'job.js'),
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    workerData: { dataDirectory: directory.root, ...(redis === undefined ? {} : { redis }) },
  })
  const runner = createListJobRunner({
    store,
    pool: {
      run: (job, { transferList = [] } = {}) => pool.run(job, { transferList: transferList as readonly MessagePort[] }),
    },
  })
  return { runner, close: () => pool.close({ force: true }) }
}
