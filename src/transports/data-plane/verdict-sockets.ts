import type { CallScreening } from './call-screening.ts'
import { createBinaryProtocol } from './socket-binary.ts'
import { createSocketCredits, type SocketCreditsOptions } from './socket-credits.ts'
import { createJsonProtocol } from './socket-json.ts'
import type { SocketProtocol } from './socket-protocol.ts'
import type { VerdictHandler } from './verdict-server.ts'

/** The WebSocket half of a verdict handler: picks the subprotocol and passes frames to it. */
export function createSocketProtocols(
  options: SocketCreditsOptions,
  screening: CallScreening,
): Pick<VerdictHandler, 'chooseSubprotocol' | 'socketOpened' | 'socketMessage' | 'socketClosed'> {
  const { events } = screening
  const credits = createSocketCredits(options)
  const protocols: ReadonlyMap<string, SocketProtocol> = new Map<string, SocketProtocol>([
    ['zaslon.json.v1', createJsonProtocol(screening, credits)],
    ['zaslon.bin.v1', createBinaryProtocol(screening, credits)],
  ])
  return {
    chooseSubprotocol: (offered) => offered.find((name) => protocols.has(name)),
    socketOpened(socket) {
      events.socketOpened()
      credits.opened(socket)
      protocols.get(socket.subprotocol)?.opened(socket)
    },
    socketMessage(socket, data, isBinary, receivedMs) {
      events.socketFrame()
      credits.frame(socket)
      protocols.get(socket.subprotocol)?.message(socket, data, isBinary, receivedMs)
    },
    socketClosed(socket) {
      credits.closed(socket)
      protocols.get(socket.subprotocol)?.closed(socket)
    },
  }
}
