import { describe, expect, it } from 'vitest'
import { DEFAULT_BEHAVIOUR } from '../../../src/domain/behaviour.ts'
import type { Call } from '../../../src/domain/call-event.ts'
import { compilePolicy } from '../../../src/engine/compiled-policy.ts'
import { LIST_KIND_CODE } from '../../../src/engine/compiled-state.ts'
import { createEvidence, ODDITY } from '../../../src/engine/evidence.ts'
import { odditiesOf, shareLeadingDigits } from '../../../src/engine/oddities.ts'
import { call, DEFAULT_POLICY, FOREIGNER, HOME } from '../../fixtures/screening-world.ts'

const [UNKNOWN, SUBSCRIBER, NATIONAL, INTERNATIONAL] = [0, 1, 2, 3]
const CONFIRMED = 1
const DENIED = 2
/** Far from the caller's number. */
const CALLEE = 79_991_112_233

function odditiesIn(asked: Partial<Call>, ingress: number, isOwn = false, digits = 6): string[] {
  const policy = compilePolicy(
    { ...DEFAULT_POLICY, behaviour: { ...DEFAULT_BEHAVIOUR, neighbour: { digits } } },
    1,
    HOME,
  )
  const evidence = createEvidence()
  evidence.ingress = ingress
  if (isOwn) evidence.listByKind[LIST_KIND_CODE.own] = 1
  const found = odditiesOf(call({ callee: CALLEE, ...asked }), evidence, { home: HOME, policy })
  return Object.entries(ODDITY).flatMap(([name, bit]) => ((found & bit) === 0 ? [] : [name]))
}

describe('what is odd about a number', () => {
  it.each([
    ['from abroad, nobody knows of roaming', {}, INTERNATIONAL, ['homeFromAbroad']],
    ['from abroad, roaming', { roaming: CONFIRMED }, INTERNATIONAL, []],
    ['from abroad, not roaming: that is a fact, and no oddity', { roaming: DENIED }, INTERNATIONAL, []],
    ['a foreign number from abroad', { caller: FOREIGNER }, INTERNATIONAL, []],
    ['from a national network', {}, NATIONAL, []],
    ['from a subscriber', {}, SUBSCRIBER, []],
    ['nobody knows from where', {}, UNKNOWN, []],
    ['no number', { caller: -1 }, INTERNATIONAL, []],
    ['no usable number', { caller: -5 }, INTERNATIONAL, []],
  ])('a home number: %s', (_name, asked, ingress, expected) => {
    expect(odditiesIn(asked, ingress)).toEqual(expected)
  })

  it.each([
    ['from a national network', {}, NATIONAL, ['ownFromOutside']],
    ['from abroad', {}, INTERNATIONAL, ['homeFromAbroad', 'ownFromOutside']],
    ['from abroad, roaming', { roaming: CONFIRMED }, INTERNATIONAL, []],
    ['from abroad, not roaming', { roaming: DENIED }, INTERNATIONAL, ['ownFromOutside']],
    ['redirected', { redirecting: 79_031_112_234 }, NATIONAL, []],
    ['redirected by nobody known', { redirecting: -1 }, NATIONAL, ['ownFromOutside']],
    ['from a subscriber', {}, SUBSCRIBER, []],
    ['nobody knows from where', {}, UNKNOWN, []],
  ])('one of our own numbers: %s', (_name, asked, ingress, expected) => {
    expect(odditiesIn(asked, ingress, true)).toEqual(expected)
  })

  it('a number that begins like the callee’s, from anywhere', () => {
    const near = { caller: 79_160_000_002, callee: 79_160_099_999 }
    for (const ingress of [UNKNOWN, SUBSCRIBER, NATIONAL]) {
      expect(odditiesIn(near, ingress)).toEqual(['neighbour'])
      expect(odditiesIn(near, ingress, false, 7)).toEqual([])
    }
  })
})

describe('leading digits', () => {
  it.each([
    [79_160_000_000, 79_160_099_999, 6, true],
    [79_160_000_000, 79_160_100_000, 6, false],
    [79_160_000_000, 79_159_999_999, 6, false],
    [79_160_000_000, 79_169_999_999, 4, true],
    [79_160_000_000, 79_169_999_999, 5, false],
    // As many digits as the number has, and more: only itself.
    [79_160_000_000, 79_160_000_001, 10, true],
    [79_160_000_000, 79_160_000_001, 11, false],
    [79_160_000_000, 79_160_000_001, 14, false],
    // The same number is no neighbour.
    [79_160_000_000, 79_160_000_000, 6, false],
    // Of another length.
    [79_160_000_000, 791_600_000_000, 6, false],
    [791_600_000_000, 79_160_000_000, 6, false],
    [79_160_000_000, 7_916_000_000, 6, false],
    // No numbers, and short codes.
    [79_160_000_000, -1, 6, false],
    [-1, 79_160_000_000, 6, false],
    [1_611, 1_612, 3, false],
  ])('%i and %i share %i: %s', (a, b, digits, expected) => {
    expect(shareLeadingDigits(a, b, digits)).toBe(expected)
  })
})
