import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ACTIVITY_OF,
  type ActivityView,
  createActivity,
  createActivityView,
  noteAttempt,
  noteEnd,
  openActivity,
  readActivity,
} from '../../src/shm/activity.ts'
import { createActivityModel } from '../support/activity-model.ts'

const START = Date.UTC(2026, 2, 14, 22, 50)
const HOUR = 3_600_000

const others = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 79_160_000_000, max: 79_160_000_012 }) },
  { weight: 1, arbitrary: fc.constantFrom(-1, -2, 1_112, 861_012_345_678_901, 79_160_000_003 + 2 ** 32) },
)
const advance = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 90_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: -120_000, max: 20 * 60_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(-61 * 60_000, -HOUR, -5 * HOUR, 59 * 60_000, HOUR, 7 * HOUR, 30 * HOUR) },
)
const talk = fc.constantFrom(0, 999, 5_999, 6_000, 29_999, 30_000, 59_999, 60_000, 1_800_000, 90_000_000)
const attempt = fc.record({
  kind: fc.constant('attempt' as const),
  key: fc.integer({ min: 0, max: 2 }),
  other: others,
  trunk: fc.constantFrom(0, 1, 2, 300, 65_000),
  advance,
})
const end = fc.record({
  kind: fc.constant('end' as const),
  key: fc.integer({ min: 0, max: 2 }),
  other: others,
  answered: fc.boolean(),
  ring: fc.constantFrom(0, 1, 5_000, 5_001, 30_000),
  talk,
  advance,
})
const rows = [
  { key: 79_990_000_001, of: ACTIVITY_OF.caller + 2 },
  { key: 79_990_000_001, of: ACTIVITY_OF.callee },
  { key: 799_900_000, of: ACTIVITY_OF.block },
] as const

/** The share by which the sketch may be wrong here: seven standard errors. */
const SKETCH_TOLERANCE = 0.27

function expectAgreement(view: ActivityView, model: ActivityView | undefined, isDense: boolean): void {
  if (!model || !isDense) {
    expect(view).toEqual(model ?? createActivityView())
    return
  }
  for (const field of ['others1', 'others15', 'others60'] as const) {
    expect(Math.abs(view[field] - model[field])).toBeLessThanOrEqual(2 + SKETCH_TOLERANCE * model[field])
  }
  const { others1, others15, others60 } = view
  expect(view).toEqual({ ...model, others1, others15, others60 })
}

describe('activity of keys that stay in the table', () => {
  it('is in every field what plain arrays of all attempts say, in any order of events and clocks', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: attempt }, end), { maxLength: 250 }), (events) => {
        const activity = openActivity(createActivity(64))
        const model = createActivityModel()
        const view = createActivityView()
        let now = START
        for (const event of events) {
          now += event.advance
          const row = rows[event.key] ?? rows[0]
          if (event.kind === 'attempt') {
            noteAttempt(activity, row.key, row.of, event.other, event.trunk, now)
            model.attempt(row.key, row.of, event.other, event.trunk, now)
          } else {
            const { other, answered, ring, talk } = event
            const counted = noteEnd(activity, row.key, row.of, other, answered, ring, talk, now)
            expect(counted).toBe(model.end(row.key, row.of, other, answered, ring, talk, now))
          }
          const known = readActivity(activity, row.key, row.of, now, view)
          expect(known).toBe(model.has(row.key, row.of))
          expectAgreement(view, model.read(row.key, row.of, now), false)
        }
        for (const later of [0, 60_000, 14 * 60_000, 15 * 60_000, 59 * 60_000, HOUR]) {
          for (const { key, of } of rows) {
            readActivity(activity, key, of, now + later, view)
            expectAgreement(view, model.read(key, of, now + later), false)
          }
        }
      }),
      { numRuns: 300 },
    )
  })

  it('is so for callers with hundreds of attempts an hour, but for the sketch of distinct others', () => {
    const burst = fc.record({
      attempts: fc.integer({ min: 1, max: 120 }),
      spread: fc.integer({ min: 1, max: 400 }),
      step: fc.constantFrom(1, 3, 7),
      gapMs: fc.integer({ min: 0, max: 25_000 }),
      pauseMs: fc.constantFrom(0, 60_000, 10 * 60_000, 61 * 60_000, -90_000, -2 * HOUR),
      endEvery: fc.integer({ min: 1, max: 5 }),
      answered: fc.boolean(),
      talk: fc.constantFrom(0, 5_000, 20_000, 65_000),
      trunk: fc.integer({ min: 0, max: 60 }),
    })
    const key = 74_950_000_000
    const of = ACTIVITY_OF.caller
    fc.assert(
      fc.property(fc.array(burst, { minLength: 4, maxLength: 14 }), (bursts) => {
        const activity = openActivity(createActivity(64))
        const model = createActivityModel()
        const view = createActivityView()
        let now = START
        for (const { attempts, spread, step, gapMs, pauseMs, endEvery, answered, talk, trunk } of bursts) {
          now += pauseMs
          for (let i = 0; i < attempts; i++) {
            now += gapMs
            const other = 79_160_000_000 + ((i * step) % spread)
            const through = trunk > 40 ? i % 40 : trunk
            noteAttempt(activity, key, of, other, through, now)
            model.attempt(key, of, other, through, now)
            if (i % endEvery > 0) continue
            const counted = noteEnd(activity, key, of, other, answered, 2_000, talk, now + 2_000)
            expect(counted).toBe(model.end(key, of, other, answered, 2_000, talk, now + 2_000))
          }
          for (const later of [0, 61_000, 20 * 60_000]) {
            readActivity(activity, key, of, now + later, view)
            expectAgreement(view, model.read(key, of, now + later), model.isDense(key, of))
          }
        }
      }),
      { numRuns: 60 },
    )
  })
})
