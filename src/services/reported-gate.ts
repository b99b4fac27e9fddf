import { createGate, gateAddAll, gateCount, openGate } from '../shm/gate.ts'
import { createGateWriter, type GateWriter } from '../shm/gate-writer.ts'
import type { VisitRows } from './scan-rows.ts'

/**
 * The gate of numbers with a reputation alone, for whoever has passed the global gate: most listed numbers were never
 * reported, and it is small enough (2 bytes a number) to stay in the cache where the store's pages do not.
 */
export type ReportedGate = {
  /** Undefined before the first update. */
  readonly memory: SharedArrayBuffer | undefined
  /** Makes a new gate when there is none yet, or too many numbers came since the last one was made. */
  update(): Promise<void>
  /** A number has a reputation now. */
  add(number: number): void
  /** Every thread reads the newest memory. */
  acknowledged(): void
}

export type ReportedGateDependencies = {
  readonly scanReported: (visit: VisitRows) => Promise<void>
}

/** Room for reports in a new gate, beside as many as there are: 128 KiB. */
const SPARE_CAPACITY = 65_536

export function createReportedGate({ scanReported }: ReportedGateDependencies): ReportedGate {
  let writer: GateWriter | undefined

  async function replace(): Promise<void> {
    let count = 0
    await scanReported((_page, rows) => {
      count += rows
    })
    const memory = createGate(SPARE_CAPACITY + 2 * count)
    // From here on reports go into both. The first gate has no writer yet: its follower replays what it may have missed.
    const next = writer ? writer.beginRebuildWith(memory) : openGate(memory)
    try {
      await scanReported((page, rows) => gateAddAll(next, page, 0, rows))
    } catch (error) {
      writer?.abandon()
      throw error
    }
    if (writer) writer.publish()
    else writer = createGateWriter(memory)
  }

  return {
    get memory() {
      return writer?.memory
    },
    async update() {
      if (!writer || gateCount(writer.gate) > writer.gate.capacity) await replace()
    },
    add: (number) => writer?.add(number),
    acknowledged: () => writer?.acknowledged(),
  }
}
