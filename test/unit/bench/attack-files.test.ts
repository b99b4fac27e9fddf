import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { EvaluateUsageError } from '../../../bench/lib/evaluate-usage-error.ts'
import { attackSchemaText } from '../../../bench/simulator/attack-schema.ts'
import { ATTACKS_MAX, parseAttack, readAttacks } from '../../../bench/simulator/read-attacks.ts'

const ROOT = path.join(import.meta.dirname, '../../../bench/simulator')
const directory = mkdtempSync(path.join(tmpdir(), 'zaslon-attacks-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

type Document = Record<string, unknown>

/** A fresh copy of a shipped file with the value at a pointer replaced; undefined removes it. */
function withField(pointer: string, value: unknown, file = 'robocall-burst'): unknown {
  const document = parse(readFileSync(path.join(ROOT, 'attacks', 'test', `${file}.yaml`), 'utf8')) as Document
  const keys = pointer.slice(1).split('/')
  const last = keys.pop() ?? ''
  let at = document
  for (const key of keys) at = at[key] as Document
  if (value === undefined) delete at[last]
  else at[last] = value
  return document
}

const refusal = (document: unknown): string => {
  try {
    parseAttack(document, 'mine.yaml')
  } catch (error) {
    return (error as Error).message
  }
  return 'accepted'
}

describe('the attack files that come with the simulator', () => {
  const sets = ['train', 'test'].map((set) => readAttacks(path.join(ROOT, 'attacks', set)))

  it('are valid, and cover the same fraud types in both sets', () => {
    const [train, test] = sets.map((set) => new Set(set.map(({ type }) => type)))
    expect(test).toEqual(train)
    expect(test?.size).toBeGreaterThan(12)
  })

  it('are disjoint: no campaign of one set has the rates, pools or rotation of the other', () => {
    const parts = (set: (typeof sets)[number] | undefined) =>
      (set ?? []).flatMap(({ calling, reporting }) =>
        calling === undefined
          ? [JSON.stringify(reporting)]
          : [
              JSON.stringify(calling.rate.callsPerMinute) + JSON.stringify(calling.rotation),
              JSON.stringify(calling.pools),
            ],
      )
    const train = new Set(parts(sets[0]))
    expect(parts(sets[1]).filter((part) => train.has(part))).toEqual([])
  })

  it('have the schema that is published', () => {
    const published = readFileSync(path.join(ROOT, 'attack.schema.json'), 'utf8')
    expect(JSON.parse(published)).toEqual(JSON.parse(attackSchemaText()))
  })

  it('are explained: docs/simulator.md names every field of the schema', () => {
    const docs = readFileSync(path.join(ROOT, '../../docs/simulator.md'), 'utf8')
    const names = new Set<string>()
    const collect = (schema: Document) => {
      for (const [name, inner] of Object.entries((schema.properties ?? {}) as Document)) {
        names.add(name)
        collect(inner as Document)
      }
      if (schema.items !== undefined) collect(schema.items as Document)
    }
    collect(JSON.parse(attackSchemaText()))
    expect([...names].filter((name) => !docs.includes(`\`${name}\``))).toEqual([])
  })
})

describe('an attack file that is wrong', () => {
  it.each([
    [
      '/calling/rate/callPerMinute',
      [1, 2],
      'mine.yaml: /calling/rate/callPerMinute is not a known field. Did you mean "callsPerMinute"?',
    ],
    [
      '/tempo-of-it',
      1,
      'mine.yaml: /tempo-of-it is not a known field. Known fields: name, type, about, weight, calling, reporting.',
    ],
    ['/calling/pools/0/blocksize', 100, 'Did you mean "blockSize"?'],
    ['/calling/pools/0/draw', 'plann', '/calling/pools/0/draw must be one of plan, block, neighbour, subscribers'],
    ['/calling/pools/0/draw', 'plann', 'Did you mean "plan"?'],
    ['/calling/answers/answered', '0.3', '/calling/answers/answered must be number, got "0.3"'],
    ['/calling/answers/answered', 1.000001, '/calling/answers/answered must be <= 1, got 1.000001'],
    ['/calling/answers/answered', Number.NaN, '/calling/answers/answered must be number, got NaN'],
    ['/weight', Number.POSITIVE_INFINITY, 'got Infinity'],
    ['/calling/answers/answered', -0.000001, '/calling/answers/answered must be >= 0'],
    ['/calling/rate/callsPerMinute', [1, 600.1], '/calling/rate/callsPerMinute/1 must be <= 600, got 600.1'],
    ['/calling/rate/callsPerMinute', [0.0009, 1], '/calling/rate/callsPerMinute/0 must be >= 0.001'],
    ['/calling/rate/callsPerMinute', [2, 1], '/calling/rate/callsPerMinute must be [least, most], got [2, 1]'],
    ['/calling/rate/callsPerMinute', [2], '/calling/rate/callsPerMinute must not have fewer than 2 items'],
    ['/calling/rate/lines', 0, '/calling/rate/lines must be >= 1, got 0'],
    ['/calling/rate/lines', 1_001, '/calling/rate/lines must be <= 1000'],
    ['/calling/rate/lines', 1.5, '/calling/rate/lines must be integer'],
    ['/calling/pools/0/size', 100_001, '/calling/pools/0/size must be <= 100000'],
    ['/calling/pools/0/trunks/count', 13, '/calling/pools/0/trunks/count must be <= 12'],
    ['/calling/pools', [], '/calling/pools must not have fewer than 1 items'],
    ['/calling/campaign/hours', [0, 24.5], '/calling/campaign/hours/1 must be <= 24'],
    ['/calling/campaign/hours', [9, 9], '/calling/campaign/hours must have a whole hour in it, got [9, 9]'],
    ['/calling/campaign/hours', [9.1, 9.9], '/calling/campaign/hours must have a whole hour in it'],
    ['/calling/campaign', undefined, '/calling/campaign is missing'],
    ['/name', undefined, 'mine.yaml: /name is missing.'],
    ['/name', 'Robo Call', '/name must match pattern'],
    ['/weight', 0, '/weight is 0'],
    ['/weight', 1_000.5, '/weight must be <= 1000'],
    ['/calling', undefined, '/ must have either "calling" or "reporting"'],
    ['/calling/pools/0/blockSize', 100, '/calling/pools/0/blockSize goes with draw block, but draw is plan'],
    ['/calling/pools/0/draw', 'block', '/calling/pools/0/blockSize is missing: draw is block'],
    ['/calling/targets', { draw: 'list' }, '/calling/targets/listSize is missing'],
    ['/calling/targets', { draw: 'sequential' }, '/calling/targets/step is missing'],
    ['/calling/answers/victimTalk', undefined, '/calling/answers/victimTalk is missing'],
  ])('%s = %j: %s', (pointer, value, message) => {
    expect(refusal(withField(pointer, value))).toContain(message)
  })

  it('names every mistake at once, and a benign kind that does not exist', () => {
    const wrong = withField('/reporting/targets', ['clinics'], 'bombing-burst') as Document
    expect(refusal(wrong)).toBe(
      'mine.yaml: /reporting/targets/0 must be a kind that has numbers of its own, got "clinics". Did you mean "clinic"?',
    )
    expect(refusal({ ...wrong, weight: 'x', about: 1 }).split('\n')).toHaveLength(2)
    expect(refusal({ ...wrong, weight: 1 })).toContain('/weight must be 0')
  })

  it('may bomb people and businesses, and borrow numbers of businesses only', () => {
    expect(refusal(withField('/reporting/targets', ['friends', 'school'], 'bombing-burst'))).toBe('accepted')
    expect(refusal(withField('/reporting/targets', ['call-back'], 'bombing-burst'))).toContain('/reporting/targets/0')
    const borrowed = refusal(withField('/calling/pools/0/kinds', ['friends'], 'impersonation-bank'))
    expect(borrowed).toContain('/calling/pools/0/kinds/0 must be a kind that has numbers of its own, got "friends".')
  })

  it.each([[null], [[]], ['text'], [7]])('%j is no attack', (document) => {
    expect(refusal(document)).toMatch(/^mine.yaml: The document must be object/)
  })

  it('is named with its path when it is no YAML, when there is none, or when two have one name', () => {
    expect(() => readAttacks(path.join(directory, 'nowhere'))).toThrow('nowhere cannot be read')
    expect(() => readAttacks(directory)).toThrow(`must hold 1 to ${ATTACKS_MAX} attack files, it has 0`)
    const text = readFileSync(path.join(ROOT, 'attacks', 'test', 'sim-box.yaml'), 'utf8')
    writeFileSync(path.join(directory, 'a.yaml'), text)
    writeFileSync(path.join(directory, 'b.yml'), text)
    expect(() => readAttacks(directory)).toThrow('b.yml: /name is sim-box, as that of a.yaml')
    writeFileSync(path.join(directory, 'b.yml'), 'name: [')
    expect(() => readAttacks(directory)).toThrow('b.yml is no YAML or JSON')
    expect(readdirSync(directory)).toHaveLength(2)
  })

  it('is named with its path when it cannot be read: a directory, a link to nothing', () => {
    const odd = path.join(directory, 'odd')
    mkdirSync(path.join(odd, 'a.yaml'), { recursive: true })
    expect(() => readAttacks(odd)).toThrow(EvaluateUsageError)
    expect(() => readAttacks(odd)).toThrow('a.yaml cannot be read: EISDIR')
  })
})
