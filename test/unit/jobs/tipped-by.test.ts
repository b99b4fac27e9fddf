import { describe, expect, it } from 'vitest'
import type { ReasonCode } from '../../../src/domain/reason.ts'
import { tippedBy } from '../../../src/jobs/tipped-by.ts'

const side = (score: number, reasons: Partial<Record<ReasonCode, number>> = {}) => ({
  score,
  reasons: Object.entries(reasons).map(([code, points]) => ({ code: code as ReasonCode, points })),
})

describe('what tips a verdict', () => {
  it.each([
    [
      'a signal that gives more',
      side(40, { watched: 40 }),
      side(90, { watched: 40, reported: 80 }),
      1,
      'reported',
      0,
      80,
    ],
    [
      'the one that moved most',
      side(10, { watched: 10, reported: 5 }),
      side(60, { watched: 30, reported: 40 }),
      1,
      'reported',
      5,
      40,
    ],
    ['good evidence that gives less', side(70, { attested: -30 }), side(90, { attested: -5 }), 1, 'attested', -30, -5],
    ['a signal that gives less', side(97, { listed: 97 }), side(10, { watched: 10 }), -1, 'deny-listed', 97, 0],
    ['a deny list, whatever its points', side(0), side(40, { listed: 0, watched: 40 }), 1, 'deny-listed', 0, 0],
    ['an allow list', side(97, { listed: 97 }), side(0, { 'allow-listed': 0 }), -1, 'allow-listed', 97, 0],
    ['protection', side(90, { reported: 90 }), side(90, { reported: 90, protected: 0 }), -1, 'protected', 90, 90],
    [
      'an emergency number',
      side(90, { reported: 90 }),
      side(0, { 'emergency-callee': 0 }),
      -1,
      'emergency-callee',
      90,
      0,
    ],
    ['limits alone', side(60, { watched: 60 }), side(60, { watched: 60 }), -1, 'thresholds', 60, 60],
    [
      'limits, though points moved the other way',
      side(60, { watched: 60 }),
      side(50, { watched: 50 }),
      1,
      'thresholds',
      60,
      50,
    ],
  ] as const)('is %s', (_what, before, after, direction, cause, from, to) => {
    expect(tippedBy(before, after, direction)).toEqual({ cause, before: from, after: to })
  })
})
