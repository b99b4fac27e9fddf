import { callFunction } from './call-function.ts'
import type { Position } from './fact-streams.ts'
import { reputationKey } from './keys.ts'
import type { RedisLink } from './redis-link.ts'

export type ReputationPublication = {
  /** Of the last fact that is folded in. */
  readonly position: Position
  readonly reports: number
  readonly score: number
  /** The record of domain/reputation.ts. */
  readonly record: Uint8Array
}

/** Evidence that old counts for nothing any more; a number of a record that is gone is not kept longer. */
const KEPT_SECONDS = 366 * 86_400

/** Writes the hash of a number unless it holds the same or a newer position of the same record (false). */
export async function publishReputation(
  link: RedisLink,
  recordId: string,
  partition: number,
  number: number,
  { position, reports, score, record }: ReputationPublication,
): Promise<boolean> {
  const answer = await callFunction(link, 'publish', 'publishing a reputation', {
    keys: [reputationKey(partition, number)],
    args: [
      String(position.epoch),
      String(position.sequence),
      String(reports),
      String(score),
      Buffer.from(record.buffer, record.byteOffset, record.byteLength),
      recordId,
      String(KEPT_SECONDS),
    ],
  })
  return answer === 1
}
