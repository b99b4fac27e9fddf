import { describe, expect, it } from 'vitest'
import { createEvidence, ODDITY } from '../../../src/engine/evidence.ts'
import { type KnownBehaviour, takeBehaviour } from '../../../src/engine/known.ts'
import type { NumberBehaviour } from '../../../src/engine/number-behaviour.ts'
import { answerBehaviour, busiestBehaviour, busiestNumber } from '../../../src/processes/answer-behaviour.ts'
import { createActivityView } from '../../../src/shm/activity.ts'
import { CALLEE, CALLER, DAY_MS, NOW, openWorld, type WorldEvent } from '../../fixtures/screening-world.ts'

const asked = { caller: CALLER, callee: CALLEE, trunk: 1, ingress: 2, nowMs: NOW }
const TRUNKS = [{ name: 't', kind: 'unknown', screening: 'enforce', failMode: 'open' }] as const
const calls = (count: number, nowMs = NOW): WorldEvent[] =>
  Array.from({ length: count }, (_, index) => ({
    type: 'call',
    call: { callee: CALLEE + index, trunk: 1, ingress: 2, nowMs },
  }))
const seen = (totalAttempts: number) => ({ ...createActivityView(), totalAttempts })

describe('what a verdict process knows of a call', () => {
  it('is what its threads would read now, and nothing is counted', () => {
    const { behaviour } = openWorld({ trunks: TRUNKS, history: calls(5) })
    const first = answerBehaviour(asked, behaviour)
    expect(first).toMatchObject({
      outgoing: { attempts60: 5, others60: 5, trunks15: 1 },
      block: { attempts60: 5, others60: 1 },
      called: { attempts60: 1 },
      incoming: { attempts60: 0 },
      contact: 0,
    })
    expect(answerBehaviour(asked, behaviour)).toEqual(first)
  })

  it('is of the kind of ingress that was asked about', () => {
    const { behaviour } = openWorld({ trunks: TRUNKS, history: calls(5) })
    expect(answerBehaviour({ ...asked, ingress: 3 }, behaviour).outgoing.attempts60).toBe(0)
  })

  it('has no list, no report and no ingress in it, which others know better', () => {
    const answer = answerBehaviour(asked, openWorld().behaviour)
    for (const name of ['listByKind', 'ingress', 'reporters', 'harmShare']) expect(answer).not.toHaveProperty(name)
  })

  it.each([-1, -5])('is nothing for a caller without a number (%i)', (caller) => {
    const { behaviour } = openWorld({ history: calls(5) })
    const { outgoing, contact } = answerBehaviour({ ...asked, caller }, behaviour)
    expect([outgoing.attempts60, contact]).toEqual([0, 0])
  })

  it('survives the way between processes', () => {
    const answer = answerBehaviour(asked, openWorld({ history: calls(3) }).behaviour)
    expect(structuredClone(answer)).toEqual(answer)
  })
})

describe('of several processes', () => {
  const behaviourOf = (total: number): KnownBehaviour => ({ ...createEvidence(), outgoing: seen(total) })
  const numberOf = (outgoing: number[], incoming?: number): NumberBehaviour => ({
    outgoing: Object.fromEntries(outgoing.map((total, index) => [`kind-${index}`, seen(total)])),
    blockHarm: {},
    ...(incoming === undefined ? {} : { incoming: seen(incoming) }),
  })

  it('the one that saw the caller most is believed, the first of equals', () => {
    const [few, many, same] = [behaviourOf(1), behaviourOf(2), behaviourOf(2)]
    expect(busiestBehaviour([few, many, same])).toBe(many)
    expect(busiestBehaviour([])).toBeUndefined()
  })

  it('the one that saw the number most is believed: calls of all kinds, and those it got', () => {
    const [out, mixed, most] = [numberOf([3]), numberOf([1, 1], 2), numberOf([2, 1], 2)]
    expect(busiestNumber([out, mixed])).toBe(mixed)
    expect(busiestNumber([mixed, most, out])).toBe(most)
    expect(busiestNumber([])).toBeUndefined()
  })
})

describe('what was asked of a verdict process', () => {
  const known = (oddities: number): KnownBehaviour => ({
    ...answerBehaviour(asked, openWorld().behaviour),
    oddities,
    strangers15: Int32Array.of(5, 6, 7),
    newcomers60: 8,
  })
  const taken = (own: number, answered: number) => {
    const evidence = createEvidence()
    evidence.ingress = 3
    evidence.oddities = own
    takeBehaviour(evidence, known(answered))
    return evidence
  }
  const ALL = ODDITY.homeFromAbroad | ODDITY.neighbour | ODDITY.ownFromOutside | ODDITY.newcomer

  it('counts strangers only with the oddities of this call', () => {
    const { oddities, strangers15, newcomers60, ingress } = taken(ODDITY.neighbour, ALL)
    expect([oddities, [...strangers15], newcomers60, ingress]).toEqual([
      ODDITY.neighbour | ODDITY.newcomer,
      [0, 6, 0],
      8,
      3,
    ])
  })

  it('counts no strangers with somebody who is none', () => {
    const { oddities, strangers15, newcomers60 } = taken(ODDITY.neighbour, 0)
    expect([oddities, [...strangers15], newcomers60]).toEqual([0, [0, 0, 0], 0])
  })

  it('keeps newcomers of a call that is not odd otherwise', () => {
    expect(taken(0, ALL)).toMatchObject({ oddities: ODDITY.newcomer, newcomers60: 8 })
  })
})

it('a stranger is one until the day after his first call, where the past is long enough', () => {
  const early: WorldEvent = { type: 'call', call: { caller: CALLER + 500, nowMs: NOW - 2 * DAY_MS } }
  const strange = (history: WorldEvent[]) =>
    (answerBehaviour(asked, openWorld({ trunks: TRUNKS, history }).behaviour).oddities & ODDITY.newcomer) !== 0
  expect(strange([early])).toBe(true)
  expect(strange([early, ...calls(1)])).toBe(true)
  expect(strange([early, ...calls(1, NOW - DAY_MS), ...calls(1)])).toBe(false)
  const late: WorldEvent = { type: 'call', call: { caller: CALLER + 500, nowMs: NOW - 2 * DAY_MS + 1_000 } }
  expect(strange([late])).toBe(false)
  expect(strange([])).toBe(false)
})
