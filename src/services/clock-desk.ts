import type { NodeClock } from '../domain/node-clock.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'

export type ClockView = {
  /** The time the node goes by, and what the machine's clock says; epoch milliseconds. */
  readonly nowMs: number
  readonly wallMs: number
  /** How far the machine's clock is ahead; 0: it is believed. */
  readonly aheadMs: number
}

/** What an operator decides when the machine's clock has jumped. */
export type ClockDesk = {
  view(): ClockView
  /** The machine's clock is right, for every process of the node, whatever each of them went by. */
  accept(actor: Actor): Promise<void>
}

export type ClockDeskDependencies = {
  readonly clock: NodeClock
  readonly store: Pick<RecordStore, 'appendAudit'>
  /** Tells every process of the node. */
  readonly onAccepted: () => void
}

export function createClockDesk({ clock, store, onAccepted }: ClockDeskDependencies): ClockDesk {
  return {
    view() {
      const nowMs = clock.now()
      return { nowMs, wallMs: nowMs + clock.offsetMs, aheadMs: clock.offsetMs }
    },
    async accept(actor) {
      clock.now()
      const aheadMs = clock.offsetMs
      clock.accept()
      onAccepted()
      // The decision is about this machine: it waits for no record.
      await store.appendAudit({ action: 'clock.accept', subject: 'node', detail: { aheadMs } }, actor).catch(() => {})
    },
  }
}
