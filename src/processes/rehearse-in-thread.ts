import { ScreeningError } from '../domain/errors.ts'
import type { JobOutcome } from '../jobs/list-jobs.ts'
import { type EventRehearsal, type RehearseEventsJob, rehearseEvents } from '../jobs/rehearse-events.ts'
import { parseTime } from '../services/parse-time.ts'
import type { VerdictStore } from '../stores/ports.ts'
import { openReplayBlocks, openReplaySide, type ReplaySideOptions } from './open-replay-side.ts'

/**
 * Replays events under what is in force and under the candidate. Operating errors come back as data, because a ScreeningError
 * loses its code on the way between threads; anything else is a fault in this code and rejects.
 */
export async function rehearseInThread(
  { source, candidate }: RehearseEventsJob,
  options: Omit<ReplaySideOptions, 'candidate' | 'blocks'>,
  store: VerdictStore,
  now: () => number,
): Promise<JobOutcome<EventRehearsal>> {
  try {
    const blocks = await openReplayBlocks(store, now())
    const sides = {
      inForce: await openReplaySide({ ...options, blocks }, store),
      candidate: await openReplaySide({ ...options, blocks, candidate }, store),
    }
    return { ok: true, value: rehearseEvents({ source }, { ...sides, parseTime }) }
  } catch (error) {
    if (!(error instanceof ScreeningError)) throw error
    return { ok: false, code: error.code, message: error.message, details: error.details }
  }
}
