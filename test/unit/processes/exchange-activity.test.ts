import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeActivity, encodeActivity, SUMMARIES_MAX } from '../../../src/processes/activity-wire.ts'
import { startActivityExchange, startActivityRelay } from '../../../src/processes/exchange-activity.ts'
import type { ActiveCallersMessage } from '../../../src/processes/messages.ts'
import { createActivity, createActivityView, noteAttempt, openActivity } from '../../../src/shm/activity.ts'
import { SUMMARY_WORDS } from '../../../src/shm/activity-summary.ts'
import { addRemoteActivity, createRemoteActivity, openRemoteActivity } from '../../../src/shm/remote-activity.ts'
import { MESSAGE_BYTES_MAX } from '../../../src/stores/redis/activity-channel.ts'

const NOW = Date.UTC(2026, 2, 14, 12, 0)
const CALLER = 79_160_000_002
const NODE = '00112233445566778899aabbccddeeff'

/** A verdict process with its own shared memory, and what it tells. */
function processOf(label: string, now = () => NOW) {
  const activity = openActivity(createActivity(20_000))
  const remote = openRemoteActivity(createRemoteActivity(5_000))
  const told: ActiveCallersMessage[] = []
  const sent: (() => void)[] = []
  const tell = (message: ActiveCallersMessage, done: () => void) => {
    told.push(message)
    sent.push(done)
  }
  const exchange = startActivityExchange({ label }, { activity, remote, tell, now })
  exchange.stop() // tests tell when they want
  return {
    exchange,
    told,
    sent,
    dial(count: number, caller = CALLER) {
      for (let i = 0; i < count; i++) noteAttempt(activity, caller, 2, 79_310_000_000 + i, 0, now())
    },
    attempts(caller = CALLER) {
      const view = createActivityView()
      addRemoteActivity(remote, caller, 2, now(), view)
      return view.attempts60
    },
  }
}

describe('the exchange of verdict processes', () => {
  it('lets each know what the others count, and nothing of its own twice', () => {
    const one = processOf('verdict-1')
    const two = processOf('verdict-2')
    one.dial(7)
    two.dial(5)
    for (const { exchange } of [one, two]) exchange.tellOthers()
    const messages = [...one.told, ...two.told]
    for (const message of messages) for (const { exchange } of [one, two]) exchange.hear(message)
    expect([one.attempts(), two.attempts()]).toEqual([5, 7])
  })

  it('tells nothing more while the last word waits to be sent, and everything afterwards', () => {
    const one = processOf('verdict-1')
    one.dial(7)
    one.exchange.tellOthers()
    one.dial(3)
    one.exchange.tellOthers()
    expect(one.told).toHaveLength(1)
    one.sent[0]?.()
    one.exchange.tellOthers()
    expect(one.told[1]?.summaries[4]).toBe(10)
  })

  it('tells of at most 1,000 rows at a time, and is heard as alive with none', () => {
    let now = NOW
    const one = processOf('verdict-1', () => now)
    const two = processOf('verdict-2', () => now)
    for (let i = 0; i < 1_100; i++) one.dial(4, CALLER + i)
    one.dial(9)
    for (let i = 0; i < 12; i++) {
      one.exchange.tellOthers()
      one.sent[i]?.()
      const message = one.told[i]
      if (message) two.exchange.hear(message)
      now += 1_000
    }
    expect(one.told.map(({ summaries }) => summaries.length / SUMMARY_WORDS)).toEqual([
      SUMMARIES_MAX,
      ...Array.from({ length: 11 }, () => 0),
    ])
    expect(two.attempts()).toBe(13)
  })

  it('counts rows that cannot be true, and takes the rest', () => {
    const one = processOf('verdict-1')
    const two = processOf('verdict-2')
    one.dial(7)
    one.exchange.tellOthers()
    const summaries = new Uint32Array(2 * SUMMARY_WORDS)
    summaries.set(one.told[0]?.summaries ?? [], SUMMARY_WORDS)
    two.exchange.hear({ type: 'active-callers', source: 'verdict-1', summaries })
    expect(two.exchange.refusedRows).toBe(1)
    expect(two.attempts()).toBe(7)
  })

  it('hears 64 sources; one more only when another has fallen silent', () => {
    let now = NOW
    const one = processOf('verdict-1', () => now)
    const teller = processOf('verdict-2', () => now)
    teller.dial(5)
    teller.exchange.tellOthers()
    const summaries = teller.told[0]?.summaries ?? new Uint32Array()
    const hear = (source: number) => one.exchange.hear({ type: 'active-callers', source: `n/${source}`, summaries })
    for (let source = 0; source < 65; source++) hear(source)
    // A set has room for 15 of them.
    expect(one.attempts()).toBe(15 * 5)
    now += 11_000
    expect(one.attempts()).toBe(0)
    hear(64)
    expect(one.attempts()).toBe(5)
    // Another in the same place, after a silence: the one before counts no more.
    now += 11_000
    for (let source = 100; source < 163; source++)
      one.exchange.hear({ type: 'active-callers', source: `n/${source}`, summaries: new Uint32Array() })
    hear(64)
    expect(one.attempts()).toBe(5)
  })
})

describe('messages between nodes', () => {
  const summaries = Uint32Array.from({ length: 2 * SUMMARY_WORDS }, (_, i) => i * 77_777_777)

  it('arrive as they were sent, the longest too', () => {
    const message = { node: NODE, process: 3, summaries }
    expect(decodeActivity(encodeActivity(message))).toEqual(message)
    const longest = { ...message, summaries: new Uint32Array(SUMMARIES_MAX * SUMMARY_WORDS) }
    expect(decodeActivity(encodeActivity(longest))).toEqual(longest)
    expect(encodeActivity(longest).byteLength).toBeLessThanOrEqual(MESSAGE_BYTES_MAX)
  })

  it('are refused when they are something else', () => {
    const good = encodeActivity({ node: NODE, process: 3, summaries })
    const with_ = (word: number, value: number) => {
      const copy = Uint8Array.from(good)
      new DataView(copy.buffer).setUint32(word * 4, value, true)
      return copy
    }
    const tooMany = new Uint32Array((SUMMARIES_MAX + 1) * SUMMARY_WORDS)
    const bad = [good.subarray(0, 31), good.subarray(0, -4), good.subarray(1), new Uint8Array(0), new Uint8Array(32)]
      .concat([with_(0, 1), with_(1, 2), with_(6, 0), with_(6, 1_025), with_(7, 1), with_(7, 3), with_(7, 2 ** 32 - 1)])
      .concat([encodeActivity({ node: NODE, process: 1, summaries: tooMany })])
    for (const message of bad) expect(decodeActivity(message)).toBeUndefined()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (noise) => {
        expect(decodeActivity(noise)).toBeUndefined()
      }),
    )
  })

  it('of this node itself, and noise, are not handed on', () => {
    const published: Uint8Array[] = []
    const handedOn: ActiveCallersMessage[] = []
    let receive = (_message: Uint8Array) => {}
    const relay = startActivityRelay({
      openChannel(onMessage) {
        receive = onMessage
        return { publish: (message) => published.push(message) > 0, close: () => {} }
      },
      tell: (message) => handedOn.push(message),
    })
    relay.publish({ type: 'active-callers', source: 'verdict-2', summaries })
    receive(published[0] ?? new Uint8Array())
    receive(Uint8Array.of(1, 2, 3))
    expect(handedOn).toEqual([])
    receive(encodeActivity({ node: NODE, process: 4, summaries }))
    expect(handedOn).toEqual([{ type: 'active-callers', source: `${NODE}/4`, summaries }])
  })
})
