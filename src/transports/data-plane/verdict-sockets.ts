import type { CallScreening } from './call-screening.ts'
import { createBinaryProtocol } from './socket-binary.ts'
import { createJsonProtocol } from './socket-json.ts'
import type { SocketProtocol } from './socket-protocol.ts'
import type { VerdictHandler } from './verdict-server.ts'

/** The WebSocket half of a verdict handler: picks the subprotocol and passes frames to it. */
export function createSocketProtocols(
  screening: CallScreening,
): Pick<VerdictHandler, 'chooseSubprotocol' | 'socketOpened' | 'socketMessage' | 'socketClosed'> {
  const { events } = screening
  const protocols: ReadonlyMap<string, SocketProtocol> = new Map<string, SocketProtocol>([
    ['zaslon.json.v1', createJsonProtocol(screening)],
    ['zaslon.bin.v1', createBinaryProtocol(screening)],
  ])
  return {
    chooseSubprotocol: (offered) => offered.find((name) => protocols.has(name)),
    socketOpened(socket) {
      events.socketOpened()
      protocols.get(socket.subprotocol)?.opened(socket)
    },
    socketMessage(socket, data, isBinary, receivedMs) {
      events.socketFrame()
      protocols.get(socket.subprotocol)?.message(socket, data, isBinary, receivedMs)
    },
    socketClosed(socket) {
      protocols.get(socket.subprotocol)?.closed(socket)
    },
  }
}
