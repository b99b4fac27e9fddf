import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it, vi } from 'vitest'
import { compileC, compiledC } from '../../../bench/lib/compile-c.ts'
import { MissingToolError } from '../../../bench/lib/missing-tool-error.ts'
import { svgChart } from '../../../bench/lib/svg-chart.ts'
import { measureActivity } from '../../../bench/micro/activity.ts'
import { FILTER_SOURCE, startFilter } from '../../../bench/micro/c-filter.ts'
import { measureGate } from '../../../bench/micro/gate.ts'
import { gateNumbers } from '../../../bench/micro/gate-numbers.ts'
import { measureTexts } from '../../../bench/micro/phone-text.ts'
import { assertSame, foldAnswer, NO_ANSWERS, timeSides } from '../../../bench/micro/sides.ts'
import { createGate, gateAddAll, gateHas, openGate } from '../../../src/shm/gate.ts'

const SEED = 20_250_131
const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-filter-'))
afterAll(() => rmSync(directory, { recursive: true }))
const { PATH } = process.env
vi.stubEnv('TMPDIR', directory)
const compiled = compileC(FILTER_SOURCE)
if ('missing' in compiled) console.warn(`skipped: the blocked filter in C: ${compiled.missing}`)

/** 0.1 % of 98,000 strangers is 98, with a deviation of 10. */
const KEYS = 50_000
const PROBES = 100_000
const WRONG = { least: 40, most: 160 }

describe('numbers of the gate bench', () => {
  const { keys, traffic, present } = gateNumbers(1_000, 5_000, SEED)
  const known = new Set(keys)

  it('are traffic of which two in a hundred are keys, and keys alone', () => {
    expect(traffic.filter((number) => known.has(number))).toHaveLength(100)
    expect(present.filter((number) => known.has(number))).toHaveLength(5_000)
  })

  it('are the same of the same seed', () => {
    expect(gateNumbers(1_000, 10, SEED).keysHash).toBe(gateNumbers(1_000, 20, SEED).keysHash)
    expect(gateNumbers(1_000, 10, SEED + 1).keysHash).not.toBe(gateNumbers(1_000, 10, SEED).keysHash)
  })
})

describe('a gate and its opponent in C', () => {
  const numbers = gateNumbers(KEYS, PROBES, SEED)

  it('the gate finds every key, and is wrong about as many strangers as it says', () => {
    const gate = openGate(createGate(KEYS))
    gateAddAll(gate, numbers.keys)
    expect(numbers.present.every((number) => gateHas(gate, number))).toBe(true)
    const wrong = numbers.traffic.filter((number) => gateHas(gate, number)).length - PROBES / 50
    expect(wrong).toBeGreaterThan(WRONG.least)
    expect(wrong).toBeLessThan(WRONG.most)
  })

  it.skipIf('missing' in compiled)(
    'the opponent has the same keys, finds them all, and is wrong as often',
    async () => {
      const program = 'program' in compiled ? compiled.program : ''
      const filter = await startFilter(program, { keyCount: KEYS, probeCount: PROBES, seed: SEED })
      try {
        expect(filter.keysHash).toBe(numbers.keysHash)
        expect(await filter.ask('present')).toMatchObject({ maybes: PROBES, wrong: 0 })
        const { maybes, wrong } = await filter.ask('traffic')
        expect(maybes - wrong).toBe(PROBES / 50)
        expect(wrong).toBeGreaterThan(WRONG.least)
        expect(wrong).toBeLessThan(WRONG.most)
      } finally {
        filter.close()
      }
    },
  )

  it('says what to do where there is no compiler', () => {
    expect(compileC(FILTER_SOURCE, 'no-such-compiler')).toEqual({
      missing: `There is no C compiler (no-such-compiler) for ${FILTER_SOURCE}: apt-get install gcc libc6-dev`,
    })
    vi.stubEnv('PATH', directory)
    try {
      expect(() => compiledC('bench/generator/generator.c')).toThrow(MissingToolError)
    } finally {
      vi.stubEnv('PATH', PATH)
    }
  })

  it('says what went wrong where a compiler fails', () => {
    expect(compileC(FILTER_SOURCE, 'false')).toMatchObject({ missing: expect.stringContaining('false failed') })
  })

  it('ends with the filter, when that ends', async () => {
    await expect(startFilter('false', { keyCount: 1, probeCount: 1, seed: 1 })).rejects.toThrow('ended with 1')
  })
})

describe('the gate bench', () => {
  const options = { sizes: [100, 1_000], rounds: 1, probeCount: 5_000, slowKeyCount: 200, slowProbeCount: 100 }
  const measure = (compiler: string) => measureGate(options, () => {}, compiler)
  const rowsOf = (result: Awaited<ReturnType<typeof measure>>) =>
    Object.fromEntries(
      (result.tables[0]?.rows ?? []).map(([name, ...cells]): [string, unknown[]] => [
        String(name).split(' ')[0] ?? '',
        cells,
      ]),
    )

  it.skipIf('missing' in compiled)('measures every side, bloom-filters with the keys it is given', async () => {
    const result = await measure('cc')
    expect(Object.keys(result.measured).sort()).toEqual(['gate-vs-bloom-filters', 'gate-vs-c', 'gate-vs-set'])
    expect(result.measured['gate-vs-bloom-filters']?.note).toBe('the gate with 1,000 keys, bloom-filters with 200 keys')
    const keys = Object.entries(rowsOf(result)).map(([name, cells]) => [name, cells[0]])
    expect(keys).toEqual([
      ['gate', '1,000'],
      ['blocked', '1,000'],
      ['Set', '1,000'],
      ['bloom-filters', '200'],
    ])
    expect(result.charts?.[0]?.svg.match(/stroke-width="2"/g)).toHaveLength(3)
  })

  it('goes on without a compiler, and says what to do', async () => {
    const result = await measure('no-such-compiler')
    expect(Object.keys(result.measured).sort()).toEqual(['gate-vs-bloom-filters', 'gate-vs-set'])
    expect(rowsOf(result).blocked?.slice(1, 3)).toEqual(['not run', 'not run'])
    expect(result.tables[0]?.note).toContain('apt-get install gcc')
  })
})

describe('activity', () => {
  it('answers alike in both ways, round after round', async () => {
    const { tables } = await measureActivity({ callers: 1_000, calls: 2_000, rounds: 1 })
    expect(tables[0]?.rows.map(([kind]) => kind)).toEqual(['cold', 'warm', 'frequent', 'busy'])
  })
})

describe('number parsing', () => {
  it('reads what the library reads, and counts the forms it cannot', async () => {
    const { raw, tables } = await measureTexts({ rounds: 1 })
    expect(tables[0]?.rows).toHaveLength(9)
    expect(raw['hand-checked forms']).toMatchObject({ isShared: true, texts: expect.any(Number) })
    expect((raw['hand-checked forms'] as { texts: number }).texts).toBeGreaterThan(250)
  })
})

describe('sides of a piece', () => {
  it('are prepared and measured in turn, with what they answered', async () => {
    const order: string[] = []
    const side = (name: string) => ({
      count: 10,
      prepare: () => void order.push(`prepare ${name}`),
      work: (round: number) => order.push(`${name}${round}`),
    })
    const results = await timeSides({ a: side('a'), b: side('b') }, 1)
    const again = ['prepare b', 'b-1', 'prepare a', 'a-1', 'prepare a', 'a0', 'prepare b', 'b0']
    expect(order).toEqual(again)
    expect(results.a).toEqual({ ns: [expect.any(Number)], answers: [6] })
  })

  it('must have answered alike in every round, in the same order', () => {
    const ns = [1, 1]
    const of = (...answers: number[]) => ({ ns, answers })
    expect(() => assertSame('x', of(1, 2), of(1, 2))).not.toThrow()
    expect(() => assertSame('x', of(1, 2), of(1, 3))).toThrow('x: the sides answer differently.')
    expect(() => assertSame('x', of(1, 2), of(1))).toThrow('differently')
    const fold = (...values: number[]) => values.reduce(foldAnswer, NO_ANSWERS)
    expect(fold(1, 2)).toBe(fold(1, 2))
    expect(fold(1, 2)).not.toBe(fold(2, 1))
  })
})

describe('a chart with logarithmic axes', () => {
  const axis = { label: '', min: 1, max: 100, ticks: [], isLog: true }
  const path = (points: [number, number][], y = axis) =>
    /<path d="([^"]+)"/.exec(svgChart({ title: '', x: axis, y, lines: [{ name: '', points }] }))?.[1]

  it('puts the middle of the powers in the middle, on both', () => {
    // From 70 to 740 and from 400 up to 40.
    expect(
      path([
        [1, 1],
        [10, 10],
        [100, 100],
      ]),
    ).toBe('M70 400L405 220L740 40')
  })

  it('draws what lies outside at the edge', () => {
    expect(
      path([
        [0, 0.001],
        [1_000, 5_000],
      ]),
    ).toBe('M70 400L740 40')
  })

  it('leaves the other axis plain', () => {
    expect(path([[10, 50.5]], { ...axis, isLog: false })).toBe('M405 220')
  })
})
