/**
 * The services' end of the job threads: runs jobs, reserves the layers they write, and has garbage removed. One for all
 * services, so that nobody's cleaning removes what another one is writing.
 */
import { type ErrorCode, ScreeningError } from '../domain/errors.ts'
import type { CleanListsJob, CleanListsResult, JobOutcome, ListJob, ListJobResults } from '../jobs/list-jobs.ts'
import type { LayerId, RecordStore } from '../stores/ports.ts'

/** What Piscina is to us. Two threads at least: a few entries must not wait behind ten million. */
export type JobPool = {
  run(job: ListJob, options?: { transferList?: readonly unknown[] }): Promise<unknown>
}

/** The job stopped because it was asked to. */
export class JobStopped extends Error {}

export type ListJobRunner = {
  /** Rejects with ScreeningError or JobStopped. */
  run<K extends ListJob['kind']>(
    job: Extract<ListJob, { kind: K }>,
    transferList?: readonly unknown[],
  ): Promise<ListJobResults[K]>
  /** Runs `work` with a layer id that nothing else uses; the layer is garbage unless a version points to it afterwards. */
  withLayer<T>(work: (layerId: LayerId) => Promise<T>): Promise<T>
  /** Layers that are no garbage although no version points to them yet; asked at every cleaning. */
  keepAlso(layers: () => readonly LayerId[]): void
  /** Removes what nothing points to. Waits for its turn; rejects like `run`. */
  clean(files?: Pick<CleanListsJob, 'keepFiles' | 'removeFiles'>): Promise<CleanListsResult>
}

export function createListJobRunner({
  store,
  pool,
}: {
  store: Pick<RecordStore, 'allocateLayer' | 'layersInUse'>
  pool: JobPool
}): ListJobRunner {
  const reserved = new Set<LayerId>()
  let layerIdMax: LayerId | undefined
  let cleaning: Promise<unknown> = Promise.resolve()
  const keepers: (() => readonly LayerId[])[] = []

  const runner: ListJobRunner = {
    async run<K extends ListJob['kind']>(job: Extract<ListJob, { kind: K }>, transferList: readonly unknown[] = []) {
      const outcome = (await pool.run(job, { transferList })) as JobOutcome<ListJobResults[K]>
      if (outcome.ok) return outcome.value
      if (outcome.code === 'CANCELLED') throw new JobStopped(outcome.message)
      throw new ScreeningError(outcome.code as ErrorCode, outcome.message, outcome.details)
    },
    async withLayer(work) {
      // The first cleaning takes every unknown layer for garbage of an earlier life.
      if (layerIdMax === undefined) await cleaning.catch(() => {})
      const layerId = await store.allocateLayer()
      layerIdMax = Math.max(layerIdMax ?? 0, layerId)
      reserved.add(layerId)
      try {
        return await work(layerId)
      } finally {
        reserved.delete(layerId)
      }
    },
    keepAlso(layers) {
      keepers.push(layers)
    },
    clean(files = {}) {
      const run = cleaning.then(
        () => cleanNow(files),
        () => cleanNow(files),
      )
      cleaning = run
      return run
    },
  }

  function cleanNow(files: Pick<CleanListsJob, 'keepFiles' | 'removeFiles'>): Promise<CleanListsResult> {
    const keepLayers = [...store.layersInUse(), ...reserved, ...keepers.flatMap((layers) => layers())]
    return runner.run({ kind: 'clean-lists', keepLayers, layerIdMax: layerIdMax ?? Number.MAX_SAFE_INTEGER, ...files })
  }

  return runner
}
