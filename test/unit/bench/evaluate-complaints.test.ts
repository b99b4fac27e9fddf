import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { recallIntervals } from '../../../bench/complaints/bootstrap.ts'
import { curveOf, histogramOf, pointAt } from '../../../bench/complaints/curve.ts'
import { run } from '../../../bench/evaluate/complaints.ts'
import { run as runFit } from '../../../bench/fit/complaints.ts'
import { run as runFitSimulator } from '../../../bench/fit/simulator.ts'

const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-complaints-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

let printed = ''
beforeEach(() => {
  printed = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text)
    return true
  })
})
afterEach(() => vi.restoreAllMocks())

function fileOf(name: string, lines: readonly (string | number)[]): string {
  const file = path.join(directory, name)
  writeFileSync(file, lines.length === 0 ? '' : `${lines.join('\n')}\n`)
  return file
}

/** A pool of which every seventh number has been reported, and then others of it are. */
const train = fileOf('train.csv', [
  'pattern',
  ...Array.from({ length: 60 }, (_, i) => 2_025_550_000 + i * 7),
  'no number',
  '1234567',
])
const test = fileOf('test.csv', ['pattern', 2_025_550_003, 2_025_550_003, 2_025_550_011, 3_125_550_100, '123456789'])
const benign = fileOf('benign.txt', [2_065_550_100, 2_065_550_101, 2_065_550_102, 4_045_550_103])
const files = ['--train', train, '--test', test, '--benign', benign]

async function jsonOf(args: readonly string[]) {
  printed = ''
  expect(await run([...args, '--json', '--draws', '20'])).toBe(0)
  return JSON.parse(printed)
}

describe('npm run evaluate -- complaints', () => {
  it('judges every complaint by what came before it, and business numbers at the end', async () => {
    const scores = path.join(directory, 'scores.csv')
    const result = await jsonOf([...files, '--scores', scores])
    const lines = readFileSync(scores, 'utf8').trimEnd().split('\n')
    expect(lines.map((line) => line.split(',')[0])).toEqual([...Array(4).fill('test'), ...Array(4).fill('benign')])
    const [first = 0, second = 0, third = 0, fourth = 0, ...others] = lines.map((line) => Number(line.split(',')[1]))
    expect(first).toBeGreaterThan(0)
    expect(second).toBeGreaterThan(first)
    expect(third).toBeGreaterThan(0)
    expect([fourth, ...others]).toEqual([0, 0, 0, 0, 0])
    expect(result).toMatchObject({
      train: 60,
      test: 4,
      benign: 4,
      rejected: { train: 2, test: 1, benign: 0 },
      perDay: 2500,
    })
    expect(result.curve.at(-1)).toEqual({ falsePositiveShare: 0, recall: 0.75, threshold: Math.min(first, third) })
  })

  it('compares with exact lists and hard blocks', async () => {
    const { baselines } = await jsonOf(files)
    const recalls = baselines.map(({ recall }: { recall: number }) => recall)
    // The second complaint about one number is known to a list that is updated at once, and makes its ten a bad block.
    expect(recalls).toEqual([0, 0.25, 0.25, 0.75, 0.75])
    expect(baselines.every((one: { falsePositiveShare: number }) => one.falsePositiveShare === 0)).toBe(true)
  })

  it('says the same twice, and the same curve with another seed', async () => {
    const once = await jsonOf(files)
    expect(await jsonOf(files)).toEqual(once)
    const other = await jsonOf([...files, '--seed', '2'])
    expect(other.curve).toEqual(once.curve)
  })

  it('splits the training file in time', async () => {
    const result = await jsonOf(['--train', train, '--benign', benign, '--split', '0.5'])
    expect(result).toMatchObject({ train: 30, test: 30, rejected: { train: 0, test: 2, benign: 0 } })
  })

  it('finds the column of numbers and the times in a file of another layout', async () => {
    const day = fileOf('day.csv', [
      'Company_Phone_Number,Created_Date,Subject',
      '2025550001,2021-07-07 00:01:15,"a, b"',
      '2025550002,2021-07-07 00:02:15,"a ""quoted"" one"',
      ',2021-07-07 00:03:15,nobody',
    ])
    const result = await jsonOf(['--train', day, '--test', day, '--benign', benign])
    expect(result).toMatchObject({ train: 2, test: 2, rejected: { train: 1, test: 1, benign: 0 }, perDay: null })
  })

  it('finds the column of numbers in a file without a header', async () => {
    const bare = fileOf('bare.csv', ['x,2025550001', '10,2025550002', '11,2025550003'])
    const result = await jsonOf(['--train', bare, '--test', bare, '--benign', benign])
    expect(result).toMatchObject({ train: 3, test: 3, rejected: { train: 0, test: 0, benign: 0 } })
    expect(result.at.at(-1).recall).toBe(1)
  })

  it('draws the curve and prints tables', async () => {
    const svg = path.join(directory, 'svg')
    const json = path.join(directory, 'result.json')
    expect(await run([...files, '--svg', svg, '--json', json, '--draws', '5'])).toBe(0)
    expect(readFileSync(path.join(svg, 'complaints.svg'), 'utf8')).toMatch(/^<svg .*<polyline .*<\/svg>\n$/s)
    expect(JSON.parse(readFileSync(json, 'utf8'))).toHaveProperty('curve')
    expect(printed).toContain('2 train, 1 test, 0 benign')
    expect(printed).toContain('2,500 complaints a day assumed')
  })

  it.each([
    [
      'a missing file',
      ['--train', path.join(directory, 'none.csv'), '--test', test, '--benign', benign],
      /none\.csv cannot be read/,
    ],
    [
      'an empty file',
      ['--train', fileOf('empty.csv', []), '--test', test, '--benign', benign],
      /empty\.csv has no row/,
    ],
    [
      'a header alone',
      ['--train', train, '--test', fileOf('head.csv', ['pattern']), '--benign', benign],
      /head\.csv has no row/,
    ],
    [
      'no benign number',
      ['--train', train, '--test', test, '--benign', fileOf('bad.txt', ['x', 'y'])],
      /No row of the benign file/,
    ],
    ['no --benign', ['--train', train, '--test', test], /--benign FILE is needed/],
    [
      'neither --test nor --split',
      ['--train', train, '--benign', benign],
      /One of --test FILE and --split SHARE is needed/,
    ],
    [
      'a split of 1',
      ['--train', train, '--benign', benign, '--split', '1'],
      /--split must be a number from 0\.01 to 0\.99/,
    ],
    ['a pace of 0', [...files, '--per-day', '0'], /--per-day must be a number from 1/],
    ['a seed between two', [...files, '--seed', '1.5'], /--seed must be a whole number/],
    ['draws between two', [...files, '--draws', '1.5'], /--draws must be a whole number/],
    [
      'several columns of which none says number',
      [
        '--train',
        fileOf('ids.csv', ['id,source', ...Array.from({ length: 30 }, (_, i) => `${i + 10},${2_025_550_000 + i}`)]),
        '--test',
        test,
        '--benign',
        benign,
      ],
      /No column of the train file .*ids\.csv is called pattern or number.*: id, source\./,
    ],
    ['an unknown country', [...files, '--country', 'ZZ'], /--country must be the two capital letters/],
    [
      'a --scores file that cannot be written',
      [...files, '--scores', directory],
      /--scores .* cannot be written: EISDIR/,
    ],
    [
      'a --json file that cannot be written',
      [...files, '--json', '/nowhere/a.json'],
      /--json .* cannot be written: ENOENT/,
    ],
    ['an --svg directory that is a file', [...files, '--svg', train], /--svg .*train\.csv cannot be made: EEXIST/],
    ['an unknown option', [...files, '--bening', 'x'], /--bening/],
  ])('refuses %s', async (_, args, message) => {
    await expect(run(args)).rejects.toThrow(message)
  })
})

describe('the curve', () => {
  it('catches most at a share that is kept to, and nothing where none can be', () => {
    const curve = curveOf(histogramOf([0, 10, 20, 30]), histogramOf([0, 0, 15, 25]))
    expect(pointAt(curve, 0)).toEqual({ falsePositiveShare: 0, recall: 0.25, threshold: 30 })
    expect(pointAt(curve, 0.25)).toEqual({ falsePositiveShare: 0.25, recall: 0.5, threshold: 20 })
    expect(pointAt(curve, 0.49)).toEqual({ falsePositiveShare: 0.25, recall: 0.5, threshold: 20 })
    expect(pointAt(curve, 0.5)).toEqual({ falsePositiveShare: 0.5, recall: 0.75, threshold: 10 })
    expect(pointAt(curveOf(histogramOf([5]), histogramOf([9])), 0.5)).toMatchObject({ recall: 0, threshold: 1_001 })
  })
})

describe('the bootstrap', () => {
  it('draws numbers, so that complaints about one number are no more certain than one', () => {
    const benignScores = Array(100).fill(0)
    // Half the complaints are caught: two of four numbers, or 200 of 400.
    const few = {
      complaints: Array.from({ length: 400 }, (_, i) => (i % 2) * 50),
      complaintNumbers: Array.from({ length: 400 }, (_, i) => i % 4),
      benign: benignScores,
    }
    const many = { ...few, complaintNumbers: Array.from({ length: 400 }, (_, i) => i) }
    const [[fewLow, fewHigh] = [0, 0]] = recallIntervals(few, 200, 1)
    const [[manyLow, manyHigh] = [0, 0]] = recallIntervals(many, 200, 1)
    expect(fewHigh - fewLow).toBeGreaterThan(0.4)
    expect(manyHigh - manyLow).toBeLessThan(0.15)
    expect(recallIntervals(many, 200, 1)[0]).toEqual([manyLow, manyHigh])
    expect(recallIntervals(many, 200, 2)[0]).not.toEqual([manyLow, manyHigh])
    expect(manyLow).toBeLessThan(0.5)
    expect(manyHigh).toBeGreaterThan(0.5)
  })
})

describe('npm run fit -- complaints', () => {
  it('prints every constant with what it is worth', async () => {
    expect(await runFit(['--train', train, '--benign', benign])).toBe(0)
    for (const name of ['background', 'tenThousand', 'thousand', 'hundred', 'ten', 'own', 'freephone']) {
      expect(printed).toMatch(new RegExp(`^${name} `, 'm'))
    }
  })

  it('refuses to run without business numbers', async () => {
    await expect(runFit(['--train', train])).rejects.toThrow(/--benign/)
  })

  it.each([
    ['--per-day', '0', /--per-day must be a number from 1/],
    ['--country', 'ZZ', /--country must be the two capital letters/],
  ])('refuses %s %s', async (option, value, message) => {
    await expect(runFit(['--train', train, '--benign', benign, option, value])).rejects.toThrow(message)
  })

  it.each([
    ['--calls', '9999', /--calls must be a number from 10000/],
    ['--calls', '50000001', /--calls must be/],
    ['--calls', 'many', /--calls must be/],
    ['--days', '0', /--days must be/],
    ['--days', '32', /--days must be/],
    ['--days', '1.5', /--days must be a whole number/],
    ['--seeds', '999', /--seeds/],
  ])('of the simulator refuses %s %s', async (option, value, message) => {
    await expect(runFitSimulator([option, value])).rejects.toThrow(message)
  })
})

const SHARED = path.join(import.meta.dirname, '../../../../shared/data')
const REAL_TRAIN = path.join(SHARED, 'complaints/us-complaints-train.csv')

describe.skipIf(!existsSync(REAL_TRAIN))('real complaints (skipped without ../shared/data)', () => {
  it('are caught above the marks: 33 % at 0.11 % of business numbers, 40 % at 0.5 %', async () => {
    const real = ['--train', REAL_TRAIN, '--benign', path.join(SHARED, 'benign/us-businesses-train.txt')]
    const { at } = await jsonOf([...real, '--split', '0.7'])
    const recallAt = (share: number) => at.find((point: { share: number }) => point.share === share).recall
    expect(recallAt(0.0011)).toBeGreaterThan(0.33)
    expect(recallAt(0.005)).toBeGreaterThan(0.4)
  }, 120_000)
})
