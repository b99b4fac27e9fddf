import { randomInt } from 'node:crypto'
import { createLayerGate, gateAddAll, gateToBytes, openGate } from '../shm/gate.ts'
import { type DataDirectory, writeGateFile } from '../stores/data-directory.ts'
import type { LayerContents, LayerId, LayerRef } from '../stores/ports.ts'
import type { JobDependencies } from './job-dependencies.ts'
import type { SortedEntries } from './sorted-entries.ts'

/** Writing the rows takes about nine tenths of the time, the gate the rest. */
const ROWS_SHARE = 0.9

/** Writes a layer and its gate file, both durable when it returns. `onProgress` gets the share done, 0..1. */
export function writeLayer(
  layerId: LayerId,
  entries: SortedEntries,
  { contents, directory }: Pick<JobDependencies, 'contents' | 'directory'>,
  onProgress: (share: number) => void,
): LayerRef {
  const stamp = randomInt(1, 2 ** 32)
  contents.putLayer(layerId, toLayerContents(entries), {
    stamp,
    onProgress: (share) => onProgress(share * ROWS_SHARE),
  })
  if (entries.numbers.length > 0) writeGate(layerId, entries.numbers, stamp, directory)
  onProgress(1)
  return { layerId, numberCount: entries.numbers.length, rangeCount: entries.ranges.from.length, stamp }
}

function toLayerContents({ numbers, numberIds, ranges, dictionary }: SortedEntries): LayerContents {
  return {
    numbers,
    ...(numberIds === undefined ? {} : { numberDetails: numberIds }),
    rangesFrom: ranges.from,
    rangesTo: ranges.to,
    rangeDetails: ranges.ids,
    dictionary,
  }
}

/** Removed numbers are in the gate too: the look-up must find that the delta takes them away. */
function writeGate(layerId: LayerId, numbers: Float64Array, stamp: number, directory: DataDirectory): void {
  const memory = createLayerGate(numbers.length)
  gateAddAll(openGate(memory), numbers)
  writeGateFile(directory, layerId, gateToBytes(memory, stamp))
}
