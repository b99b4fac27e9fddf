/** What the follower and the writer need from Redis: one stream of facts a partition (stores/fact.ts). */

/**
 * Where a fact stands in its partition. Sequences count 1, 2, 3 … without gaps over all epochs. The epoch grows whenever
 * the Redis server behind the partition is another one than before (failover, restart), because only then can facts that
 * somebody has read be missing.
 */
export type Position = { readonly epoch: number; readonly sequence: number }
export const START: Position = { epoch: 0, sequence: 0 }

export type FactEntry = {
  readonly position: Position
  /** 32 hexadecimal digits, made by the author. Empty for the mark of a new epoch, which has no payload either. */
  readonly factId: string
  readonly payload: Buffer
}

/** The state of a partition as the server that answers has it, which a moment ago became another one perhaps. */
export type PartitionHead = Position & {
  /** Sequence of the oldest entry that is still in the stream itself; older ones are in segments. */
  readonly oldest: number
}

export type FactPage = {
  readonly entries: readonly FactEntry[]
  /** Sequence of the partition's last entry, as the server that answered has it. */
  readonly newest: number
}

export type ReadHow = {
  readonly limit: number
  /** For reading far: larger pages over a connection of its own, with more patience. Otherwise it settles at once. */
  readonly isBulk: boolean
}

export type FactStreams = {
  /**
   * Appends a fact, once: a factId that the partition has seen within the last hour (a day for the desk partition) is not
   * appended again, and its first position is the answer.
   * Rejects with UNAVAILABLE when nobody answered in time (whether it was appended is unknown then), RECORD_LOST when
   * the partition is not there any more or is being restored, RECORD_DAMAGED when something of others is at its end,
   * STORAGE_FULL when Redis has no memory left. `token`: of the node that restores the partition.
   */
  append(
    partition: number,
    factId: string,
    payload: Buffer,
    token?: string,
  ): Promise<{ position: Position; isNew: boolean }>
  /**
   * Entries behind `after`, in order, from the stream or from segments: at most `limit`, and fewer when they are large or
   * a segment ends. Rejects with UNAVAILABLE,
   * RECORD_LOST; with RECORD_DAMAGED when entries in between are missing; with RECORD_DIVERGED when the partition does not
   * contain `after`. Its details: `keptUpTo`, the sequence up to which `after`'s history and the partition's are the same;
   * `isExact`: false when the epoch of `after` was lost whole, `keptUpTo` is 0 then and commonUpTo (epochs.ts) finds the
   * place from the reader's own epochs, `epochs` and `lastSequence`.
   */
  read(partition: number, after: Position, how: ReadHow): Promise<FactPage>
  /**
   * Reads on in all partitions at once: `afters[n]` is the position in partition n, undefined when nobody asks for it (its
   * answer is empty). One exchange a server while there is little news. An empty array may also stand for a partition that
   * is lost or went back a moment ago: each call looks closely at one partition in turn.
   */
  readAll(afters: readonly (Position | undefined)[], limit: number): Promise<(FactEntry[] | Error)[]>
  /**
   * Looks whether the partition is there and whether its server changed; marks the new epoch when it did. Rejects like
   * append, and with RECORD_FOREIGN when another record has taken its place.
   */
  touch(partition: number): Promise<PartitionHead>
}
