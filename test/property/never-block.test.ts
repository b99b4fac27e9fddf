import { expect, it } from 'vitest'
import { runStates } from '../../bench/never-block/run-states.ts'

/** Each state is new in all its parts; `npm run evaluate -- never-block` has as many as anybody has patience for. */
const STATES = 100_000
const SEED = 20_260_301

it(`emergency, operator-service and protected numbers are never blocked, in ${STATES} states`, () => {
  const result = runStates(STATES, SEED)
  expect(result.emergency).toEqual({ calls: STATES, blocked: 0 })
  expect(result.service).toEqual({ calls: STATES, blocked: 0 })
  expect(result.protected.blocked).toBe(0)
  expect(result.calledBack.blocked).toBe(0)
  expect(result.failures).toBe(0)
  // The states are no harmless ones: in the same ones a good part of all other calls is blocked, and protection is needed.
  expect(result.protected.calls).toBeGreaterThan(STATES / 2)
  expect(result.calledBack.calls).toBeGreaterThan(STATES / 2)
  expect(result.protectedSpared).toBeGreaterThan(STATES / 10)
  expect(result.others.blocked / result.others.calls).toBeGreaterThan(0.1)
}, 120_000)
