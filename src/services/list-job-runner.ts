/**
 * The services' end of the job threads: runs jobs, reserves the layers they write, and has garbage removed. One for all
 * services, so that nobody's cleaning removes what another one is writing.
 */
import { type ErrorCode, ScreeningError } from '../domain/errors.ts'
import {
  type CleanListsJob,
  type CleanListsResult,
  CONTROL_BYTES,
  type FetchLayerResult,
  type JobOutcome,
  type ListJob,
  type ListJobResults,
  type ProgressPort,
  type PushLayerResult,
} from '../jobs/list-jobs.ts'
import type { LayerId, LayerRef, RecordStore } from '../stores/ports.ts'
import { createSlots } from '../stores/slots.ts'
import { recordStep } from './patience.ts'

/** What Piscina is to us. Two threads at least: a few entries must not wait behind ten million. */
export type JobPool = {
  run(job: ListJob, options?: { transferList?: readonly unknown[] }): Promise<unknown>
}

/** The job stopped because it was asked to. */
export class JobStopped extends Error {}

/** One at a time: a transfer holds a job thread for as long as Redis takes, and two of one layer would write over each other. */
export const TRANSFERS_RUNNING_MAX = 1

export type TransferOptions = {
  /** As in the jobs: word CONTROL_CANCEL stops the transfer. */
  readonly control?: SharedArrayBuffer
  readonly progress?: ProgressPort
}

export type ListJobRunner = {
  /** Rejects with ScreeningError or JobStopped. */
  run<K extends ListJob['kind']>(
    job: Extract<ListJob, { kind: K }>,
    transferList?: readonly unknown[],
  ): Promise<ListJobResults[K]>
  /**
   * Runs `work` with a layer id that nothing else uses; the layer is garbage unless a version points to it afterwards. Who
   * is patient gets RecordAway when the record gives none.
   */
  withLayer<T>(work: (layerId: LayerId) => Promise<T>, how?: { readonly isPatient: boolean }): Promise<T>
  /** Runs `work` while these layers, which other nodes allocated, are no garbage. */
  holdLayers<T>(layerIds: readonly LayerId[], work: () => Promise<T>): Promise<T>
  /**
   * Copies a shared layer to this node. Hold it (holdLayers) until a version points to it. Waits for work that has this id
   * itself (withLayer): two would write over each other. TRANSFERS_RUNNING_MAX transfers run
   * at a time, the others wait. Rejects like `run`, with JobStopped once `control` says so.
   */
  fetchLayer(layer: LayerRef, options?: TransferOptions): Promise<FetchLayerResult>
  /** Copies a layer of this node to the shared ones. */
  pushLayer(layer: LayerRef, options?: TransferOptions): Promise<PushLayerResult>
  /** The greatest id that this runner has reserved; 0: none yet. */
  layerIdMax(): LayerId
  /** Whether another node's layer of this id waits to be fetched until the work with it here (withLayer) is over. */
  isContested(layerId: LayerId): boolean
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
  const reserved = new Map<LayerId, number>()
  /** Ids that are being worked with, until the work is over. */
  const written = new Map<LayerId, Promise<unknown>>()
  const contested = new Set<LayerId>()
  const transfers = createSlots(TRANSFERS_RUNNING_MAX)
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
    async withLayer(work, { isPatient } = { isPatient: false }) {
      // The first cleaning takes every unknown layer for garbage of an earlier life.
      if (layerIdMax === undefined) await cleaning.catch(() => {})
      const layerId = await (isPatient
        ? recordStep(
            () => store.allocateLayer(),
            () => performance.now(),
          )
        : store.allocateLayer())
      layerIdMax = Math.max(layerIdMax ?? 0, layerId)
      const working = hold([layerId], () => work(layerId)).finally(() => written.delete(layerId))
      written.set(
        layerId,
        working.catch(() => {}),
      )
      return working
    },
    holdLayers: (layerIds, work) =>
      hold(layerIds, async () => {
        // A cleaning that runs already does not know of them.
        await cleaning.catch(() => {})
        return work()
      }),
    async fetchLayer(layer, options) {
      const { layerId } = layer
      if (written.has(layerId)) {
        contested.add(layerId)
        await written.get(layerId)
        contested.delete(layerId)
      }
      // Garbage of other nodes has greater ids than any of ours, at last.
      if (layerIdMax !== undefined) layerIdMax = Math.max(layerIdMax, layerId)
      return transfer({ kind: 'fetch-layer', layer }, options)
    },
    pushLayer: (layer, options) => transfer({ kind: 'push-layer', layer }, options),
    layerIdMax: () => layerIdMax ?? 0,
    isContested: (layerId) => contested.has(layerId),
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

  async function hold<T>(layerIds: readonly LayerId[], work: () => Promise<T>): Promise<T> {
    for (const layerId of layerIds) reserved.set(layerId, (reserved.get(layerId) ?? 0) + 1)
    try {
      return await work()
    } finally {
      for (const layerId of layerIds) {
        const holders = (reserved.get(layerId) ?? 1) - 1
        if (holders === 0) reserved.delete(layerId)
        else reserved.set(layerId, holders)
      }
    }
  }

  function transfer<K extends 'fetch-layer' | 'push-layer'>(
    what: { kind: K; layer: LayerRef },
    { control = new SharedArrayBuffer(CONTROL_BYTES), progress }: TransferOptions = {},
  ): Promise<ListJobResults[K]> {
    return runner.holdLayers([what.layer.layerId], () =>
      transfers(() => {
        const job = { ...what, control, ...(progress === undefined ? {} : { progress }) } as Extract<
          ListJob,
          { kind: K }
        >
        return runner.run<K>(job, progress === undefined ? [] : [progress])
      }),
    )
  }

  function cleanNow(files: Pick<CleanListsJob, 'keepFiles' | 'removeFiles'>): Promise<CleanListsResult> {
    const keepLayers = [...store.layersInUse(), ...reserved.keys(), ...keepers.flatMap((layers) => layers())]
    return runner.run({ kind: 'clean-lists', keepLayers, layerIdMax: layerIdMax ?? Number.MAX_SAFE_INTEGER, ...files })
  }

  return runner
}
