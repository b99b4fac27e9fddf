import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningService } from '../../support/run-service.ts'
import { listeningAt } from './processes.ts'

/** Resolves with the milliseconds until control and so many verdict processes serve and both ports say ready. */
export async function untilWhole(node: RunningService, verdicts = 2, waitMs = 30_000): Promise<number> {
  const startMs = performance.now()
  const isWhole = () => {
    const serving = listeningAt(node.verdictPort)
    const pids = node.pids('verdict')
    return node.pids('control').length === 1 && pids.length === verdicts && pids.every((pid) => serving.has(pid))
  }
  while (!isWhole()) {
    if (performance.now() - startMs > waitMs) throw new Error(`The node was not whole again after ${waitMs} ms.`)
    await sleep(10)
  }
  await node.ready()
  return performance.now() - startMs
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, waitMs = 30_000): Promise<number> {
  const startMs = performance.now()
  while (!(await holds())) {
    if (performance.now() - startMs > waitMs) throw new Error(`It did not come true within ${waitMs} ms that ${what}.`)
    await sleep(20)
  }
  return performance.now() - startMs
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The pids of everything a node runs. */
export function allPids(node: RunningService): number[] {
  return [node.pid, ...node.pids('control'), ...node.pids('verdict')]
}

/** Everything at once, as with the power; resolves when nobody holds a file any more. */
export async function killAll(node: RunningService): Promise<void> {
  const pids = allPids(node)
  for (const pid of pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  await node.kill()
  await until('all processes have ended', () => !pids.some(isAlive))
}
