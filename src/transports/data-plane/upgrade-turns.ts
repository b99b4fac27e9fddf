import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/**
 * Lets an upgrade wait for the answers before it on its connection. node:http hands over the bare socket while they may
 * still be on their way, and from then on knows nothing of it: what waits here is closed from here.
 */
export class UpgradeTurns {
  readonly #newest = new WeakMap<Duplex, ServerResponse>()
  readonly #waiting = new Set<Duplex>()

  /** Every request that is not an upgrade, in the order they come. */
  note(stream: Duplex, response: ServerResponse): void {
    this.#newest.set(stream, response)
  }

  /** Calls `upgrade` when it is its turn; never, when the answer before was the last one of the connection. */
  take(stream: Duplex, upgrade: () => void): void {
    const cut = () => stream.destroy()
    const leave = () => {
      this.#waiting.delete(stream)
      stream.off('error', cut)
      stream.off('close', leave)
    }
    const proceed = () => {
      leave()
      // Nothing that hides behind a refused request is read.
      if (stream.writable) upgrade()
      else cut()
    }
    const before = this.#newest.get(stream)
    // Written is not enough: node:http lets go of the socket when it tells of it, and gives it to the next answer.
    if (before === undefined || (before.writableFinished && before.socket === null)) {
      proceed()
    } else {
      this.#waiting.add(stream)
      stream.on('error', cut)
      stream.on('close', leave)
      before.once('finish', proceed)
    }
  }

  close(): void {
    for (const stream of this.#waiting) stream.destroy()
  }
}
