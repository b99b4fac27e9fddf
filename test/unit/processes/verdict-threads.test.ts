import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { ScreeningSnapshot } from '../../../src/engine/snapshot.ts'
import type { ToVerdictThread, VerdictThreadData } from '../../../src/processes/verdict-thread.ts'
import { startVerdictThreads, type ThreadWorker } from '../../../src/processes/verdict-threads.ts'

class FakeWorker extends EventEmitter implements ThreadWorker {
  readonly told: ToVerdictThread[] = []

  postMessage(message: ToVerdictThread): void {
    this.told.push(message)
  }
}

const snapshot = (generation: number) => ({ generation }) as ScreeningSnapshot

function threadsOf(count: number) {
  const workers = Array.from({ length: count }, () => new FakeWorker())
  const failures: unknown[] = []
  const data = workers.map((_, thread) => ({ thread }) as VerdictThreadData)
  const threads = startVerdictThreads(data, {
    startThread: ({ thread }) => workers[thread] as FakeWorker,
    onFailure: (error) => failures.push(error),
  })
  /** Every thread ends, as it does when told to close. */
  const end = () => {
    for (const worker of workers) worker.emit('exit')
  }
  return { workers, failures, threads, end }
}

describe('verdict threads', () => {
  it('have a snapshot when every one of them says so', async () => {
    const { workers, threads } = threadsOf(2)
    let isInstalled = false
    const installed = threads.install(snapshot(3)).then(() => {
      isInstalled = true
    })
    workers[0]?.emit('message', { type: 'installed', generation: 3 })
    await Promise.resolve()
    expect(isInstalled).toBe(false)
    workers[1]?.emit('message', { type: 'installed', generation: 3 })
    await installed
  })

  it('keep nobody waiting for a snapshot that they no longer take', async () => {
    const { workers, threads, failures, end } = threadsOf(2)
    const before = threads.install(snapshot(3))
    const closed = threads.close()
    const after = threads.install(snapshot(4))
    end()
    await Promise.all([before, closed, after])
    expect(workers[0]?.told.at(-1)).toEqual({ type: 'close' })
    expect(failures).toEqual([])
  })

  it('collect their garbage when the process says so, and with no snapshot', () => {
    const { workers, threads } = threadsOf(2)
    void threads.install(snapshot(3))
    void threads.install(snapshot(4))
    const told = () => workers.map((worker) => worker.told.map((message) => message.type))
    expect(told()).toEqual([
      ['install', 'install'],
      ['install', 'install'],
    ])
    threads.collect()
    expect(told()).toEqual([
      ['install', 'install', 'collect'],
      ['install', 'install', 'collect'],
    ])
  })

  it('end their process when one of them ends by itself', () => {
    const { workers, failures } = threadsOf(2)
    workers[1]?.emit('exit')
    expect(failures).toHaveLength(1)
  })
})
