import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../../bench/lib/seeded-random.ts'
import { createSocketCredits } from '../../../src/transports/data-plane/socket-credits.ts'
import type { VerdictSocket } from '../../../src/transports/data-plane/verdict-server.ts'

const socket = (): VerdictSocket => ({ subprotocol: 'zaslon.bin.v1', send: () => true, close() {} })

/** Credits whose turns of the loop end when they are told. */
function creditsOf(callsPerWebSocket: number) {
  const ends: (() => void)[] = []
  const credits = createSocketCredits({ callsPerWebSocket }, (then) => void ends.push(then))
  return {
    credits,
    endTurn: () => {
      for (const end of ends.splice(0)) end()
    },
    /** How many calls of a frame are looked at. */
    taken(from: VerdictSocket, calls: number): number {
      credits.frame(from)
      return Array.from({ length: calls }, () => credits.take()).filter(Boolean).length
    },
  }
}

describe('credits of a WebSocket', () => {
  it('are spent over the frames of a turn and full again in the next', () => {
    const { credits, taken, endTurn } = creditsOf(4)
    const peer = socket()
    credits.opened(peer)
    expect([taken(peer, 3), taken(peer, 2), taken(peer, 1)]).toEqual([3, 1, 0])
    endTurn()
    expect([taken(peer, 4), taken(peer, 1)]).toEqual([4, 0])
    endTurn()
    expect(taken(peer, 5)).toBe(4)
  })

  it('are not those of another connection', () => {
    const { credits, taken } = creditsOf(4)
    const [greedy, modest] = [socket(), socket()]
    credits.opened(greedy)
    credits.opened(modest)
    expect([taken(greedy, 9), taken(modest, 4), taken(modest, 1), taken(greedy, 1)]).toEqual([4, 4, 0, 0])
  })

  it('are full for a connection that opens within a turn, and none for one that is closed', () => {
    const { credits, taken } = creditsOf(4)
    const [first, second] = [socket(), socket()]
    credits.opened(first)
    taken(first, 1)
    credits.opened(second)
    expect(taken(second, 5)).toBe(4)
    credits.closed(second)
    expect(taken(second, 1)).toBe(0)
    expect(taken(first, 4)).toBe(3)
  })

  it('never run out for a peer that keeps to them, and never give one that does not more than a turn has', () => {
    const random = seededRandom(4)
    const { credits, taken, endTurn } = creditsOf(16)
    const [honest, greedy] = [socket(), socket()]
    credits.opened(honest)
    credits.opened(greedy)
    let beyond = 0
    for (let turn = 0; turn < 2_000; turn++) {
      // What is on the way at once, in frames of any size.
      for (let waiting = 16; waiting > 0; ) {
        const calls = Math.min(waiting, 1 + Math.floor(random() * 16))
        expect(taken(honest, calls)).toBe(calls)
        waiting -= calls
      }
      const frames = Array.from({ length: 3 }, () => Math.floor(random() * 16))
      const looked = frames.reduce((sum, calls) => sum + taken(greedy, calls), 0)
      const sent = frames.reduce((sum, calls) => sum + calls, 0)
      expect(looked).toBe(Math.min(16, sent))
      beyond += sent - looked
      endTurn()
    }
    expect(beyond).toBeGreaterThan(0)
  })
})
