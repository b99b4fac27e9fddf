import type { LoadedConfig } from '../config/load-config.ts'
import type { ImportRecord } from '../domain/import.ts'
import { IMPORT_LIMITS } from '../jobs/list-jobs.ts'
import type { ControlServices } from '../services/control-services.ts'
import { createImportService } from '../services/import-list.ts'
import { createNumberingImport } from '../services/import-numbering.ts'
import type { ListJobRunner } from '../services/list-job-runner.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import type { ListContents, RecordStore } from '../stores/ports.ts'
import { cleanRegularly } from './clean-regularly.ts'
import { IMPORTS_RUNNING_MAX } from './job-threads.ts'

/** Uploads at work: the imports in the job threads, and what an earlier life of this process left behind. */
export type Imports = {
  readonly lists: ControlServices['imports']
  readonly numbering: { readonly import: ControlServices['numbering']['import'] }
  close(): Promise<void>
}

export type ImportsOptions = { readonly config: LoadedConfig; readonly directory: DataDirectory }

export type ImportsDependencies = {
  readonly store: RecordStore
  readonly contents: ListContents
  readonly jobs: ListJobRunner
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
  readonly onFault: (error: unknown) => void
  /** An import came to rest. */
  readonly onSettled: (record: ImportRecord) => void
}

export async function startImports(options: ImportsOptions, dependencies: ImportsDependencies): Promise<Imports> {
  const { config, directory } = options
  const { store, contents, jobs, notify, now, onFault, onSettled } = dependencies
  const lists = createImportService(
    {
      runningMax: IMPORTS_RUNNING_MAX,
      heldRemovedShare: config.imports.heldRemovedShare,
      heldCallsShare: config.imports.heldCallsShare,
      timeZone: config.timeZone,
      directory: directory.imports,
      limits: { ...IMPORT_LIMITS, bytesMax: config.imports.bytesMax },
    },
    { store, jobs, notify, now, onFault, onSettled },
  )
  await lists.resume()
  const stopCleaning = cleanRegularly({ store, contents, jobs, now, onFault })
  return {
    lists,
    numbering: { import: createNumberingImport({ store, jobs, notify, now, onFault }) },
    async close() {
      stopCleaning()
      await lists.close()
    },
  }
}
