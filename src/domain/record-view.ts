/**
 * How this node stands to its record. `following`: everything in it is in force here, but what came a moment ago.
 * `catching-up`: Redis answers, and what came while this node did not follow is being read. `away`:
 * Redis does not answer, or refuses this node (the problem is CONFIG_INVALID then); tried again all the time. `waiting`: the contents of a list are not in Redis; asked for each second,
 * and whichever node has them gives them back. The others keep the last good state and need somebody:
 * - `lost`: Redis answers, but the record, or a part of it, is gone, another record is in its place (the problem is
 *   RECORD_FOREIGN then), or a node is restoring it.
 * - `diverged`: Redis has another history, and misses more than this node can offer again.
 * - `damaged`: entries are missing or are no facts.
 * - `newer`: a newer version wrote facts that this one cannot read.
 * - `stopped`: this node's disk refused.
 */
export const RECORD_STATES = [
  'following',
  'catching-up',
  'away',
  'waiting',
  'lost',
  'diverged',
  'damaged',
  'newer',
  'stopped',
] as const
export type RecordState = (typeof RECORD_STATES)[number]

/** `hint`: what to do about it, where the code and the state alone do not say it. */
export type RecordProblem = { readonly code: string; readonly detail: string; readonly hint?: string }

export type RecordView =
  | { readonly kind: 'embedded' }
  | {
      readonly kind: 'redis'
      readonly recordId: string
      /** Addresses as configured, without passwords. */
      readonly redis: string
      /** Of the worst partition. */
      readonly state: RecordState
      /** How many of the 65 partitions are in each state. */
      readonly partitions: Readonly<Partial<Record<RecordState, number>>>
      readonly problem?: RecordProblem
      /** The last moment of which everything in the record is in this node's log, epoch milliseconds; 0: never yet. */
      readonly freshMs: number
      /** Facts known to be in Redis and not applied here yet; not there: Redis was not asked since the start. */
      readonly behind?: number
      /** Facts applied since this process started, and of them taken back because Redis lost them. */
      readonly applied: number
      readonly rewound: number
      /** Reports that wait on this node's disk for Redis; `oldestMs` is when the oldest came, epoch milliseconds. */
      readonly outbox: { readonly facts: number; readonly max: number; readonly oldestMs?: number }
    }
