import { createActivity, openActivity } from '../shm/activity.ts'
import { activityFromBytes, activityInSteps } from '../shm/activity-snapshot.ts'
import type { SnapshotPart } from '../stores/snapshot-files.ts'

/** The activity of callers of one verdict process, as its main thread has it: made, or taken up from before the restart. */
export type KeptActivity = {
  readonly part: SnapshotPart
  /** For the verdict threads. Another region before `part` is restored than after. */
  memory(): SharedArrayBuffer
}

export function createKeptActivity({ capacity }: { readonly capacity: number }): KeptActivity {
  let memory: SharedArrayBuffer | undefined
  function opened(): SharedArrayBuffer {
    memory ??= createActivity(capacity)
    return memory
  }
  return {
    memory: opened,
    part: {
      name: 'activity',
      steps: () => activityInSteps(openActivity(opened())),
      fromBytes(bytes) {
        memory = activityFromBytes(bytes, capacity)
        return true
      },
    },
  }
}
