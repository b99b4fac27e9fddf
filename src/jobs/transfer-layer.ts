import { ScreeningError } from '../domain/errors.ts'
import { createLayerGate, gateAddAll, gateFromBytes, gateToBytes, openGate } from '../shm/gate.ts'
import { type DataDirectory, readGateFile, writeGateFile } from '../stores/data-directory.ts'
import { isSameLayer, type LayerStore } from '../stores/layer-rows.ts'
import type { LayerRef, ListContents } from '../stores/ports.ts'
import { createJobControl, type JobControl } from './job-control.ts'
import type { JobDependencies } from './job-dependencies.ts'
import type { FetchLayerJob, FetchLayerResult, PushLayerJob, PushLayerResult } from './list-jobs.ts'

/** The rest is the gate. */
const ROWS_SHARE = 0.9

/** 1 MB: cancelling waits for one page. */
const GATE_PAGE_NUMBERS = 131_072

/** Rejects as LayerStore.push does. */
export async function pushLayer(job: PushLayerJob, dependencies: JobDependencies): Promise<PushLayerResult> {
  const { contents, now } = dependencies
  const control = createJobControl(job, { now })
  return { outcome: await storeOf(dependencies).push(job.layer, contents, control) }
}

/**
 * Fetches a layer and builds its gate file. A layer that is there stays as it is; one with another stamp under the same id is
 * replaced. Rejects as LayerStore.fetch does, then without a half layer; a layer without its gate file is whole.
 */
export async function fetchLayer(job: FetchLayerJob, dependencies: JobDependencies): Promise<FetchLayerResult> {
  const { contents, directory, now } = dependencies
  const { layer } = job
  const control = createJobControl(job, { now })
  const stored = contents.layer(layer.layerId)
  const isHere = stored !== undefined && isSameLayer(stored, layer)
  if (!isHere) {
    const report = (share: number) => control.report(share * ROWS_SHARE)
    const outcome = await storeOf(dependencies).fetch(layer, contents, { check: control.check, report })
    if (outcome === 'gone') return { outcome }
  }
  if (layer.numberCount > 0 && !(isHere && (await hasGate(layer, directory)))) {
    writeGate(layer, contents, { directory, control })
  }
  control.report(1)
  return { outcome: isHere ? 'present' : 'fetched' }
}

function storeOf({ layerStore }: JobDependencies): LayerStore {
  if (layerStore !== undefined) return layerStore
  throw new ScreeningError('UNAVAILABLE', 'This node shares no lists: it has no Redis.', {
    hint: 'Name the Redis servers in the configuration and start again.',
  })
}

async function hasGate({ layerId, stamp = 0 }: LayerRef, directory: DataDirectory): Promise<boolean> {
  try {
    const bytes = await readGateFile(directory, layerId)
    return bytes !== undefined && gateFromBytes(bytes, stamp).byteLength > 0
  } catch {
    // Of other contents, damaged or unreadable: it is written anew.
    return false
  }
}

/** Holds two gates at most, 12 bits a number each: 30 MB for 10 M numbers. */
function writeGate(
  { layerId, numberCount, stamp = 0 }: LayerRef,
  contents: ListContents,
  { directory, control }: { directory: DataDirectory; control: JobControl },
): void {
  const memory = createLayerGate(numberCount)
  const gate = openGate(memory)
  const page = new Float64Array(Math.min(numberCount, GATE_PAGE_NUMBERS))
  let done = 0
  for (let after = 0; ; after = page[page.length - 1] ?? 0) {
    control.check()
    const count = contents.readNumbers(layerId, after, page)
    gateAddAll(gate, page, 0, count)
    done += count
    control.report(ROWS_SHARE + (1 - ROWS_SHARE) * (done / numberCount))
    if (count < page.length) break
  }
  writeGateFile(directory, layerId, gateToBytes(memory, stamp))
}
