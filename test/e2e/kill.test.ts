import { expect, it } from 'vitest'
import { runKills } from '../../bench/scale/kill.ts'

// The short form of `npm run bench -- kill`, which does 200.
it('loses nothing acknowledged and never shows half a list, whichever process is killed', async () => {
  const seed = Number(process.env.ZASLON_TEST_SEED ?? Date.now() % 1_000_000)
  const outcome = await runKills({ kills: 6, seed }, () => {})
  expect(outcome, `seed ${seed}`).toMatchObject({ lost: 0, halfLists: 0, staleLists: 0 })
  expect(outcome.reports).toBeGreaterThan(10)
  expect(outcome.imports).toBeGreaterThan(0)
  expect(Object.values(outcome.recovery).map((times) => times.length)).toEqual([2, 2, 2])
}, 180_000)
