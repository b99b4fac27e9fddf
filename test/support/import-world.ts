import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { ImportMode, ImportRecord } from '../../src/domain/import.ts'
import type { ListKind } from '../../src/domain/number-list.ts'
import type { JobDependencies } from '../../src/jobs/job-dependencies.ts'
import { IMPORT_LIMITS, type ListJob } from '../../src/jobs/list-jobs.ts'
import { runListJob } from '../../src/jobs/run-list-job.ts'
import { createImportService, type ImportService, type ImportServiceOptions } from '../../src/services/import-list.ts'
import { createListJobRunner, type JobPool, type ListJobRunner } from '../../src/services/list-job-runner.ts'
import { openDataDirectory } from '../../src/stores/data-directory.ts'
import { createMemoryStore, type MemoryStore } from '../../src/stores/memory/memory-store.ts'
import { REMOVED } from '../../src/stores/ports.ts'
import { createTrafficLogReader } from '../../src/stores/traffic-log/traffic-impact.ts'

/** An import service over the in-memory store, with jobs run in this thread. */
export type ImportWorld = {
  readonly store: MemoryStore
  readonly root: string
  readonly imports: ImportService
  readonly jobs: ListJobRunner
  readonly notified: number[]
  readonly faults: unknown[]
  /** Runs before every job: a test may wait, throw or change something here. */
  beforeJob: (job: ListJob) => Promise<void> | void
  /** Runs after every job. */
  afterJob: (job: ListJob) => Promise<void> | void
  createList(name: string, kind?: ListKind): Promise<void>
  begin(list: string, content: string | Uint8Array, how?: Partial<ImportHow>): Promise<string>
  /** Begins an import and waits for its end. */
  import(list: string, content: string | Uint8Array, how?: Partial<ImportHow>): Promise<ImportRecord>
  /** Waits until the import is queued or running no more. */
  settled(importId: string): Promise<ImportRecord>
  /** Another service over the same store and directory, as after a restart. */
  restart(): ImportWorld
  /** What the active version holds: numbers, and ranges as `from-to`. */
  contents(list: string): string[]
  /** The same rows with their reasons, '' without one. */
  reasons(list: string): Record<string, string>
  remove(): void
}

export type ImportHow = { mode: ImportMode; dryRun: boolean; country: string }

type Given = {
  store?: MemoryStore
  root?: string
  options?: Partial<ImportServiceOptions>
  traffic?: JobDependencies['traffic']
}

export function createImportWorld(given: Given = {}): ImportWorld {
  const store = given.store ?? createMemoryStore()
  const root = given.root ?? mkdtempSync(path.join(os.tmpdir(), 'zaslon-imports-'))
  const directory = openDataDirectory(root)
  const traffic = given.traffic ?? createTrafficLogReader({ directory: directory.traffic })
  const dependencies: JobDependencies = { contents: store.contents, traffic, directory, now: Date.now }
  const pool: JobPool = {
    async run(job) {
      await world.beforeJob(job)
      const outcome = await runListJob(job, dependencies)
      await world.afterJob(job)
      return outcome
    },
  }
  const jobs = createListJobRunner({ store, pool })
  const notified: number[] = []
  const faults: unknown[] = []
  const imports = createImportService(
    {
      directory: directory.imports,
      timeZone: 'Europe/Moscow',
      limits: IMPORT_LIMITS,
      heldRemovedShare: 0.2,
      heldCallsShare: 0.01,
      runningMax: 1,
      ...given.options,
    },
    {
      store,
      jobs,
      notify: async (sequence) => void notified.push(sequence),
      now: Date.now,
      onFault: (error) => void faults.push(error),
    },
  )
  let uploads = 0
  const world: ImportWorld = {
    store,
    root,
    imports,
    jobs,
    notified,
    faults,
    beforeJob: () => {},
    afterJob: () => {},
    async createList(name, kind = 'deny') {
      await store.putList({ name, kind, title: name }, 'test')
    },
    async begin(list, content, how = {}) {
      const spoolPath = path.join(directory.imports, `upload-${process.hrtime.bigint()}-${uploads++}.spool`)
      writeFileSync(spoolPath, content)
      const request = { list, mode: 'replace', dryRun: false, country: 'RU', spoolPath, ...how } as const
      return (await imports.begin(request, 'test')).importId
    },
    async import(list, content, how) {
      return world.settled(await world.begin(list, content, how))
    },
    async settled(importId) {
      for (;;) {
        const record = imports.get(importId)
        if (!['queued', 'parsing', 'activating'].includes(record.state)) return record
        await new Promise((resolve) => setTimeout(resolve, 2))
      }
    },
    restart: () => createImportWorld({ ...given, store, root }),
    contents: (list) => Object.keys(reasonsOf(store, list)).sort(),
    reasons: (list) => reasonsOf(store, list),
    remove: () => rmSync(root, { recursive: true, force: true }),
  }
  return world
}

/** Reads the active version through its layers, as a look-up would. */
function reasonsOf(store: MemoryStore, name: string): Record<string, string> {
  const rows = new Map<string, string>()
  const layers = store.list(name)?.active.layers ?? []
  for (const { layerId, numberCount } of [...layers].reverse()) {
    const dictionary = store.contents.dictionary(layerId)
    const put = (row: string, id = 0) => {
      if (id === REMOVED) rows.delete(row)
      else rows.set(row, id === 0 ? '' : (dictionary[id - 1]?.reason ?? ''))
    }
    const numbers = new Float64Array(numberCount)
    const ids = new Uint32Array(numberCount)
    store.contents.readNumbers(layerId, 0, numbers, ids)
    for (const [i, number] of numbers.entries()) put(String(number), ids[i])
    const ranges = store.contents.readRanges(layerId)
    for (const [i, from] of ranges.rangesFrom.entries()) put(`${from}-${ranges.rangesTo[i]}`, ranges.rangeDetails?.[i])
  }
  return Object.fromEntries(rows)
}
