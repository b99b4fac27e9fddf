import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { generatedNumber, writeNumbersFile } from '../../../bench/lib/generate-numbers.ts'
import { bytesPerNumber, importParts, powersOfTen, powerText, rowsOfSecondVersion } from '../../../bench/scale/sizes.ts'
import { type ListedResult, listedTable, scaleCharts, scaleMeasures } from '../../../bench/scale/tables.ts'
import { DELTA_ROWS_MAX } from '../../../src/jobs/apply-change.ts'
import { IMPORT_LIMITS } from '../../../src/jobs/list-jobs.ts'

describe('a file of generated numbers', () => {
  it('has the number of each index, in order, across the borders of its writes', () => {
    const rows = 200_001
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'zaslon-scale-')), 'numbers.csv')
    writeNumbersFile(file, rows, 999_900_000)
    const lines = readFileSync(file, 'utf8').split('\n')
    rmSync(path.dirname(file), { recursive: true, force: true })
    expect(lines.pop()).toBe('')
    expect(lines).toHaveLength(rows)
    expect(lines.findIndex((line, index) => line !== generatedNumber(index, 999_900_000))).toBe(-1)
  })
})

describe('sizes of lists', () => {
  it('are powers of ten, both ends included', () => {
    expect(powersOfTen(1_000, 100_000)).toEqual([1_000, 10_000, 100_000])
    expect(powerText(100_000_000)).toBe('10^8')
  })

  it('come in uploads that are as large as one may be', () => {
    const { rowsMax } = IMPORT_LIMITS
    expect(importParts(rowsMax)).toEqual([{ first: 0, rows: rowsMax }])
    expect(importParts(rowsMax + 1)).toEqual([
      { first: 0, rows: rowsMax },
      { first: rowsMax, rows: 1 },
    ])
  })

  it('get a second version that is no delta', () => {
    for (const listed of [1_000, 4 * DELTA_ROWS_MAX, 10_000_000]) {
      const rows = rowsOfSecondVersion(listed)
      expect(rows > DELTA_ROWS_MAX || rows * 4 > listed).toBe(true)
    }
  })

  it('count what a number takes beyond the smallest list', () => {
    expect(bytesPerNumber(1_000_500, 101_000, 500_500, 1_000)).toBe(5)
  })
})

const MIB = 2 ** 20

function result(listed: number, steady: number, swap: number, rate: number): ListedResult {
  const memory = (mib: number) => ({ verdict: mib * MIB, all: 2 * mib * MIB })
  return {
    listed,
    importSeconds: 1,
    startSeconds: 1,
    steady: memory(steady),
    swap: memory(swap),
    diskBytes: 6 * listed,
    rates: [rate, rate],
    coreRates: [rate, 2 * rate],
    p99Ms: [1, 2],
    memory: memory(steady),
  }
}

describe('what scale shows', () => {
  const few = result(1_000, 100, 101, 1_000)
  const many = result(1_000 + MIB, 102, 105, 900)

  it('compares the largest list with the smallest, round by round', () => {
    const measured = scaleMeasures([few, result(10_000, 90, 90, 1), many], { note: '10^6 listed' })
    expect(measured['scale-rate']).toEqual({
      value: 0.9,
      range: [0.9, 0.9],
      rounds: 2,
      note: 'by processor time; 10^6 listed',
    })
    expect(measured['scale-bytes']).toEqual({ value: 2, note: '10^6 listed' })
    expect(measured['scale-bytes-swap']).toEqual({ value: 5, note: '10^6 listed' })
  })

  it('compares nothing when there is one size', () => {
    expect(scaleMeasures([few], {})).toEqual({})
  })

  it('tells bytes a number of large lists only', () => {
    const [first, second] = listedTable([few, many], '').rows
    expect(first?.slice(6, 9)).toEqual(['', '', ''])
    expect(second?.slice(6, 9)).toEqual([2, 5, 6])
  })

  it('draws every size', () => {
    const charts = scaleCharts([few, many, result(10 * MIB, 130, 160, 800)], [{ callers: 1_000, ...few }])
    expect(charts.map(({ name }) => name)).toEqual(['scale-rate', 'scale-bytes', 'scale-start'])
    for (const { svg } of charts) expect(svg).not.toMatch(/NaN|Infinity/)
  })

  it('draws no chart of a single point', () => {
    expect(scaleCharts([few, many], []).map(({ name }) => name)).toEqual(['scale-rate', 'scale-start'])
  })
})
