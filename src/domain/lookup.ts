import type { PhoneNumber } from './phone-number.ts'

/** What an exact look-up of a number in one layer says. */
export const ENTRY_ABSENT = 0
export const ENTRY_PRESENT = 1
/** The layer takes the number off the list again: layers below must not be asked. */
export const ENTRY_REMOVED = 2
/** Present, but its time is over: counts as absent, layers below must not be asked. */
export const ENTRY_EXPIRED = 3
export type EntryState = 0 | 1 | 2 | 3

/** Where the moment an entry expires is expected (epoch milliseconds): it never does, or the layer takes the number off. */
export const EXPIRES_NEVER = Number.POSITIVE_INFINITY
export const EXPIRES_REMOVED = Number.NEGATIVE_INFINITY

/**
 * What the engine asks the local copy while a call waits: synchronous, no allocation, one number at a time.
 * Implemented by stores/lmdb/lookup.ts (read-only, memory-mapped, one per verdict thread) and stores/memory.
 */
export type NumberLookup = {
  entry(layerId: number, number: PhoneNumber, nowMs: number): EntryState
  /** The stored reputation record (domain/reputation.ts layout), valid until the next call; undefined when unknown. */
  reputation(number: PhoneNumber): DataView | undefined
}
