import path from 'node:path'
import { Piscina } from 'piscina'
import { PACKAGE_DIRECTORY } from '../config/package-directory.ts'
import { type ErrorCode, ScreeningError } from '../domain/errors.ts'
import type { Trunk } from '../domain/trunk.ts'
import type { JobOutcome } from '../jobs/list-jobs.ts'
import type { EventRehearsal, RehearseEventsJob } from '../jobs/rehearse-events.ts'

/** What whoever makes the pool passes as `workerData`. */
export type RehearsalThreadData = {
  readonly dataDirectory: string
  readonly homeCountry: string
  readonly trunks: readonly Trunk[]
}

export type RehearsalThreads = {
  /** Rejects with what rehearseEvents throws, IMPORT_TOO_WIDE, storage errors. */
  run(job: RehearseEventsJob): Promise<EventRehearsal>
  close(): Promise<void>
}

/** A rehearsal of events is rare and takes one core for seconds: one at a time, in a thread that goes when it is idle. */
const IDLE_MS = 30_000

/** Apart from the threads of list jobs, so that entries never wait behind a rehearsal. The record must be open in this process. */
export function startRehearsalThreads(workerData: RehearsalThreadData): RehearsalThreads {
  const pool = new Piscina({
    filename: path.join(PACKAGE_DIRECTORY, 'dist', 'workers', 'rehearsal.js'),
    minThreads: 0,
    maxThreads: 1,
    concurrentTasksPerWorker: 1,
    idleTimeout: IDLE_MS,
    workerData,
  })
  return {
    async run(job) {
      const outcome = (await pool.run(job)) as JobOutcome<EventRehearsal>
      if (outcome.ok) return outcome.value
      throw new ScreeningError(outcome.code as ErrorCode, outcome.message, outcome.details)
    },
    close: () => pool.close({ force: true }),
  }
}
