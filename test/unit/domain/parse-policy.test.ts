import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { parsePolicy } from '../../../src/domain/parse-policy.ts'
import { SIGNAL_NAMES } from '../../../src/domain/policy.ts'

const text = readFileSync(new URL('../../../data/policy.yaml', import.meta.url), 'utf8')

/** The default policy with one value set, or taken away, at a path. */
function changed(path: string, value?: unknown): unknown {
  const document: unknown = parse(text)
  const keys = path.split('/').slice(1)
  const last = keys.pop() ?? ''
  let target = document as Record<string, unknown>
  for (const key of keys) target = target[key] as Record<string, unknown>
  if (value === undefined) delete target[last]
  else target[last] = value
  return document
}

function errorsOf(value: unknown): readonly { pointer: string; detail: string }[] {
  try {
    parsePolicy(value)
  } catch (error) {
    if (error instanceof ScreeningError && error.code === 'POLICY_INVALID') return error.details.errors ?? []
    throw error
  }
  return []
}

describe('the default policy', () => {
  it('is valid and has a rule for every signal', () => {
    const policy = parsePolicy(parse(text))
    expect(policy.rules.map((rule) => rule.signal).toSorted()).toEqual([...SIGNAL_NAMES].toSorted())
  })

  it('survives being read twice', () => {
    const policy = parsePolicy(parse(text))
    expect(parsePolicy(JSON.parse(JSON.stringify(policy)))).toEqual(policy)
  })
})

describe('a policy at its bounds', () => {
  it.each([
    ['/thresholds/flag', 1],
    ['/thresholds/flag', 80],
    ['/thresholds/block', 100],
    ['/thresholds/block', 50],
    ['/reviewAt', 1],
    ['/reviewAt', 100],
    ['/reports/windowDays', 1],
    ['/reports/windowDays', 90],
    ['/reports/flagReporters', 5],
    ['/reports/blockReporters', 32],
    ['/reports/blockReporters', 3],
    ['/reports/weightMin', 0],
    ['/reports/weightMin', 1],
    ['/numbering/staleAfterDays', 1],
    ['/numbering/staleAfterDays', 3650],
    ['/rules/0/points', 0],
    ['/rules/0/points', 100],
    ['/callees/service', []],
    ['/sip/analytics', '608'],
  ])('accepts %s = %j', (path, value) => {
    expect(errorsOf(changed(path, value))).toEqual([])
  })

  it.each([
    ['/thresholds/flag', 0],
    ['/thresholds/flag', 81],
    ['/thresholds/block', 101],
    ['/thresholds/block', 50.5],
    ['/thresholds/block', '80'],
    ['/reviewAt', 0],
    ['/reviewAt', 101],
    ['/reports/windowDays', 0],
    ['/reports/windowDays', 91],
    ['/reports/flagReporters', 0],
    ['/reports/flagReporters', 6],
    ['/reports/blockReporters', 33],
    ['/reports/weightMin', -0.01],
    ['/reports/weightMin', 1.01],
    ['/reports/weightMin', Number.NaN],
    ['/numbering/staleAfterDays', 0],
    ['/numbering/staleAfterDays', 3651],
    ['/rules/0/points', -1],
    ['/rules/0/points', 101],
    ['/rules/0/mode', 'enforced'],
    ['/callees/emergency', []],
    ['/callees/emergency/0', 112],
    ['/callees/emergency/0', 'police'],
    ['/sip/analytics', '604'],
    ['/sip/redressUrl', 'https://x.example/"\r\nEvil: 1'],
    ['/sip/redressUrl', 'javascript:alert(1)'],
    ['/sip/location', 'ln'],
    ['/label/code', 'Suspected Fraud'],
    ['/label/text', {}],
    ['/label/text/en', 'line\nbreak'],
    ['/name', ''],
    ['/name', '../etc'],
    ['/name', 'a'.repeat(65)],
  ])('refuses %s = %j', (path, value) => {
    const pointers = errorsOf(changed(path, value)).map((error) => error.pointer)
    expect(pointers).toContain(path)
  })

  it('refuses flag above block, and says so once', () => {
    expect(errorsOf(changed('/thresholds/block', 49))).toEqual([
      { pointer: '/thresholds/flag', detail: '"flag" must not be above "block" (49), got 50.' },
    ])
  })
})

describe('a wrong policy', () => {
  it('is refused with everything that is wrong at once', () => {
    const document = changed('/thresholds/flag', 'high') as Record<string, unknown>
    document.reviewAt = 200
    delete document.numbering
    expect(errorsOf(document).map((error) => error.pointer)).toEqual(['/numbering', '/thresholds/flag', '/reviewAt'])
  })

  it('names the nearest key for an unknown one', () => {
    const document = { ...(parse(text) as object), treshold: {} }
    expect(errorsOf(document)).toEqual([
      { pointer: '/treshold', detail: '"treshold" is not a known key here. Did you mean "thresholds"?' },
    ])
  })

  it('names the nearest signal for an unknown one', () => {
    const [error] = errorsOf(changed('/rules/0/signal', 'deny-list'))
    expect(error?.pointer).toBe('/rules/0/signal')
    expect(error?.detail).toContain('Did you mean "deny-listed"?')
  })

  it('refuses two rules for one signal', () => {
    expect(errorsOf(changed('/rules/1/signal', 'deny-listed')).map((error) => error.pointer)).toEqual([
      '/rules/1/signal',
    ])
  })

  it('treats __proto__ as an unknown key and changes no prototype', () => {
    const document: unknown = JSON.parse(
      JSON.stringify(parse(text)).replace('{', '{"__proto__":{"polluted":true},"constructor":{"prototype":{}},'),
    )
    expect(errorsOf(document).map((error) => error.pointer)).toEqual(['/__proto__', '/constructor'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    const yaml: unknown = parse(`${text}\n__proto__: { polluted: true }\n`)
    expect(errorsOf(yaml).map((error) => error.pointer)).toEqual(['/__proto__'])
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
    const label = changed('/label/text', JSON.parse('{"en":"x","__proto__":"y"}'))
    expect(errorsOf(label).map((error) => error.pointer)).toEqual(['/label/text/__proto__'])
  })

  it.each([null, undefined, 'text', 42, [], true, {}, { name: {} }, { rules: 'all' }, { rules: [null, 1, []] }])(
    'is refused when it is %j',
    (value) => {
      expect(errorsOf(value).length).toBeGreaterThan(0)
    },
  )

  it('never makes a long answer', () => {
    const errors = errorsOf(Object.fromEntries(Array.from({ length: 1_000 }, (_, key) => [`k${key}`, key])))
    expect(errors.length).toBe(50)
  })
})
