import { describe, expect, it } from 'vitest'
import { CONTROL_SILENT_MS, freshMoment } from '../../../src/processes/fresh-moment.ts'

const NOW_MS = 1_700_000_000_000

describe('the state of a verdict process', () => {
  it('is as fresh as the change log while control is heard of', () => {
    expect(freshMoment(NOW_MS - 20, 0, NOW_MS)).toBe(NOW_MS - 20)
    expect(freshMoment(NOW_MS - 20, CONTROL_SILENT_MS - 1, NOW_MS)).toBe(NOW_MS - 20)
  })

  it('ages from the last word of a control process that has gone silent', () => {
    expect(freshMoment(NOW_MS - 20, 5_000, NOW_MS)).toBe(NOW_MS - 5_000)
  })

  it('is no fresher than the oldest change that waits, whoever is silent', () => {
    expect(freshMoment(NOW_MS - 9_000, 5_000, NOW_MS)).toBe(NOW_MS - 9_000)
  })
})
