import type { Position } from './fact-streams.ts'

/** An epoch and the sequence of its first entry. */
export type EpochStart = { readonly epoch: number; readonly first: number }

/**
 * Up to which sequence `after`'s history and a partition's are the same, when the partition does not contain `after`.
 *
 * An epoch is begun once, by one server, on top of one history, and entries are only added to it. So two histories that
 * both have an entry (epoch, sequence) are the same up to it (the log matching of Raft), and:
 * - When the partition has the epoch of `after`, both share it from its first entry on, until the partition's ends.
 * - When it has not, the whole epoch was lost with its marker, and the histories part below that marker. Where, `after`
 *   alone cannot tell: its author knows the epochs before (`ours`), and the greatest epoch both have decides. Both hold
 *   that one up to where the shorter of the two left it.
 *
 * `ours` are epochs of `after`'s history, `theirs` of the partition, `theirLast` its last sequence. Without `ours` the
 * answer is exact in the first case and 0, which is always safe, in the second.
 */
export function commonUpTo(
  after: Position,
  ours: readonly EpochStart[],
  theirs: readonly EpochStart[],
  theirLast: number,
): number {
  const own = ours.some(({ epoch }) => epoch === after.epoch) ? ours : [...ours, { epoch: after.epoch, first: 0 }]
  const shared = own
    .filter(({ epoch }) => theirs.some((their) => their.epoch === epoch))
    .sort((a, b) => b.epoch - a.epoch)[0]
  if (!shared) return 0
  return Math.min(endOf(shared.epoch, own, after.sequence), endOf(shared.epoch, theirs, theirLast))
}

/** The last sequence of an epoch: before the next one begins. Within one history epochs ascend. */
function endOf(epoch: number, starts: readonly EpochStart[], last: number): number {
  const later = starts.filter((start) => start.epoch > epoch && start.first > 0).map(({ first }) => first - 1)
  return Math.min(last, ...later)
}
