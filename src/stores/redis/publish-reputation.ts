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

/** Writes the hash of a number unless it holds the same or a newer position (false). */
export async function publishReputation(
  link: RedisLink,
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
    ],
  })
  return answer === 1
}
