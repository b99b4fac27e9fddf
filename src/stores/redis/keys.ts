import { DESK_PARTITION } from '../fact.ts'

/** The one fixed key: which record this Redis holds. */
export const RECORD_KEY = 'zaslon:record'

/** Keys of a partition: its number is the hash tag, so that they are in one slot. */
export type PartitionKeys = {
  readonly head: string
  readonly facts: string
  /** Sorted set: epoch by the sequence it begins with. */
  readonly epochs: string
  /** Followed by `:<bucket>`: hashes of fact ids seen lately. */
  readonly ids: string
  /** Sorted set: first sequences of sealed segments. */
  readonly segments: string
  /** Followed by `:<first sequence>`. */
  readonly segment: string
}

export function partitionKeys(recordId: string, partition: number): PartitionKeys {
  const at = (name: string) => `zaslon:{${tag(partition)}}:${recordId}:${name}`
  return {
    head: at('head'),
    facts: at('facts'),
    epochs: at('epochs'),
    ids: at('ids'),
    segments: at('segments'),
    segment: at('segment'),
  }
}

/** How long a fact id is remembered at least: an author offers a fact again within it. */
const REPORT_IDS_SECONDS = 3_600
const DESK_IDS_SECONDS = 86_400
export function idsSeconds(partition: number): number {
  return partition === DESK_PARTITION ? DESK_IDS_SECONDS : REPORT_IDS_SECONDS
}

export function layerCounterKey(recordId: string): string {
  return `zaslon:{${tag(DESK_PARTITION)}}:${recordId}:layer-counter`
}

/** What layers there are, and which of them are wanted: layer-registry.ts. */
export function layerKeys(recordId: string): { readonly layers: string; readonly wanted: string } {
  const at = `zaslon:{${tag(DESK_PARTITION)}}:${recordId}`
  return { layers: `${at}:layers`, wanted: `${at}:layers-wanted` }
}

export function layerChunkKey(recordId: string, partition: number, chunk: string): string {
  return `zaslon:{${tag(partition)}}:${recordId}:layer:${chunk}`
}

/** For anyone who reads Redis; the only key outside `zaslon:`. */
export function reputationKey(partition: number, number: number): string {
  return `reputation:{${tag(partition)}}:${number}`
}

function tag(partition: number): string {
  return `p${String(partition).padStart(2, '0')}`
}
