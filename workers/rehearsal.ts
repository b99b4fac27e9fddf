import os from 'node:os'
import { workerData } from 'node:worker_threads'
import { diallingRules } from '../src/domain/dialling-rules.ts'
import type { RehearseEventsJob } from '../src/jobs/rehearse-events.ts'
import { openClock } from '../src/processes/open-clock.ts'
import type { RehearsalThreadData } from '../src/processes/rehearsal-threads.ts'
import { rehearseInThread } from '../src/processes/rehearse-in-thread.ts'
import { openVerdictStore } from '../src/stores/lmdb/verdict-store.ts'

// A rehearsal thread of the control process: the record stays open for its life, a rehearsal is one call.
const { dataDirectory, homeCountry, trunks } = workerData as RehearsalThreadData
// Verdicts first, but somebody waits for the answer: a tenth of a busy core. On Linux a nice value belongs to the thread that
// sets it, elsewhere it would slow the whole process.
if (process.platform === 'linux') os.setPriority(os.constants.priority.PRIORITY_BELOW_NORMAL)
const store = await openVerdictStore({ directory: dataDirectory })
const home = diallingRules(homeCountry)

/** Piscina calls it with every task. */
export default function rehearsal(job: RehearseEventsJob): ReturnType<typeof rehearseInThread> {
  return rehearseInThread(job, { home, trunks }, store, openClock({ root: dataDirectory }).now)
}
