import { describe, expect, it } from 'vitest'
import {
  alwaysAgree,
  CLIQUE_RULES,
  credibility,
  foldOutcome,
  isProven,
  type ReporterOutcomes,
} from '../../../src/domain/reporter.ts'

const DAY_MS = 86_400_000
const NOW = Date.parse('2026-03-01T12:00:00Z')

function outcomes(confirmed: number, refuted: number): ReporterOutcomes {
  return { confirmed, refuted, judgedMs: NOW, firstJudgedMs: NOW }
}

describe('the credibility of a reporter', () => {
  it.each([
    [0, 1, 0.5],
    [0, 2, 1 / 3],
    [0, 3, 0.25],
    [1, 0, 1],
    [40, 0, 1],
    [9, 1, 1],
    [10, 2, 0.96],
  ])('after %i confirmed and %i refuted reports is %f', (confirmed, refuted, expected) => {
    expect(credibility(outcomes(confirmed, refuted), NOW)).toBeCloseTo(expected, 2)
  })

  it('of somebody unknown is full', () => {
    expect(credibility(undefined, NOW)).toBe(1)
  })

  it('survives one mistake on every channel, and three lies on none', () => {
    const weightMin = 0.3
    const channels = [1, 0.9, 0.8, 0.6]
    expect(channels.every((weight) => weight * credibility(outcomes(0, 1), NOW) >= weightMin)).toBe(true)
    expect(channels.some((weight) => weight * credibility(outcomes(0, 3), NOW) >= weightMin)).toBe(false)
  })

  it('comes back as a lie ages', () => {
    const liar = outcomes(0, 3)
    expect(credibility(liar, NOW + 90 * DAY_MS)).toBeCloseTo(1.5 / 5 / 0.75, 6)
    expect(credibility(liar, NOW - DAY_MS)).toBe(credibility(liar, NOW))
  })
})

describe('a proven reporter', () => {
  it('has a confirmed report that is not too old, and more of them than refuted ones', () => {
    expect(isProven(undefined, NOW)).toBe(false)
    expect(isProven(outcomes(1, 0), NOW)).toBe(true)
    expect(isProven(outcomes(1, 0), NOW + 90 * DAY_MS)).toBe(true)
    expect(isProven(outcomes(1, 0), NOW + 91 * DAY_MS)).toBe(false)
    expect(isProven(outcomes(2, 2), NOW)).toBe(false)
  })
})

describe('outcomes', () => {
  it('add up and halve in ninety days', () => {
    const once = foldOutcome(undefined, 'confirmed', NOW)
    expect(once).toEqual({ confirmed: 1, refuted: 0, judgedMs: NOW, firstJudgedMs: NOW })
    const later = foldOutcome(once, 'refuted', NOW + 90 * DAY_MS)
    expect(later).toMatchObject({ refuted: 1, judgedMs: NOW + 90 * DAY_MS, firstJudgedMs: NOW })
    expect(later.confirmed).toBeCloseTo(0.5, 12)
  })

  it('take one that comes late as of the newest', () => {
    const newest = foldOutcome(undefined, 'refuted', NOW)
    const late = foldOutcome(newest, 'confirmed', NOW - DAY_MS)
    expect(late).toEqual({ confirmed: 1, refuted: 1, judgedMs: NOW, firstJudgedMs: NOW - DAY_MS })
  })
})

describe('reporters who always agree', () => {
  const numbers = (from: number, to: number) => new Set(Array.from({ length: to - from }, (_, index) => from + index))

  it.each([
    ['eight of eight', numbers(0, 8), numbers(0, 8), true],
    ['seven of seven', numbers(0, 7), numbers(0, 7), false],
    ['twelve of sixteen', numbers(0, 16), numbers(4, 20), true],
    ['eleven of sixteen', numbers(0, 16), numbers(5, 21), false],
    ['eight of ten, of somebody with sixteen', numbers(0, 10), numbers(2, 18), true],
    ['none', numbers(0, 16), numbers(16, 32), false],
  ])('share %s of their last numbers: %#', (_name, a, b, expected) => {
    expect(alwaysAgree(a, b, CLIQUE_RULES)).toBe(expected)
    expect(alwaysAgree(b, a, CLIQUE_RULES)).toBe(expected)
  })
})
