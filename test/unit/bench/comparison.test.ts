import { describe, expect, it } from 'vitest'
import { coreRatio, rateOf, rateRatio, ratioCells } from '../../../bench/load/comparison.ts'
import type { Round } from '../../../bench/load/round.ts'

function round(perSecond: number, cpuMicroseconds: number, serverShare: number): Round {
  return { perSecond, cpuMicroseconds, serverShare, generatorShare: 0.5, overloaded: 0, flagged: 0, blocked: 0 }
}

describe('comparison of two servers', () => {
  const ours = [round(90_000, 10, 0.9), round(100_000, 10, 1)]
  const theirs = [round(30_000, 30, 0.9), round(25_000, 40, 1)]

  it('compares rates, round by round, while each had its core', () => {
    expect(rateRatio(ours, theirs)).toEqual({ value: 3.5, range: [3, 4], rounds: 2 })
    expect(rateOf(ours)).toEqual({ value: 95_000, range: [90_000, 100_000], rounds: 2 })
  })

  it('compares processor time, and says so, when one of them had less than nine tenths of its core', () => {
    const starved = [round(10_000, 30, 0.3), round(20_000, 40, 0.89), round(12_000, 32, 0.4)]
    const compared = rateRatio([...ours, round(80_000, 10, 0.95)], starved)
    expect(compared).toEqual({
      value: 3.2,
      range: [3, 4],
      rounds: 3,
      note: 'by processor time: a server had 40 % of its core',
    })
    expect(rateOf(starved)).toMatchObject({ value: 1e6 / 32, note: 'by processor time: a server had 40 % of its core' })
  })

  it('compares by core whoever had how much of it', () => {
    expect(coreRatio(ours, [round(1, 8, 0.1), round(1, 10, 0.1)])).toEqual({ value: 0.9, range: [0.8, 1], rounds: 2 })
  })

  it('shows both ratios in a table as they are', () => {
    expect(ratioCells(ours, [round(3_000, 30, 0.1), round(4_000, 120, 0.1)])).toEqual(['27.5x', '7.50x'])
  })
})
