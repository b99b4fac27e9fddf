import os from 'node:os'
import { workerData } from 'node:worker_threads'
import type { JobDependencies } from '../src/jobs/job-dependencies.ts'
import type { ListJob } from '../src/jobs/list-jobs.ts'
import { runListJob } from '../src/jobs/run-list-job.ts'
import { openClock } from '../src/processes/open-clock.ts'
import { openDataDirectory } from '../src/stores/data-directory.ts'
import { openListContents } from '../src/stores/lmdb/list-contents.ts'
import { type LayerStoreSettings, openLayerStore } from '../src/stores/redis/open-layer-store.ts'
import { createTrafficLogReader } from '../src/stores/traffic-log/traffic-impact.ts'

/** What whoever makes the pool passes as `workerData`. */
export type JobThreadData = { readonly dataDirectory: string; readonly redis?: LayerStoreSettings }

// A job thread of the control process: list contents stay open for its life, a job is one call.
const { dataDirectory, redis } = workerData as JobThreadData
const directory = openDataDirectory(dataDirectory)
// Verdicts first: on Linux a nice value belongs to the thread that sets it, elsewhere it would slow the whole process.
if (process.platform === 'linux') os.setPriority(os.constants.priority.PRIORITY_LOW)
const dependencies: Omit<JobDependencies, 'now'> = {
  contents: openListContents({ directory: directory.root, readOnly: false }),
  traffic: createTrafficLogReader({ directory: directory.traffic }),
  directory,
  // The one place where a job thread gets its Redis client; it connects at the first transfer and stays.
  ...(redis === undefined ? {} : { layerStore: openLayerStore(redis, { random: Math.random }) }),
}

/** Piscina calls it with every task. */
export default function job(task: ListJob): ReturnType<typeof runListJob> {
  // Anew for each: control says in the file what an operator has decided.
  return runListJob(task, { ...dependencies, now: openClock(directory).now })
}
