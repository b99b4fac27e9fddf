import type { DataDirectory } from '../stores/data-directory.ts'
import type { LayerStore } from '../stores/layer-rows.ts'
import type { ListContents } from '../stores/ports.ts'
import type { TrafficLogReader } from '../stores/traffic-log/traffic-impact.ts'

/** What the composition root of a job thread hands to its jobs. */
export type JobDependencies = {
  /** This thread's writable list contents. */
  readonly contents: ListContents
  readonly traffic: TrafficLogReader
  readonly directory: DataDirectory
  readonly now: () => number
  /** The layers all nodes share. Missing: this node is alone. */
  readonly layerStore?: LayerStore
}
