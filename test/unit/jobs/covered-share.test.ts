import { describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { coveredShare, largestCoveredShare } from '../../../src/jobs/covered-share.ts'

function shareOf(ranges: [number, number][]): number {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0])
  return largestCoveredShare({
    from: Float64Array.from(sorted, ([from]) => from),
    to: Float64Array.from(sorted, ([, to]) => to),
    ids: new Uint32Array(sorted.length),
  })
}

describe('the covered share', () => {
  it.each([
    [79160000000, 79169999999, 1e-3],
    [79000000000, 79999999999, 0.1],
    [375000000000, 375999999999, 1],
    [1100, 1199, 0.1],
  ])('of %i to %i is %d', (from, to, share) => {
    expect(coveredShare(from as PhoneNumber, to as PhoneNumber)).toBeCloseTo(share, 12)
  })

  it('adds up within a country code and a length, overlaps once', () => {
    expect(shareOf([])).toBe(0)
    expect(
      shareOf([
        [79000000000, 79999999999],
        [79500000000, 79999999999],
        [74000000000, 74999999999],
      ]),
    ).toBeCloseTo(0.2, 12)
    expect(
      shareOf([
        [79000000000, 79999999999],
        [12000000000, 12999999999],
      ]),
    ).toBeCloseTo(0.1, 12)
    expect(
      shareOf([
        [375290000000, 375299999999],
        [375330000000, 375339999999],
      ]),
    ).toBeCloseTo(0.02, 12)
  })
})
