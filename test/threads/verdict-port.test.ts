import type { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { ensurePortFree } from '../../src/transports/data-plane/port-check.ts'
import { uwsReport } from '../../src/transports/data-plane/uws.ts'
import { get, raw } from '../contract/verdict-server/raw-client.ts'
import { messageWith, startFixture } from './start-fixture.ts'

const uws = uwsReport()

describe.skipIf(!uws.isAvailable)('several threads on one verdict port', () => {
  const threads: Worker[] = []
  afterEach(async () => {
    // Never terminate(): it aborts the whole process while uWebSockets.js has a socket open.
    await Promise.all([...threads].map((thread) => stop(thread)))
  })

  async function start(port: number): Promise<{ thread: Worker; port: number }> {
    const thread = startFixture('verdict-port', { port })
    const message = await messageWith(thread, 'port')
    threads.push(thread)
    return { thread, port: Number(message.port) }
  }
  /** A port chosen by the system is not shared: ask for one, give it back, share it by number. */
  async function freePort(): Promise<number> {
    const { thread, port } = await start(0)
    await stop(thread)
    return port
  }
  async function stop(thread: Worker): Promise<void> {
    const exited = new Promise((resolve) => thread.once('exit', resolve))
    const closed = messageWith(thread, 'closed')
    thread.postMessage('close')
    await closed
    await exited
    threads.splice(threads.indexOf(thread), 1)
  }
  async function answers(port: number, count: number): Promise<Set<string>> {
    const seen = new Set<string>()
    for (let i = 0; i < count; i++) {
      const outcome = await raw(port, get('/', ['Connection: close']), { untilClosed: true })
      seen.add(outcome.answers[0]?.body ?? 'none')
    }
    return seen
  }

  it('all get connections, and the rest get them when one stops', async () => {
    const port = await freePort()
    const first = await start(port)
    const second = await start(port)
    expect([first.port, second.port]).toEqual([port, port])
    const both = new Set<string>()
    // The kernel spreads connections by a hash of their addresses: both get some, soon.
    for (let round = 0; round < 50 && both.size < 2; round++) {
      for (const body of await answers(port, 10)) both.add(body)
    }
    expect(both).toEqual(new Set([String(first.thread.threadId), String(second.thread.threadId)]))
    const remaining = String(second.thread.threadId)
    await stop(first.thread)
    expect(await answers(port, 20)).toEqual(new Set([remaining]))
    await stop(second.thread)
    await ensurePortFree('127.0.0.1', port)
  })

  it('hides a port that is shared from nobody who asks', async () => {
    const port = await freePort()
    await start(port)
    await expect(ensurePortFree('127.0.0.1', port)).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })
})
