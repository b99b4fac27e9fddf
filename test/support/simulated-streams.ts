import { ScreeningError } from '../../src/domain/errors.ts'
import { PARTITIONS } from '../../src/stores/fact.ts'
import type { FactEntry, FactStreams, PartitionHead, Position } from '../../src/stores/redis/fact-streams.ts'

/** Streams of facts in memory that fail and lose as they are told: for fault injection and its replay, not for speed. */
export type SimulatedRecord = {
  /** What one node sees of it. */
  connect(): FactStreams & { isReachable: boolean; losesAnswers: boolean }
  /** Another server takes the partition over, without the newest `lost` entries. */
  failover(partition: number, lost: number): void
  /** Everything of the partition is gone. */
  flush(partition: number): void
  entries(partition: number): readonly FactEntry[]
}

type Partition = { epoch: number; server: number; entries: FactEntry[]; isThere: boolean }

export function createSimulatedRecord(): SimulatedRecord {
  const partitions = Array.from(
    { length: PARTITIONS },
    (): Partition => ({ epoch: 1, server: 0, entries: [], isThere: true }),
  )
  const servers = partitions.map(() => 0)

  let clock = 1

  function at(index: number, seenEpoch: number): Partition {
    const partition = partitions[index]!
    if (!partition.isThere) throw new ScreeningError('RECORD_LOST', `Partition ${index} is gone.`)
    if (partition.server !== servers[index] || partition.epoch < seenEpoch) {
      partition.server = servers[index]!
      partition.epoch = Math.max(++clock, seenEpoch + 1)
      add(partition, '', Buffer.alloc(0))
    }
    return partition
  }

  return {
    failover(index, lost) {
      const partition = partitions[index]!
      partition.entries.splice(Math.max(0, partition.entries.length - lost))
      partition.epoch = partition.entries.at(-1)?.position.epoch ?? 1
      servers[index]!++
    },
    flush(index) {
      partitions[index]!.isThere = false
      partitions[index]!.entries = []
    },
    entries: (index) => partitions[index]!.entries,
    connect() {
      const answer = async <T>(work: () => T): Promise<T> => {
        await new Promise((resolve) => setImmediate(resolve))
        if (!node.isReachable) throw new ScreeningError('UNAVAILABLE', 'Nobody answers.')
        const result = work()
        if (node.losesAnswers) throw new ScreeningError('UNAVAILABLE', 'The answer was lost.')
        return result
      }
      const node = {
        isReachable: true,
        losesAnswers: false,
        append: (index: number, factId: string, payload: Buffer, seenEpoch: number) =>
          answer(() => {
            const partition = at(index, seenEpoch)
            const known = partition.entries.find((entry) => entry.factId === factId)
            if (known !== undefined) return { position: known.position, isNew: false }
            return { position: add(partition, factId, payload), isNew: true }
          }),
        read: (index: number, after: Position, limit: number) =>
          answer(() => readAfter(partitions[index]!, after, limit)),
        touch: (index: number, seenEpoch: number) =>
          answer((): PartitionHead => {
            const { epoch, entries } = at(index, seenEpoch)
            return { epoch, sequence: entries.length, oldest: 1 }
          }),
      }
      return node
    },
  }
}

function add(partition: Partition, factId: string, payload: Buffer): Position {
  const position = { epoch: partition.epoch, sequence: partition.entries.length + 1 }
  partition.entries.push({ position, factId, payload })
  return position
}

function readAfter({ entries }: Partition, after: Position, limit: number): FactEntry[] {
  const isBehind = ({ position }: FactEntry) =>
    position.epoch > after.epoch || (position.epoch === after.epoch && position.sequence > after.sequence)
  const first = entries.find(isBehind)
  if (first === undefined) return []
  if (first.position.sequence !== after.sequence + 1) {
    const kept = entries.filter(({ position }) => position.epoch <= after.epoch).length
    throw new ScreeningError('RECORD_DIVERGED', 'Another history.', { keptUpTo: kept })
  }
  return entries.slice(first.position.sequence - 1, first.position.sequence - 1 + limit)
}
