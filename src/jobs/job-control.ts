import { CONTROL_CANCEL, type JobProgress, type ProgressPort } from './list-jobs.ts'

/** Ten messages a second are enough for a progress bar and cost nothing. */
const PROGRESS_INTERVAL_MS = 100

/** Thrown by `check` once the caller asked the job to stop. */
export class JobCancelled extends Error {
  constructor() {
    super('The job was cancelled.')
    this.name = 'JobCancelled'
  }
}

/** A job's line to whoever started it. Jobs run synchronously, so cancelling goes through shared memory. */
export type JobControl = {
  /** Throws JobCancelled when the job was asked to stop. Cheap: call it once a block, not once a row. */
  check(): void
  /** `progress` is 0..1; messages between two intervals are dropped. */
  report(progress: number, counts?: JobProgress['counts']): void
}

export function createJobControl(
  options: { control?: SharedArrayBuffer | undefined; progress?: ProgressPort | undefined },
  { now }: { now: () => number },
): JobControl {
  const words = options.control === undefined ? undefined : new Int32Array(options.control)
  let lastMs = 0
  return {
    check() {
      // Pairs with the store in ImportService.cancel.
      if (words !== undefined && Atomics.load(words, CONTROL_CANCEL) !== 0) throw new JobCancelled()
    },
    report(progress, counts) {
      if (options.progress === undefined) return
      const nowMs = now()
      if (nowMs - lastMs < PROGRESS_INTERVAL_MS) return
      lastMs = nowMs
      const message: JobProgress = counts === undefined ? { progress } : { progress, counts }
      options.progress.postMessage(message)
    },
  }
}
