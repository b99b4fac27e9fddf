import { describe, expect, it } from 'vitest'
import {
  type Behaviour,
  completeBehaviour,
  DEFAULT_BEHAVIOUR,
  GOOD_FEATURES,
  HARM_FEATURES,
  PATTERN_FEATURES,
  type PatternFeature,
  SCORECARDS,
} from '../../../src/domain/behaviour.ts'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { parsePolicy } from '../../../src/domain/parse-policy.ts'
import { DEFAULT_POLICY } from '../../fixtures/screening-world.ts'

/** Of a policy with this section: what is wrong, or nothing. */
function errorsOf(behaviour: unknown): { pointer: string; detail: string }[] {
  try {
    parsePolicy({ ...JSON.parse(JSON.stringify(DEFAULT_POLICY)), behaviour })
  } catch (error) {
    if (error instanceof ScreeningError && error.code === 'POLICY_INVALID') return [...(error.details.errors ?? [])]
    throw error
  }
  return []
}

/** The default section with one value set, or taken away. */
function changed(pointer: string, value?: unknown): unknown {
  const section = JSON.parse(JSON.stringify(DEFAULT_BEHAVIOUR)) as Record<string, unknown>
  const keys = pointer.split('/').slice(1)
  const last = keys.pop() ?? ''
  let target = section
  for (const key of keys) target = target[key] as Record<string, unknown>
  if (value === undefined) delete target[last]
  else target[last] = value
  return section
}

const BOUNDS: readonly (readonly [string, number, number])[] = [
  ['/robocall/callees1', 2, 10_000],
  ['/robocall/callees15', 2, 10_000],
  ['/robocall/callees60', 2, 10_000],
  ['/robocall/fruitless', 2, 10_000],
  ['/oneRing/callees', 2, 10_000],
  ['/sequential/calls', 2, 10_000],
  ['/neighbour/digits', 3, 14],
  ['/strangers/fromAbroad', 2, 10_000],
  ['/strangers/ownNumbers', 2, 10_000],
  ['/strangers/neighbours', 2, 10_000],
  ['/rotation/newcomers', 2, 100],
  ['/rotation/callers', 2, 100],
  ['/rotation/calls', 2, 10_000],
  ['/simBox/calls', 2, 10_000],
  ['/simBox/callees60', 2, 10_000],
  ['/simBox/slowCalls', 2, 10_000],
  ['/simBox/slowCallees60', 2, 10_000],
  ['/simBox/incomingPercent', 0, 100],
  ['/trunks/count', 2, 16],
  ['/flood/calls', 2, 10_000],
  ['/pattern/full', 1, 100_000],
  ...SCORECARDS.map((name) => [`/pattern/${name}/bias`, -100_000, 0] as const),
]

describe('the section behaviour of a policy', () => {
  it('has a bound here for every value there is', () => {
    const { pattern: _, ...limits } = DEFAULT_BEHAVIOUR
    const values = Object.entries(limits).flatMap(([group, found]) =>
      Object.keys(found).map((key) => `/${group}/${key}`),
    )
    const ofPattern = ['full', ...SCORECARDS.map((name) => `${name}/bias`)].map((key) => `/pattern/${key}`)
    expect(BOUNDS.map(([pointer]) => pointer)).toEqual([...values, ...ofPattern])
  })

  it.each(BOUNDS)('takes %s from %i to %i, and nothing beyond', (pointer, min, max) => {
    expect([errorsOf(changed(pointer, min)), errorsOf(changed(pointer, max))]).toEqual([[], []])
    for (const value of [min - 1, max + 1, min + 0.5, String(min), null, Number.NaN]) {
      expect(errorsOf(changed(pointer, value)).map((error) => error.pointer)).toEqual([`/behaviour${pointer}`])
    }
    expect(errorsOf(changed(pointer))[0]?.pointer).toMatch(`/behaviour${pointer}`)
  })

  it.each(Object.keys(DEFAULT_BEHAVIOUR))('needs the group %s, as an object', (group) => {
    for (const value of [undefined, 5, [], null]) {
      expect(
        errorsOf(changed(`/${group}`, value)).every(({ pointer }) => pointer.startsWith(`/behaviour/${group}`)),
      ).toBe(true)
      expect(errorsOf(changed(`/${group}`, value)).length).toBeGreaterThan(0)
    }
  })

  it.each(['/robocal', '/robocall/callees2', '/pattern/bias', '/pattern/any-number/biases'])(
    'names what it does not know: %s',
    (pointer) => {
      const [error, ...others] = errorsOf(changed(pointer, 5))
      expect(error?.pointer).toBe(`/behaviour${pointer}`)
      expect(others).toEqual([])
    },
  )

  it('may be missing: a policy of an earlier release', () => {
    expect(errorsOf(undefined)).toEqual([])
  })
})

describe('the weights of a scorecard', () => {
  const withWeight = (feature: string, weight: unknown) =>
    errorsOf(changed('/pattern/new-number/weights', { [feature]: weight })).map(({ pointer }) => pointer)

  it('are of harm or of good evidence', () => {
    expect(PATTERN_FEATURES).toEqual([...HARM_FEATURES, ...GOOD_FEATURES])
    expect(new Set<PatternFeature>(PATTERN_FEATURES).size).toBe(PATTERN_FEATURES.length)
  })

  it.each(HARM_FEATURES)('of harm are never below 0: %s', (feature) => {
    expect([withWeight(feature, 0), withWeight(feature, 20_000)]).toEqual([[], []])
    for (const weight of [-1, 20_001, 0.5, '1']) {
      expect(withWeight(feature, weight)).toEqual([`/behaviour/pattern/new-number/weights/${feature}`])
    }
  })

  it.each(GOOD_FEATURES)('of good evidence are never above 0: %s', (feature) => {
    expect([withWeight(feature, 0), withWeight(feature, -20_000)]).toEqual([[], []])
    for (const weight of [1, -20_001, -0.5, '-1']) {
      expect(withWeight(feature, weight)).toEqual([`/behaviour/pattern/new-number/weights/${feature}`])
    }
  })

  it('name a feature that is not known, as it is written', () => {
    const [error] = errorsOf(changed('/pattern/new-number/weights', { 'callees-2': 5 }))
    expect(error?.pointer).toBe('/behaviour/pattern/new-number/weights/callees-2')
    expect(error?.detail).toContain('callees-2')
    expect(withWeight('a/b~c', 5)).toContain('/behaviour/pattern/new-number/weights/a~1b~0c')
  })

  it.each([[[]], [5], [null], ['none']])('are an object: %j', (weights) => {
    expect(errorsOf(changed('/pattern/new-number/weights', weights)).map(({ pointer }) => pointer)).toEqual([
      '/behaviour/pattern/new-number/weights',
    ])
  })
})

it('the default for policies without behaviour is what data/policy.yaml has', () => {
  expect(DEFAULT_POLICY.behaviour).toEqual(DEFAULT_BEHAVIOUR)
})

describe('a stored policy of an earlier release', () => {
  it('without behaviour has the defaults', () => {
    expect(completeBehaviour(undefined)).toEqual(DEFAULT_BEHAVIOUR)
  })
  it('keeps its limits and takes those it did not know', () => {
    const { simBox, ...others } = DEFAULT_BEHAVIOUR
    const { slowCalls: _, slowCallees60: __, ...known } = { ...simBox, calls: 77 }
    const stored = { ...others, simBox: known } as unknown as Behaviour
    expect(completeBehaviour(stored)).toEqual({ ...DEFAULT_BEHAVIOUR, simBox: { ...simBox, calls: 77 } })
  })
  it('with one scorecard takes the default ones', () => {
    const stored = { ...DEFAULT_BEHAVIOUR, pattern: { bias: -5, full: 6, weights: {} } } as unknown as Behaviour
    expect(completeBehaviour(stored)).toEqual(DEFAULT_BEHAVIOUR)
  })
  it('with scorecards keeps them', () => {
    const own = { ...DEFAULT_BEHAVIOUR, pattern: { ...DEFAULT_BEHAVIOUR.pattern, full: 7 } }
    expect(completeBehaviour(own)).toEqual(own)
  })
})
