import { ScreeningError } from '../../src/domain/errors.ts'
import { PARTITIONS } from '../../src/stores/fact.ts'
import type {
  FactEntry,
  FactPage,
  FactStreams,
  PartitionHead,
  Position,
  ReadHow,
} from '../../src/stores/redis/fact-streams.ts'

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

const BIRTH: FactEntry = { position: { epoch: 1, sequence: 1 }, factId: '', payload: Buffer.alloc(0) }

type Partition = { epoch: number; server: number; entries: FactEntry[]; isThere: boolean }

export function createSimulatedRecord(): SimulatedRecord {
  const partitions = Array.from(
    { length: PARTITIONS },
    (): Partition => ({ epoch: 1, server: 0, entries: [BIRTH], isThere: true }),
  )
  const servers = partitions.map(() => 0)

  let clock = 1

  function at(index: number): Partition {
    const partition = partitions[index]!
    if (!partition.isThere) throw new ScreeningError('RECORD_LOST', `Partition ${index} is gone.`)
    if (partition.server !== servers[index]) {
      partition.server = servers[index]!
      partition.epoch = ++clock
      add(partition, '', Buffer.alloc(0))
    }
    return partition
  }

  return {
    failover(index, lost) {
      const partition = partitions[index]!
      partition.entries.splice(Math.max(1, partition.entries.length - lost))
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
        append: (index: number, factId: string, payload: Buffer) =>
          answer(() => {
            const partition = at(index)
            const known = partition.entries.find((entry) => entry.factId === factId)
            if (known !== undefined) return { position: known.position, isNew: false }
            return { position: add(partition, factId, payload), isNew: true }
          }),
        read: (index: number, after: Position, { limit }: ReadHow) =>
          answer(() => pageAfter(partitions[index]!, after, limit, partitions[index]!.server !== servers[index])),
        readAll: (afters: readonly (Position | undefined)[], limit: number) =>
          Promise.all(
            afters.map(async (after, index) =>
              after === undefined
                ? []
                : node.read(index, after, { limit, isBulk: false }).then(
                    ({ entries }) => [...entries],
                    (error: unknown) => error as Error,
                  ),
            ),
          ),
        touch: (index: number) =>
          answer((): PartitionHead => {
            const { epoch, entries } = at(index)
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

function readAfter({ entries }: Partition, after: Position, limit: number, isUnmarked: boolean): FactEntry[] {
  const { epoch, sequence } = after
  if (sequence > entries.length && isUnmarked) return []
  if (sequence > 0 && entries[sequence - 1]?.position.epoch !== epoch) {
    const starts = entries.map(({ position }) => ({ epoch: position.epoch, first: position.sequence }))
    const epochs = starts.filter(({ first }, index) => first === 1 || starts[index - 1]?.epoch !== starts[index]?.epoch)
    throw new ScreeningError('RECORD_DIVERGED', 'Another history.', { epochs, lastSequence: entries.length })
  }
  return entries.slice(sequence, sequence + limit)
}

function pageAfter(partition: Partition, after: Position, limit: number, isUnmarked: boolean): FactPage {
  return { entries: readAfter(partition, after, limit, isUnmarked), newest: partition.entries.length }
}
