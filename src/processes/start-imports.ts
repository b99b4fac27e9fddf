import path from 'node:path'
import type { MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { LoadedConfig } from '../config/load-config.ts'
import { PACKAGE_DIRECTORY } from '../config/package-directory.ts'
import type { ImportRecord } from '../domain/import.ts'
import { IMPORT_LIMITS } from '../jobs/list-jobs.ts'
import type { ControlServices } from '../services/control-services.ts'
import { createImportService } from '../services/import-list.ts'
import { createNumberingImport } from '../services/import-numbering.ts'
import { createListJobRunner, TRANSFERS_RUNNING_MAX } from '../services/list-job-runner.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import type { RecordStore } from '../stores/ports.ts'
import type { LayerStoreSettings } from '../stores/redis/open-layer-store.ts'

/** Uploads at work: the job threads, the imports in them, and what an earlier life of this process left behind. */
export type Imports = {
  readonly lists: ControlServices['imports']
  readonly numbering: { readonly import: ControlServices['numbering']['import'] }
  close(): Promise<void>
}

export type ImportsOptions = {
  readonly config: LoadedConfig
  readonly directory: DataDirectory
  /** Missing: this node is alone. */
  readonly redis?: LayerStoreSettings
}

export type ImportsDependencies = {
  readonly store: RecordStore
  readonly notify: (sequence: number) => Promise<void>
  readonly onFault: (error: unknown) => void
  /** An import came to rest. */
  readonly onSettled: (record: ImportRecord) => void
}

/** One for an import of ten million rows, one for a few entries that must not wait behind it. */
const JOB_THREADS = 2
const IMPORTS_RUNNING_MAX = JOB_THREADS - 1

export async function startImports(options: ImportsOptions, dependencies: ImportsDependencies): Promise<Imports> {
  const { config, directory, redis } = options
  const threads = JOB_THREADS + (redis === undefined ? 0 : TRANSFERS_RUNNING_MAX)
  const { store, notify, onFault, onSettled } = dependencies
  const pool = new Piscina({
    filename: path.join(PACKAGE_DIRECTORY, 'dist', 'workers', 'job.js'),
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 1,
    workerData: { dataDirectory: directory.root, ...(redis === undefined ? {} : { redis }) },
  })
  const jobs = createListJobRunner({
    store,
    pool: {
      run: (job, { transferList = [] } = {}) => pool.run(job, { transferList: transferList as readonly MessagePort[] }),
    },
  })
  const lists = createImportService(
    {
      runningMax: IMPORTS_RUNNING_MAX,
      heldRemovedShare: config.imports.heldRemovedShare,
      heldCallsShare: config.imports.heldCallsShare,
      timeZone: config.timeZone,
      directory: directory.imports,
      limits: { ...IMPORT_LIMITS, bytesMax: config.imports.bytesMax },
    },
    { store, jobs, notify, now: Date.now, onFault, onSettled },
  )
  await lists.resume()
  return {
    lists,
    numbering: { import: createNumberingImport({ store, jobs, notify, now: Date.now, onFault }) },
    async close() {
      await lists.close()
      await pool.close({ force: true })
    },
  }
}
