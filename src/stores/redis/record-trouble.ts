import type { PartitionState } from './follow-record.ts'

/** A partition of the record is not followed any more, and why. */
export type RecordTrouble = { readonly partition: number; readonly state: PartitionState; readonly error: unknown }
