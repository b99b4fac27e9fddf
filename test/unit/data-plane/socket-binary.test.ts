import { beforeEach, describe, expect, it } from 'vitest'
import { numberReaders } from '../../../src/transports/data-plane/read-call.ts'
import { createVerdictHandler } from '../../../src/transports/data-plane/verdict-http.ts'
import type { VerdictHandler, VerdictSocket } from '../../../src/transports/data-plane/verdict-server.ts'
import { screenedWorld } from '../../contract/verdict-server/screened-world.ts'
import { binaryCall } from '../../contract/verdict-server/socket-client.ts'
import { HOME, openWorld } from '../../fixtures/screening-world.ts'

const BLOCKED = 79160000001

class Peer implements VerdictSocket {
  readonly subprotocol = 'zaslon.bin.v1'
  readonly answers: Buffer[] = []
  send(data: string | Uint8Array): boolean {
    this.answers.push(Buffer.from(data))
    return true
  }
  close(): void {}
}

/** Answers to frames of a connection, verdict ids left out. */
function ask(handler: VerdictHandler, frames: readonly Buffer[]): Buffer[] {
  const peer = new Peer()
  handler.socketOpened(peer)
  for (const frame of frames) handler.socketMessage(peer, frame, true, 0)
  for (const answer of peer.answers) for (let at = 0; at < answer.length; at += 48) answer.fill(0, at + 8, at + 24)
  return peer.answers
}

describe('an answer frame', () => {
  it('has nothing of the one before', () => {
    const block = binaryCall({ caller: BLOCKED, correlation: 0xffffffff })
    const version = Buffer.from(block)
    version[0] = 2
    const callers = [79160000009, 0, -5, 1.5, BLOCKED].map((caller) => binaryCall({ caller, correlation: 1 }))
    const frame = Buffer.concat([...callers, version, ...callers])
    const before = Buffer.concat(Array.from({ length: 11 }, () => block))
    const [fresh] = ask(screenedWorld().handler, [frame])
    const [, second] = ask(screenedWorld().handler, [before, frame])
    expect(fresh?.byteLength).toBe(11 * 48)
    expect(second).toEqual(fresh)
  })
})

describe('a frame', () => {
  const { screener } = openWorld()
  let readings = 0
  const seen: number[] = []
  const expected: [calls: number, ends: number][] = []
  const handler = createVerdictHandler(
    {
      deadlineMs: 50,
      callsPerWebSocket: 1_024,
      labelLanguage: 'en',
      apiKeyDigests: [],
      allowedHosts: [],
      webSocketPath: '/v1/calls',
    },
    {
      ...numberReaders(HOME),
      screener: {
        ...screener,
        generation: 1,
        screen: ({ nowMs }) => void seen.push(nowMs),
        endCall: ({ nowMs }) => void seen.push(nowMs),
        expect: (_calls, calls, _ends, ends) => void expected.push([calls, ends]),
      },
      now: () => ++readings,
      processHealth: () => ({ freshMs: 0, isUnsupervised: false }),
      events: {
        refused() {},
        callEndsRefused() {},
        connectionRefused() {},
        socketOpened() {},
        socketFrame() {},
        fault: (error) => expect.fail(String(error)),
      },
    },
  )

  beforeEach(() => {
    readings = 0
    seen.length = 0
    expected.length = 0
  })

  it('has the clock read once, and again for every 16 records', () => {
    const call = binaryCall({ caller: BLOCKED, correlation: 1 })
    const end = Buffer.from(call)
    end[1] = 2
    ask(handler, [call, Buffer.concat([...Array(15).fill(call), end, call])])
    expect(seen).toEqual([1, ...Array(16).fill(2), 3])
  })

  it('has 16 records expected together, and one that is alone too', () => {
    const call = binaryCall({ caller: BLOCKED, correlation: 1 })
    const end = Buffer.from(call)
    end[1] = 2
    const other = Buffer.from(call)
    other[1] = 9
    ask(handler, [call, Buffer.concat([...Array(10).fill(call), other, ...Array(10).fill(end)])])
    expect(expected).toEqual([
      [1, 0],
      [10, 5],
      [0, 5],
    ])
  })
})
