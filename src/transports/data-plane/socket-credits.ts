import type { VerdictSocket } from './verdict-server.ts'

export type SocketCreditsOptions = {
  /** Calls that one WebSocket may have on the way. */
  readonly callsPerWebSocket: number
}

/**
 * How many calls of a WebSocket are looked at. Calls wait in the socket until a turn of the loop reads them, so what one turn
 * reads of a connection was on the way at once: beyond its credits a call is answered as one that is late, which costs
 * about half. A connection that sends faster than it is answered thus takes less from the others.
 */
export type SocketCredits = {
  opened(socket: VerdictSocket): void
  closed(socket: VerdictSocket): void
  /** A frame of this connection is about to be read. */
  frame(socket: VerdictSocket): void
  /** Takes a credit for one call of that frame. False: there is none, the call is answered as one that is late. */
  take(): boolean
}

/** When a call has come that is answered as late. */
export const LONG_AGO_MS = 0

type Account = { turn: number; left: number }

/** @param afterTurn runs what it is given when this turn of the loop has read all it reads */
export function createSocketCredits(
  { callsPerWebSocket }: SocketCreditsOptions,
  afterTurn: (then: () => void) => void = setImmediate,
): SocketCredits {
  const accounts = new Map<VerdictSocket, Account>()
  const none: Account = { turn: 0, left: 0 }
  let current = none
  let turn = 0
  let isReading = false
  const endTurn = () => {
    isReading = false
  }

  function beginTurn(): void {
    isReading = true
    turn = (turn + 1) | 0
    afterTurn(endTurn)
  }

  return {
    opened: (socket) => void accounts.set(socket, { turn, left: callsPerWebSocket }),
    closed: (socket) => void accounts.delete(socket),
    frame(socket) {
      if (!isReading) beginTurn()
      current = accounts.get(socket) ?? none
      if (current === none || current.turn === turn) return
      current.turn = turn
      current.left = callsPerWebSocket
    },
    take() {
      if (current.left === 0) return false
      current.left--
      return true
    },
  }
}
