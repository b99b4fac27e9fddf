import type { Environment } from './environment.ts'
import { LIVE_SPACE, makeKey } from './keys.ts'
import { encodeJson } from './values.ts'
import type { WriteSet } from './write-set.ts'

/** Numbers that are given out once (`layerId`, `listId`, `review`), and counts that bound what is kept. */
export type Counters = {
  readonly layerId: number
  readonly listId: number
  readonly reviewId: number
  readonly openReviews: number
  readonly closedReviews: number
}

export const COUNTERS_KEY = makeKey(LIVE_SPACE.meta, { text: 'counters' })
const NEW: Counters = { layerId: 0, listId: 0, reviewId: 0, openReviews: 0, closedReviews: 0 }

export function readCounters(environment: Environment): Counters {
  return { ...NEW, ...environment.json<Partial<Counters>>(COUNTERS_KEY) }
}

export function writeCounters(writes: WriteSet, counters: Counters): void {
  writes.put(COUNTERS_KEY, encodeJson(counters))
}
