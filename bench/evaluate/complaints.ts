import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import type { Scores } from '../complaints/bootstrap.ts'
import { arrivalTimes, createComplaintStream } from '../complaints/complaint-stream.ts'
import { curveSvg } from '../complaints/curve-svg.ts'
import { type NumberFile, readNumbers } from '../complaints/read-numbers.ts'
import { printResult, resultOf } from '../complaints/result.ts'
import { checkOutputFile, makeOutputDirectory } from '../lib/check-output.ts'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'
import { countryOption, numberOption, wholeOption } from '../lib/read-option.ts'

export const about = 'complaints caught by number and block reputation, against business numbers hit'

const HELP = `npm run evaluate -- complaints --train FILE (--test FILE | --split SHARE) --benign FILE [options]

Folds the complaints of the training file in, then judges the caller of every complaint of the test file before it is folded
in too. Business numbers are judged at the end. All through the production fold, block table and strength.

  --train FILE      complaint numbers in the order they came: CSV with a column pattern or number, or a plain list
  --test FILE       the complaints that follow
  --split SHARE     instead of --test: the first SHARE of the training file trains, the rest tests, such as 0.7
  --benign FILE     numbers of real businesses
  --country CODE    how the numbers are read (US)
  --per-day N       pace of files without times: complaints a day (2500)
  --seed N          of the bootstrap (1)
  --draws N         of the bootstrap (200)
  --scores FILE     writes "test,<score before this complaint>" and "benign,<score>", one a line, thousandths
  --json [FILE]     one JSON object to FILE, or to stdout instead of the tables
  --svg DIR         writes complaints.svg
`

/** For files without times any moment would do; this one makes their results the same every day. */
const START_MS = Date.UTC(2025, 8, 1)
const STDOUT = '-'

type Files = { readonly train: NumberFile; readonly test: NumberFile; readonly benign: NumberFile }
type Options = NonNullable<ReturnType<typeof readOptions>>

/** Exit code 0; throws EvaluateUsageError for options and files that cannot be used. */
export async function run(args: readonly string[]): Promise<number> {
  const options = readOptions(args)
  if (options === undefined) {
    process.stdout.write(HELP)
    return 0
  }
  const files = readFiles(options)
  checkOutputFile('--scores', options.scores)
  if (options.json !== STDOUT) checkOutputFile('--json', options.json)
  makeOutputDirectory('--svg', options.svg)
  const scores = streamScores(files, options.perDay)
  const result = resultOf(files, scores, options)
  if (options.scores !== undefined) writeScores(options.scores, scores)
  if (options.svg !== undefined) {
    const title = `${result.test.toLocaleString('en')} complaints, ${result.benign.toLocaleString('en')} business numbers`
    writeFileSync(path.join(options.svg, 'complaints.svg'), curveSvg(title, result.curve, result.baselines))
  }
  const json = `${JSON.stringify(result)}\n`
  if (options.json !== undefined && options.json !== STDOUT) writeFileSync(options.json, json)
  if (options.json === STDOUT) process.stdout.write(json)
  else printResult(result)
  return 0
}

function readOptions(args: readonly string[]) {
  const { values } = parseArgs({
    args: args.map((arg, index) => (isBareJson(args, index) ? `--json=${STDOUT}` : arg)),
    options: {
      train: { type: 'string' },
      test: { type: 'string' },
      split: { type: 'string' },
      benign: { type: 'string' },
      country: { type: 'string', default: 'US' },
      'per-day': { type: 'string', default: '2500' },
      seed: { type: 'string', default: '1' },
      draws: { type: 'string', default: '200' },
      scores: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { train, test, benign } = values
  if (train === undefined) throw new EvaluateUsageError(`--train FILE is needed.\n\n${HELP}`)
  if (benign === undefined) throw new EvaluateUsageError(`--benign FILE is needed.\n\n${HELP}`)
  if ((test === undefined) === (values.split === undefined)) {
    throw new EvaluateUsageError(
      'One of --test FILE and --split SHARE is needed, and not both: --split 0.7 tests on the last 30 % of --train.',
    )
  }
  return {
    train,
    test,
    benign,
    split: values.split === undefined ? undefined : numberOption('--split', values.split, 0.01, 0.99),
    rules: countryOption(values.country),
    perDay: numberOption('--per-day', values['per-day'], 1, 1e9),
    draws: wholeOption('--draws', values.draws, 1, 10_000),
    seed: wholeOption('--seed', values.seed, 0, 0xffff_ffff),
    scores: values.scores,
    json: values.json,
    svg: values.svg,
  }
}

function isBareJson(args: readonly string[], index: number): boolean {
  return args[index] === '--json' && (args[index + 1] ?? '--').startsWith('--')
}

function readFiles({ train: trainFile, test, benign: benignFile, split = 0, rules }: Options): Files {
  const benign = readNumbers(benignFile, rules, 'benign')
  const train = readNumbers(trainFile, rules, 'train')
  if (test !== undefined) return { train, test: readNumbers(test, rules, 'test'), benign }
  const cut = Math.floor(train.numbers.length * split)
  if (cut === 0) throw new EvaluateUsageError(`The train file ${trainFile} is too short to be split.`)
  const part = (from: number, to: number): NumberFile => ({
    numbers: train.numbers.slice(from, to),
    timesMs: train.timesMs?.slice(from, to),
    rejectedAt: train.rejectedAt.filter((at) => at >= from && at < to),
  })
  return { train: part(0, cut), test: part(cut, Number.POSITIVE_INFINITY), benign }
}

/** Complaints are judged before they are folded in, business numbers after all of them. */
function streamScores({ train, test, benign }: Files, perDay: number): Scores {
  let nowMs = train.timesMs?.[0] ?? START_MS
  const stream = createComplaintStream({ complaints: train.numbers.length + test.numbers.length, startMs: nowMs })
  const trainTimes = arrivalTimes(train, nowMs, perDay)
  for (const [index, number] of train.numbers.entries()) {
    nowMs = trainTimes[index] ?? nowMs
    stream.complain(number, nowMs)
  }
  const complaints: number[] = []
  const testTimes = arrivalTimes(test, nowMs, perDay)
  for (const [index, number] of test.numbers.entries()) {
    nowMs = testTimes[index] ?? nowMs
    complaints.push(stream.score(number, nowMs))
    stream.complain(number, nowMs)
  }
  return {
    complaints,
    complaintNumbers: test.numbers,
    benign: benign.numbers.map((number) => stream.score(number, nowMs)),
  }
}

function writeScores(file: string, { complaints, benign }: Scores): void {
  const lines = [...complaints.map((score) => `test,${score}`), ...benign.map((score) => `benign,${score}`)]
  writeFileSync(file, `${lines.join('\n')}\n`)
}
