import type { CallScreening } from './call-screening.ts'
import { decodeBody, isJsonObject, MALFORMED, parseJson } from './json-text.ts'
import { LONG_AGO_MS, type SocketCredits } from './socket-credits.ts'
import { CLOSE_CODE, type SocketProtocol } from './socket-protocol.ts'

/** One event a frame; the limit is that of POST /v1/verdict. */
const FRAME_BYTES_MAX = 16 * 1024

/**
 * zaslon.json.v1: text frames `{"type":"call",…}` and `{"type":"end",…}`. A call gets `{"type":"verdict",…}` with its
 * callId, an end gets no answer, a frame that is neither gets `{"type":"problem",…}` and the connection stays.
 */
export function createJsonProtocol(screening: CallScreening, credits: SocketCredits): SocketProtocol {
  const { events } = screening
  return {
    opened() {},
    closed() {},
    message(socket, data, isBinary, receivedMs) {
      if (isBinary) {
        events.refused()
        socket.close(CLOSE_CODE.unsupportedData, 'zaslon.json.v1 speaks text frames')
        return
      }
      if (data.byteLength > FRAME_BYTES_MAX) {
        events.refused()
        socket.close(CLOSE_CODE.tooBig, 'A frame holds one event of at most 16 KiB')
        return
      }
      const countsFromMs = credits.take() ? receivedMs : LONG_AGO_MS
      const answer = screening.answerBytes(data, countsFromMs, 'call')
      if (answer !== undefined) {
        socket.send(answer, true)
        return
      }
      if (screening.endFrame(data)) return
      const text = decodeBody(data)
      const event = text === undefined ? MALFORMED : parseJson(text)
      if (isJsonObject(event) && event.type === 'call') {
        socket.send(screening.answerEvent(event, countsFromMs, 'verdict'))
      } else if (isJsonObject(event) && event.type === 'end') {
        screening.endCall(event)
      } else {
        events.refused()
        socket.send(event === MALFORMED ? MALFORMED_FRAME : UNKNOWN_FRAME)
      }
    },
  }
}

const MALFORMED_FRAME = frameProblem('The frame is not JSON.')
const UNKNOWN_FRAME = frameProblem('The frame is not an object whose type is "call" or "end".')

function frameProblem(detail: string): string {
  const hint = 'Send one event a frame, for example {"type":"call","callId":"abc","caller":"+79160000000"}.'
  return JSON.stringify({ type: 'problem', status: 400, code: 'FRAME_INVALID', detail, hint })
}
