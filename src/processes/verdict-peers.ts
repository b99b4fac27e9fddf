import type { AppliedMessage, StatusMessage, VerdictProcessStatus } from './messages.ts'

/**
 * What the control process knows of the verdict processes: who is up, how far each is in the change log, what they count.
 * They are told of changes through the supervisor; an answer that does not come costs a bounded wait, never a write.
 */
export type VerdictPeers = {
  onPeers(labels: readonly string[]): void
  onApplied(message: AppliedMessage): void
  onStatus(message: StatusMessage): void
  /**
   * Tells every verdict process about a change and resolves when all that are up have it: in their gates for a report,
   * in force in every thread for anything else. False after `timeoutMs`: they will have it by their own polling.
   */
  notify(sequence: number, options: { needsSnapshot: boolean; timeoutMs: number }): Promise<boolean>
  /** The newest word of every process that is up; waits up to STATUS_WAIT_MS for fresh ones. */
  statuses(): Promise<VerdictProcessStatus[]>
}

export type VerdictPeersDependencies = {
  readonly tellChanged: (upTo: number) => void
  readonly askStatus: (id: number) => void
}

/** A verdict process answers in about a millisecond; a busy one is shown with its last figures. */
const STATUS_WAIT_MS = 250

type Position = { seen: number; inForce: number }
type Waiter = { readonly isDone: () => boolean; readonly finish: (done: boolean) => void }

export function createVerdictPeers({ tellChanged, askStatus }: VerdictPeersDependencies): VerdictPeers {
  let labels: readonly string[] = []
  const positions = new Map<string, Position>()
  const statuses = new Map<string, { id: number; status: VerdictProcessStatus }>()
  const waiters = new Set<Waiter>()
  let statusId = 0

  function settle(): void {
    for (const waiter of [...waiters]) if (waiter.isDone()) waiter.finish(true)
  }

  function waitFor(isDone: () => boolean, timeoutMs: number): Promise<boolean> {
    if (isDone()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const timer = setTimeout(() => waiter.finish(false), timeoutMs)
      const waiter: Waiter = {
        isDone,
        finish(done) {
          clearTimeout(timer)
          waiters.delete(waiter)
          resolve(done)
        },
      }
      waiters.add(waiter)
    })
  }

  return {
    onPeers(current) {
      labels = current
      for (const known of [...positions.keys()]) if (!current.includes(known)) positions.delete(known)
      for (const known of [...statuses.keys()]) if (!current.includes(known)) statuses.delete(known)
      settle()
    },
    onApplied({ label, seen, inForce }) {
      positions.set(label, { seen, inForce })
      settle()
    },
    onStatus({ id, status }) {
      statuses.set(status.label, { id, status })
      positions.set(status.label, { seen: status.seen, inForce: status.inForce })
      settle()
    },
    notify(sequence, { needsSnapshot, timeoutMs }) {
      tellChanged(sequence)
      const has = (position: Position | undefined) =>
        position !== undefined && (needsSnapshot ? position.inForce : position.seen) >= sequence
      return waitFor(() => labels.every((label) => has(positions.get(label))), timeoutMs)
    },
    async statuses() {
      const id = ++statusId
      askStatus(id)
      await waitFor(() => labels.every((label) => (statuses.get(label)?.id ?? 0) >= id), STATUS_WAIT_MS)
      return labels.flatMap((label) => statuses.get(label)?.status ?? [])
    },
  }
}
