import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningService } from '../../support/run-service.ts'
import { importList } from '../lib/api.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { untilWhole } from '../lib/node-state.ts'
import { CALLEE, numberIn, SWAPPED, SWAPPED_ROWS, swappedRows } from '../lib/numbers.ts'

export const twoImports: FaultCase = {
  id: 'A29',
  what: 'two people replace the same list at once, and control is killed meanwhile',
  expected: 'At every moment the list is one upload as a whole, on every thread; versions only go up.',
  needs: ['ss'],
  async run(world) {
    const node = await world.startNode()
    const trial = await world.startTrial(node, {
      pauseMs: { report: 50, entry: 500, import: 20, policy: 5_000, review: 500 },
    })
    let isOver = false
    let second = 0
    const importing = (async () => {
      for (let i = 0; !isOver; i++) {
        try {
          const version = await importList(node, SWAPPED, swappedRows(i % 2 === 0 ? 'a' : 'b'), 'replace')
          trial.acknowledged.importedVersion = Math.max(trial.acknowledged.importedVersion, version)
          second++
        } catch {
          await sleep(50)
        }
      }
    })()
    const seen = { whole: 0, mixed: 0 }
    const watching = (async () => {
      for (; !isOver; await sleep(20)) {
        const looked = await lookAtSwapped(node)
        if (looked !== undefined) seen[looked]++
      }
    })()
    try {
      await trial.phase('two imports', world.isQuick ? 2_000 : 6_000)
      for (let kill = 0; kill < (world.isQuick ? 1 : 4); kill++) {
        await sleep(200 + world.random() * 400)
        process.kill(node.pids('control')[0] ?? 0, 'SIGKILL')
        await sleep(100)
        await untilWhole(node)
      }
      await trial.phase('control killed', 1_000)
    } finally {
      isOver = true
      await Promise.all([importing, watching])
    }
    world.figure('imports of the first', trial.acknowledged.imports)
    world.figure('imports of the second', second)
    world.figure('looked at', seen.whole)
    world.figure('mixed', seen.mixed)
    world.expect('both get through', second > 0 && trial.acknowledged.imports > 0, { second })
    world.expect('nobody sees a mixed list', seen.mixed === 0 && seen.whole > 0, seen)
    await trial.finish()
  },
}

const ASKED = 50

/** One batch is judged by one thread in one turn: all of one upload and none of the other. */
export async function lookAtSwapped(node: RunningService): Promise<'whole' | 'mixed' | undefined> {
  const numbers = (['a', 'b'] as const).flatMap((rows) =>
    Array.from({ length: ASKED }, (_, i) => numberIn(rows, Math.floor((i / ASKED) * SWAPPED_ROWS))),
  )
  const body = JSON.stringify(numbers.map((caller) => ({ caller, callee: CALLEE })))
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const response = await fetch(`${node.verdictUrl}/v1/verdicts`, { method: 'POST', headers, body })
  const verdicts = (await response.json()) as { decision: string; reasons: { code: string }[] }[]
  if (verdicts.some(({ reasons }) => reasons.some(({ code }) => code === 'overloaded' || code === 'not-ready'))) return
  const blocked = (from: number) =>
    verdicts.slice(from, from + ASKED).filter(({ decision }) => decision === 'block').length
  const [a, b] = [blocked(0), blocked(ASKED)]
  return (a === ASKED && b === 0) || (a === 0 && b === ASKED) ? 'whole' : 'mixed'
}
