import { parseArgs } from 'node:util'
import { BLOCK_EVIDENCE_LENGTH, BLOCK_MODEL, type BlockModel, blockStrength } from '../../src/domain/number-block.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { arrivalTimes, type ComplaintStream, createComplaintStream } from '../complaints/complaint-stream.ts'
import { curveOf, histogramOf, pointAt } from '../complaints/curve.ts'
import { readNumbers } from '../complaints/read-numbers.ts'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'
import { printTable } from '../lib/print-table.ts'
import { countryOption, numberOption } from '../lib/read-option.ts'

export const about =
  'shapes of the number-block model (src/domain/number-block.ts) from complaints and business numbers'

const HELP = `npm run fit -- complaints --train FILE --benign FILE [--country US] [--per-day 2500]

Searches the constants of src/domain/number-block.ts on the training file alone, one at a time, and prints them with what they
reach on the part of the file and the half of the business numbers they were not fitted on.
`

/** Folds: what is folded in before (share of the file), and the part after it that is scored. */
const FOLDS = [
  { from: 0.5, to: 0.6 },
  { from: 0.6, to: 0.7 },
  { from: 0.7, to: 0.8 },
  { from: 0.8, to: 0.9 },
  { from: 0.9, to: 1 },
] as const
/** Shares of business numbers at which recall is averaged: equally spaced in the logarithm around the two that matter. */
const SHARES = [0.0007, 0.001, 0.0014, 0.002, 0.0028, 0.004, 0.0056, 0.008] as const
const STEPS = [4, 2, 0.5, 0.25] as const
const ROUNDS_MAX = 6
const DAY_MS = 86_400_000

/** Evidence of many numbers, BLOCK_EVIDENCE_LENGTH values each and then the number. */
const ROW_LENGTH = BLOCK_EVIDENCE_LENGTH + 1
type Fold = { readonly complaints: Float64Array; readonly benign: Float64Array }

/** The constants by name, as one list to search in. */
const PARAMETERS = Object.keys(BLOCK_MODEL) as (keyof BlockModel)[]
type Point = readonly number[]

function modelOf(point: Point): BlockModel {
  return { ...BLOCK_MODEL, ...Object.fromEntries(PARAMETERS.map((name, index) => [name, point[index] ?? 1])) }
}

const CURRENT: Point = PARAMETERS.map((name) => BLOCK_MODEL[name])
/** Nothing known about any level. */
const NEUTRAL: Point = PARAMETERS.map((name) => (name === 'background' ? 1e-4 : 1))

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      train: { type: 'string' },
      benign: { type: 'string' },
      country: { type: 'string', default: 'US' },
      'per-day': { type: 'string', default: '2500' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  if (values.train === undefined || values.benign === undefined) {
    throw new EvaluateUsageError(`--train and --benign are needed.\n\n${HELP}`)
  }
  const rules = countryOption(values.country)
  const perDay = numberOption('--per-day', values['per-day'], 1, 1e9)
  const train = readNumbers(values.train, rules, 'train')
  const benign = readNumbers(values.benign, rules, 'benign')
  const folds = gather(train, benign.numbers, perDay)
  const halves = [0, 1].map((half) => folds.map((fold) => ({ ...fold, benign: everySecond(fold.benign, half) })))

  const early = folds.length - 2
  const checks = [0, 1].flatMap((half) => {
    const [own = [], other = []] = [halves[half], halves[1 - half]]
    return [
      {
        fitted: own.slice(0, early),
        checked: other.slice(early),
        name: `half ${half + 1}, 50-80 % -> half ${2 - half}, 80-100 %`,
      },
      {
        fitted: own.slice(early),
        checked: other.slice(0, early),
        name: `half ${half + 1}, 80-100 % -> half ${2 - half}, 50-80 %`,
      },
    ]
  })
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`
  process.stdout.write(
    'Mean recall at false positives of 0.07 to 0.8 %, fitted on one half and checked on the other:\n',
  )
  printTable(
    ['fitted on -> checked on', 'fitted', 'checked', 'neutral', 'current'],
    checks.map(({ fitted, checked, name }) => {
      const point = search(fitted)
      return [
        name,
        objective(fitted, point),
        objective(checked, point),
        objective(checked, NEUTRAL),
        objective(checked, CURRENT),
      ].map((cell) => (typeof cell === 'number' ? percent(cell) : cell))
    }),
  )

  const best = search(folds)
  process.stdout.write(
    `On everything: neutral ${percent(objective(folds, NEUTRAL))}, current ${percent(objective(folds, CURRENT))}, ` +
      `fitted ${percent(objective(folds, best))}. What a constant is worth, all others as fitted:\n`,
  )
  printTable(
    ['constant', 'current', 'fitted', 'x 1/4', 'x 1/2', 'x 2', 'x 4'],
    PARAMETERS.map((name, index) => [
      name,
      Number((CURRENT[index] ?? 0).toPrecision(3)),
      Number((best[index] ?? 0).toPrecision(3)),
      ...[0.25, 0.5, 2, 4].map((factor) => percent(objective(folds, scaled(best, index, factor)))),
    ]),
  )
  return 0
}

/** Folds the file in once; what is scored on the way is kept as evidence, which every model reads in its own way. */
function gather(train: ReturnType<typeof readNumbers>, benign: readonly PhoneNumber[], perDay: number): Fold[] {
  const startMs = train.timesMs?.[0] ?? DAY_MS
  const times = arrivalTimes(train, startMs, perDay)
  const stream = createComplaintStream({ complaints: train.numbers.length, startMs })
  const folds: Fold[] = []
  let rows: number[] = []
  for (const [index, number] of train.numbers.entries()) {
    const atMs = times[index] ?? startMs
    const share = index / train.numbers.length
    const fold = FOLDS[folds.length]
    if (fold && share >= fold.from) keepEvidence(stream, number, atMs, rows)
    stream.complain(number, atMs)
    if (fold && (index + 1) / train.numbers.length >= fold.to) {
      const others: number[] = []
      for (const one of benign) keepEvidence(stream, one, atMs, others)
      folds.push({ complaints: Float64Array.from(rows), benign: Float64Array.from(others) })
      rows = []
    }
  }
  return folds
}

function keepEvidence(stream: ComplaintStream, number: PhoneNumber, atMs: number, into: number[]): void {
  stream.table.evidence.fill(0)
  stream.score(number, atMs)
  into.push(...stream.table.evidence, number)
}

function everySecond(rows: Float64Array, rest: number): Float64Array {
  return rows.filter((_, index) => Math.floor(index / ROW_LENGTH) % 2 === rest)
}

/** Recall averaged over SHARES and folds. */
function objective(folds: readonly Fold[], point: Point): number {
  const model = modelOf(point)
  let sum = 0
  for (const fold of folds) {
    const curve = curveOf(histogramOf(scores(fold.complaints, model)), histogramOf(scores(fold.benign, model)))
    for (const share of SHARES) sum += pointAt(curve, share).recall
  }
  return sum / (folds.length * SHARES.length)
}

function scores(rows: Float64Array, model: BlockModel): number[] {
  const found: number[] = []
  for (let at = 0; at < rows.length; at += ROW_LENGTH) {
    const evidence = rows.subarray(at, at + BLOCK_EVIDENCE_LENGTH)
    // A block of 1,000 without a report has no strength, whatever the model.
    const isNothing = evidence[2] === 0 && evidence[4] === 0
    found.push(isNothing ? 0 : blockStrength(evidence, rows[at + BLOCK_EVIDENCE_LENGTH] ?? 0, model))
  }
  return found
}

/** Coordinate search from two starts. */
function search(folds: readonly Fold[]): Point {
  return [CURRENT, NEUTRAL]
    .map((start) => {
      let best = start
      let most = objective(folds, best)
      for (let round = 0; round < ROUNDS_MAX; round++) {
        const before = most
        for (let index = 0; index < PARAMETERS.length; index++) {
          for (const factor of STEPS) {
            const point = scaled(best, index, factor)
            const mean = objective(folds, point)
            if (mean <= most) continue
            best = point
            most = mean
          }
        }
        if (most - before < 1e-4) break
      }
      return { best, most }
    })
    .reduce((a, b) => (b.most > a.most ? b : a)).best
}

function scaled(point: Point, index: number, factor: number): Point {
  return point.map((value, at) => (at === index ? value * factor : value))
}
