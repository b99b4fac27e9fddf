import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningService } from '../../test/support/run-service.ts'
import { privateMiB } from '../lib/service-client.ts'
import { everyPid } from '../lib/standard-world.ts'

/** RssAnon + RssShmem in bytes: of the one verdict process, and of all processes of a node. */
export type NodeMemory = { readonly verdict: number; readonly all: number }

const SAMPLE_EVERY_MS = 10

export function nodeMemory(service: RunningService): NodeMemory {
  return memoryOf(service.pids('verdict'), everyPid(service))
}

/** The most that was seen while `work` went on; looked at every 10 ms. Processes that start meanwhile are not seen. */
export async function peakWhile(service: RunningService, work: () => Promise<void>): Promise<NodeMemory> {
  const verdict = service.pids('verdict')
  const all = everyPid(service)
  let peak = memoryOf(verdict, all)
  let isOver = false
  const watch = async () => {
    while (!isOver) {
      await sleep(SAMPLE_EVERY_MS)
      const now = memoryOf(verdict, all)
      peak = { verdict: Math.max(peak.verdict, now.verdict), all: Math.max(peak.all, now.all) }
    }
  }
  const watched = watch()
  try {
    await work()
  } finally {
    isOver = true
    await watched
  }
  return peak
}

function memoryOf(verdict: readonly number[], all: readonly number[]): NodeMemory {
  const bytes = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + privateMiB(pid) * 2 ** 20, 0)
  return { verdict: bytes(verdict), all: bytes(all) }
}
