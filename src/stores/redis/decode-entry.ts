import { decodeFact } from '../fact-codec.ts'
import type { DecodedEntry } from '../lmdb/apply-entries.ts'
import type { FactEntry, Position } from './fact-streams.ts'

/** Whether a page goes on where a position is, in the same epoch. */
export function follows(position: Position, page: readonly FactEntry[]): boolean {
  const first = page[0]?.position
  return first !== undefined && first.sequence === position.sequence + 1 && first.epoch === position.epoch
}

/** Throws STORAGE_FORMAT, RECORD_DAMAGED. */
export function decodeEntry(entry: FactEntry): DecodedEntry {
  return { ...entry, fact: entry.factId === '' ? undefined : decodeFact(entry.payload) }
}
