import { beforeAll, describe, expect, it } from 'vitest'
import { colludingReports } from '../../../bench/bombing/colluders.ts'
import { type Outcome, runWorld, type WorldOutcome } from '../../../bench/bombing/run-world.ts'
import { END_MS, historyOf, makeWorld, WORLD } from '../../../bench/bombing/world.ts'
import { run } from '../../../bench/evaluate/bombing.ts'
import { standingFrom } from '../../../src/domain/number-standing.ts'

const SEED = 7
const FRAUD = 200
const RULES = { seed: SEED, corroboratedMin: 0 }
const share = ({ count, n }: Outcome['targetsBlocked']) => count / n

describe('the world of bombed numbers', () => {
  const world = makeWorld(SEED, 150, 1, FRAUD)
  const colluding = colludingReports(world, SEED, 0.2)
  let without: WorldOutcome
  let withColluders: WorldOutcome
  beforeAll(async () => {
    without = await runWorld(world, [], RULES)
    withColluders = await runWorld(world, colluding, RULES)
  }, 60_000)

  it('is the same for the same seed, with and without colluders', () => {
    expect(makeWorld(SEED, 150, 1, FRAUD).honest).toEqual(world.honest)
    expect(colludingReports(world, SEED, 0.2)).toEqual(colluding)
    expect(colludingReports(world, SEED + 1, 0.2)).not.toEqual(colluding)
    expect(colluding.every(({ isHonest }) => !isHonest)).toBe(true)
  })

  it('blocks bombed numbers by counting and hardly any by ours', () => {
    expect(share(withColluders.raw.targetsBlocked)).toBeGreaterThan(0.8)
    expect(share(withColluders.ours.targetsBlocked)).toBeLessThan(0.02)
    expect(without.ours.targetsBlocked.count).toBe(0)
  })

  it('loses no fraud to whitewashers that was blocked without them, but for a point', () => {
    let lost = 0
    for (const [probe, calls] of without.ours.blockedProbes) {
      if (!withColluders.ours.blockedProbes.has(probe)) lost += calls
    }
    expect(without.ours.fraudCallsBlocked.count).toBeGreaterThan(0)
    expect(lost / without.ours.fraudCallsBlocked.n).toBeLessThan(0.01)
  })

  it('forgets the calls of the share of numbers it is told to', () => {
    const forgetful = makeWorld(SEED, 150, 0, FRAUD)
    const known = (of: typeof world) =>
      of.targets.filter(({ number }) => standingFrom(historyOf(of, number, END_MS)) !== 'unknown').length
    expect(known(forgetful)).toBe(0)
    expect(known(world)).toBeGreaterThan(100)
    expect(world.targets.every(({ bornMs }) => bornMs <= WORLD.startMs + 86_400_000)).toBe(true)
  })
})

describe('npm run evaluate -- bombing', () => {
  it.each([
    [['--colluders', '5,x'], '--colluders'],
    [['--colluders', '91'], '--colluders'],
    [['--targets', '20001'], '--targets'],
    [['--targets', '1.5'], '--targets'],
    [['--seed', '-1'], '--seed'],
    [['--remembered', '101'], '--remembered'],
    [['--corroborated', '33'], '--corroborated'],
    [['--json', '/nowhere/a.json'], '--json /nowhere/a.json cannot be written'],
  ])('refuses %j and names the option', async (args, option) => {
    await expect(run(args)).rejects.toThrow(option)
  })
})
