import type { ListJobRunner } from '../services/list-job-runner.ts'
import type { ListContents, RecordStore } from '../stores/ports.ts'

export type CleanRegularlyDependencies = {
  readonly store: Pick<RecordStore, 'layersInUse'>
  readonly contents: Pick<ListContents, 'layerIds'>
  readonly jobs: Pick<ListJobRunner, 'clean'>
  readonly now: () => number
  readonly onFault: (error: unknown) => void
}

const LOOK_EVERY_MS = 1_000
/** So many layers without a version are removed at once; at 10 M numbers each they would be 0.6 GB. */
const GARBAGE_MAX = 10
/** Fewer than that wait: every single entry that another node changes makes one. */
const CLEAN_EVERY_MS = 600_000
/** After a cleaning that removed little, because it is held or the disk is full. */
const PAUSE_MS = 10_000

/**
 * Whoever changes a list cleans up after itself; a node that only follows has what others' changes leave behind. Returns what
 * ends it. Begins when whatever else keeps layers (an import that waits) is known to `jobs`.
 */
export function cleanRegularly({ store, contents, jobs, now, onFault }: CleanRegularlyDependencies): () => void {
  let cleanedMs = now()
  let pauseWhenMuchMs = 0
  let isCleaning = false

  async function look(): Promise<void> {
    if (isCleaning) return
    const inUse = store.layersInUse()
    const garbage = contents.layerIds().filter((layerId) => !inUse.has(layerId)).length
    const pauseMs = garbage >= GARBAGE_MAX ? pauseWhenMuchMs : CLEAN_EVERY_MS
    if (garbage === 0 || now() - cleanedMs < pauseMs) return
    isCleaning = true
    try {
      const { layersDropped } = await jobs.clean()
      pauseWhenMuchMs = layersDropped < GARBAGE_MAX ? PAUSE_MS : 0
    } finally {
      cleanedMs = now()
      isCleaning = false
    }
  }

  const timer = setInterval(() => void look().catch(onFault), LOOK_EVERY_MS)
  return () => clearInterval(timer)
}
