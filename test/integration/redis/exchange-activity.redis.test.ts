import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { encodeActivity } from '../../../src/processes/activity-wire.ts'
import {
  type ActivityExchange,
  startActivityExchange,
  startActivityRelay,
} from '../../../src/processes/exchange-activity.ts'
import type { ActiveCallersMessage } from '../../../src/processes/messages.ts'
import { createActivity, createActivityView, noteAttempt, openActivity } from '../../../src/shm/activity.ts'
import { SUMMARY_WORDS } from '../../../src/shm/activity-summary.ts'
import { addRemoteActivity, createRemoteActivity, openRemoteActivity } from '../../../src/shm/remote-activity.ts'
import { MESSAGE_BYTES_MAX, openActivityChannel } from '../../../src/stores/redis/activity-channel.ts'
import { hasRedis, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'

const RECORD = 'record-of-the-test'
const CHANNEL = `zaslon:${RECORD}:activity`
const CALLER = 79_160_000_002
const WAIT = { timeout: 15_000, interval: 100 }

type Node = {
  readonly processes: readonly { readonly exchange: ActivityExchange }[]
  readonly faults: readonly Error[]
  dial(process: number, count: number, caller?: number): void
  /** Attempts of the caller that a process hears of from others. */
  hears(process: number, caller?: number): number
  stop(): void
}

describe.skipIf(!hasRedis).each(['single', 'cluster'] as const)(
  'nodes that tell each other who is busy (%s)',
  (kind) => {
    let servers: readonly RedisServer[]
    let url: string
    let close: () => Promise<void>
    const nodes: Node[] = []
    beforeAll(async () => {
      const started = kind === 'single' ? await startRedis() : await startRedisCluster()
      servers = 'servers' in started ? started.servers : [started]
      close = () => started.close()
      url = started.url
    })
    afterAll(async () => {
      for (const node of nodes) node.stop()
      await close?.()
    })

    /** Two verdict processes and a control process, without their IPC. */
    function startNode(): Node {
      const faults: Error[] = []
      const processes = ['verdict-1', 'verdict-2'].map((label) => {
        const activity = openActivity(createActivity(5_000))
        const remote = openRemoteActivity(createRemoteActivity(5_000))
        const tell = (message: ActiveCallersMessage, sent: () => void) => {
          relay.publish(message)
          for (const other of processes) if (other.label !== label) other.exchange.hear(message)
          sent()
        }
        const exchange = startActivityExchange({ label }, { activity, remote, tell, now: Date.now })
        return { label, activity, remote, exchange }
      })
      const relay = startActivityRelay({
        openChannel: (onMessage) =>
          openActivityChannel(
            { redis: { url }, kind, recordId: RECORD },
            { onMessage, onFault: (error) => faults.push(error) },
          ),
        tell(message) {
          for (const { exchange } of processes) exchange.hear(message)
        },
      })
      const node = {
        processes,
        faults,
        dial(process: number, count: number, caller = CALLER) {
          for (let i = 0; i < count; i++) {
            noteAttempt(processes[process]!.activity, caller, 2, 79_310_000_000 + i, 0, Date.now())
          }
        },
        hears(process: number, caller = CALLER) {
          const view = createActivityView()
          addRemoteActivity(processes[process]!.remote, caller, 2, Date.now(), view)
          return view.totalAttempts
        },
        stop() {
          for (const { exchange } of processes) exchange.stop()
          relay.close()
        },
      }
      nodes.push(node)
      return node
    }

    it('add up a caller who spreads his calls over processes and nodes', async () => {
      const [here, there] = [startNode(), startNode()]
      // Told again until both have subscribed: what is told before is lost, which is no harm.
      await vi.waitFor(() => {
        here.dial(0, 4, CALLER + 1)
        there.dial(0, 4, CALLER + 2)
        expect(there.hears(0, CALLER + 1)).toBeGreaterThan(0)
        expect(here.hears(0, CALLER + 2)).toBeGreaterThan(0)
      }, WAIT)
      here.dial(0, 5)
      here.dial(1, 7)
      there.dial(0, 9)
      await vi.waitFor(() => {
        expect([here.hears(0), here.hears(1), there.hears(0), there.hears(1)]).toEqual([16, 14, 12, 21])
      }, WAIT)
      expect([...here.faults, ...there.faults]).toEqual([])
    }, 30_000)

    it('take no harm from what else is on the channel', async () => {
      const [here, there] = nodes
      const publish = (text: string) => servers[0]?.cli('publish', CHANNEL, text)
      for (const noise of ['', 'x', 'garbage'.repeat(1_000), 'x'.repeat(MESSAGE_BYTES_MAX + 4)]) publish(noise)
      const sender = openActivityChannel({ redis: { url }, kind, recordId: RECORD }, { onMessage() {}, onFault() {} })
      const rows = Uint32Array.from({ length: 20 * SUMMARY_WORDS }, (_, i) => (i * 2_654_435_761) >>> 0)
      const message = encodeActivity({ node: 'ff'.repeat(16), process: 1, summaries: rows })
      await vi.waitFor(() => expect(sender.publish(message)).toBe(true), WAIT)
      expect(sender.publish(new Uint8Array(MESSAGE_BYTES_MAX + 1))).toBe(false)
      await vi.waitFor(() => expect(there!.processes[0]!.exchange.refusedRows).toBe(20), WAIT)
      sender.close()
      here!.dial(0, 6, CALLER + 3)
      await vi.waitFor(() => expect(there!.hears(0, CALLER + 3)).toBe(6), WAIT)
    }, 30_000)

    it.runIf(kind === 'single')(
      'go on by themselves when Redis was away, and wait for nothing meanwhile',
      async () => {
        const [here, there] = nodes
        await servers[0]?.kill()
        await sleep(100)
        here!.dial(0, 6, CALLER + 4)
        here!.processes[0]!.exchange.tellOthers()
        // Between the processes of a node it does not matter.
        expect(here!.hears(1, CALLER + 4)).toBe(6)
        await servers[0]?.restart()
        await vi.waitFor(() => {
          here!.dial(0, 1, CALLER + 4)
          expect(there!.hears(0, CALLER + 4)).toBeGreaterThan(6)
        }, WAIT)
      },
      30_000,
    )
  },
)
