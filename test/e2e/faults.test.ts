import { describe, expect, it } from 'vitest'
import { CASES } from '../faults/cases/index.ts'
import { missing } from '../faults/lib/capabilities.ts'
import { sweepLeftovers } from '../faults/lib/cleanup.ts'
import { runCases } from '../faults/lib/run-cases.ts'

// The short form of `npm run faults`, which has all cases and more rounds.
describe('a service under faults', () => {
  sweepLeftovers()
  const seed = Number(process.env.ZASLON_TEST_SEED ?? Date.now() % 1_000_000)
  for (const fault of CASES.filter(({ isCheap }) => isCheap)) {
    const why = fault.needs.map(missing).find((reason) => reason !== undefined)
    const name = `${fault.id}: ${fault.what}${why === undefined ? '' : ` (skipped: ${why})`}`
    it.skipIf(why !== undefined)(name, { timeout: 120_000 }, async () => {
      const quiet = { mustEnd: () => false, onBegin: () => {}, onResult: () => {}, say: () => {} }
      const options = { isQuick: true, seed, count: () => (fault.countsItself ? 3 : 1) }
      const [result] = await runCases([fault], options, quiet)
      expect(result?.failures, `seed ${seed}, ${JSON.stringify(result?.figures)}`).toEqual([])
    })
  }
})
