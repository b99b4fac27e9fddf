/** `npm run fit -- simulator`: the scorecards of calling-pattern, from training seeds and training attacks alone. docs/DETECTION.md */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { HARM_FEATURES, PATTERN_FEATURES, SCORECARDS } from '../../src/domain/behaviour.ts'
import { parsePolicy } from '../../src/domain/parse-policy.ts'
import { type PolicyDocument, SIGNAL_NAMES } from '../../src/domain/policy.ts'
import { scoreOf } from '../../src/domain/score.ts'
import { SIGNAL_FACTS_BY_INDEX } from '../../src/domain/signal.ts'
import type { Decision } from '../../src/engine/decision.ts'
import { isBacked, isJudgedBy, LOG_UNIT, patternFeatures } from '../../src/engine/signals/calling-pattern.ts'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'
import { fitLogistic, type LogisticFit } from '../lib/logistic.ts'
import { printTable } from '../lib/print-table.ts'
import { wholeOption } from '../lib/read-option.ts'
import { FIRST_ATTACK_KIND } from '../simulator/call-pool.ts'
import { readAttacks } from '../simulator/read-attacks.ts'
import { runSimulation } from '../simulator/run-simulation.ts'
import { BENIGN_KINDS } from '../simulator/world/kinds.ts'
import { builtInNumbering } from '../simulator/world/numbering.ts'

export const about = 'weights of the scorecards of calling-pattern, on training seeds and attacks (about 6 minutes)'

const HELP = `npm run fit -- simulator [--seeds 1701,1702,1703,1704] [--calls 700000] [--days 3] [--false-positives 7e-6]

Runs training attacks with every rule in shadow mode, fits the scorecards (logistic regression, signs fixed) on all seeds but the
last, chooses the threshold on the last, and prints them as YAML for data/policy.yaml, with what they reach there beside the typed
signals. --false-positives is the share of honest calls that the scorecards may block beside those.
`

/** Training seeds are from 1,000 up, those of evaluations below. */
const SEED_MIN = 1_000
/** More than in a real network, so that rare types are there. */
const FRAUD_SHARE = 0.01
/** Every attack file weighs as much as so many calls a seed. */
const ATTACK_WEIGHT = 2_500
/** What the typed signals block already has little left to teach. */
const BLOCKED_WEIGHT = 0.15
/** Of calls between people, one in so many is learned from, at so many times the weight. */
const PEOPLE_ONE_IN = 12
const PEOPLE: readonly string[] = ['friends', 'strangers', 'friends-one-ring', 'call-back', 'to-business', 'withheld']
/** Honest kinds that look most like fraud: a wrong block in a thousand of them is too many, in all calls one in twenty thousand. */
const HARDEST: readonly string[] = ['school', 'new-sim', 'forwarded', 'roaming']
const HARDEST_WEIGHT = 80
const HARD_WEIGHT = 6
const COLUMNS = PATTERN_FEATURES.length
/** Points of 85 reach the block threshold of 80 at this strength: there the scorecards alone block. */
const BLOCKING_STRENGTH = 0.942
/** Logits from no strength at all to that: a caller of whom nothing is counted is below. */
const BLOCKING_LOGIT = 2.5

type Rows = {
  features: Int16Array
  kinds: Uint8Array
  /** Bits: 1 the typed signals block the call, 2 more than a rate speaks against the caller; from 4 up the scorecards that judge him. */
  marks: Uint8Array
  count: number
}
const BLOCKED = 1
const BACKED = 2
const markOf = (scorecard: number) => 4 << scorecard

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1701,1702,1703,1704' },
      calls: { type: 'string', default: '700000' },
      days: { type: 'string', default: '3' },
      'false-positives': { type: 'string', default: '7e-6' },
      help: { type: 'boolean' },
    },
    strict: true,
  })
  if (values.help) {
    process.stdout.write(HELP)
    return 0
  }
  const seeds = values.seeds.split(',').map(Number)
  if (seeds.some((seed) => !Number.isInteger(seed) || seed < SEED_MIN)) {
    throw new EvaluateUsageError(`--seeds takes whole numbers from ${SEED_MIN} up: smaller ones are for evaluations.`)
  }
  if (seeds.length < 2) throw new EvaluateUsageError('--seeds takes two or more: the last one is not fitted on.')
  const share = Number(values['false-positives'])
  if (!(share > 0 && share < 0.01)) throw new EvaluateUsageError('--false-positives takes a share above 0, below 0.01.')
  const text = readFileSync(path.join(PACKAGE_DIRECTORY, 'data', 'policy.yaml'), 'utf8')
  const run = {
    calls: wholeOption('--calls', values.calls, 10_000, 50_000_000),
    days: wholeOption('--days', values.days, 1, 31),
    text,
    policy: parsePolicy(parse(text)),
  }
  const training = emptyRows()
  for (const seed of seeds.slice(0, -1)) await collect(training, seed, run, PEOPLE_ONE_IN)
  const scorecards = fitScorecards(training, seeds.length - 1)
  const checked = emptyRows()
  await collect(checked, seeds.at(-1) ?? 0, run, 1)
  report(scorecards, checked, share)
  return 0
}

type Run = { readonly calls: number; readonly days: number; readonly text: string; readonly policy: PolicyDocument }

/** Adds the counted calls of one seed. All rules only watch, so that nothing is blocked and every call shows how it ends. */
async function collect(rows: Rows, seed: number, { calls, days, text, policy }: Run, peopleOneIn: number) {
  const shadow = { ...policy, rules: policy.rules.map((rule) => ({ ...rule, mode: 'shadow' as const })) }
  const scored = scorerOf(policy)
  let people = 0
  await runSimulation({
    seed,
    calls,
    days,
    warmUpDays: 8,
    fraudShare: FRAUD_SHARE,
    attacks: readAttacks(path.join(PACKAGE_DIRECTORY, 'bench', 'simulator', 'attacks', 'train')),
    policyText: text,
    policy: shadow,
    numbering: builtInNumbering(),
    observe: true,
    onProgress: (done) => process.stderr.write(`\rseed ${seed}: ${Math.round(done * 100)} % `),
    onCall({ kind, evidence, decision }) {
      if (isPeople(kind) && ++people % peopleOneIn !== 0) return
      if (rows.count === rows.kinds.length) grow(rows)
      patternFeatures(evidence, rows.features.subarray(rows.count * COLUMNS, (rows.count + 1) * COLUMNS))
      rows.kinds[rows.count] = kind
      let marks = scored(decision) >= policy.thresholds.block ? BLOCKED : 0
      if (isBacked(evidence)) marks |= BACKED
      for (let card = 0; card < SCORECARDS.length; card++) if (isJudgedBy(card, evidence)) marks |= markOf(card)
      rows.marks[rows.count] = evidence.isPastKnown ? marks : marks & BLOCKED
      rows.count++
    },
  })
  process.stderr.write('\n')
}

function isPeople(kind: number): boolean {
  return PEOPLE.includes(BENIGN_KINDS[kind] ?? '')
}

/** The score of a call without the scorecards, from the strengths that were seen. */
function scorerOf(policy: PolicyDocument): (decision: Decision) => number {
  const contributions = new Float64Array(SIGNAL_NAMES.length)
  const points = SIGNAL_NAMES.map((name) => policy.rules.find((rule) => rule.signal === name)?.points ?? 0)
  const own = SIGNAL_NAMES.indexOf('calling-pattern')
  return ({ strengths }) => {
    for (let index = 0; index < contributions.length; index++) {
      const sign = SIGNAL_FACTS_BY_INDEX[index]?.isGood ? -1 : 1
      contributions[index] = index === own ? 0 : (sign * (points[index] ?? 0) * (strengths[index] ?? 0)) / 255
    }
    return scoreOf(contributions, 0, policy.thresholds.block)
  }
}

function emptyRows(): Rows {
  return { features: new Int16Array(0), kinds: new Uint8Array(0), marks: new Uint8Array(0), count: 0 }
}

function grow(rows: Rows): void {
  const size = Math.max(65_536, rows.kinds.length * 2)
  const features = new Int16Array(size * COLUMNS)
  features.set(rows.features)
  const kinds = new Uint8Array(size)
  kinds.set(rows.kinds)
  const marks = new Uint8Array(size)
  marks.set(rows.marks)
  Object.assign(rows, { features, kinds, marks })
}

/** One scorecard for each population, on the calls for which it is the most special one. */
function fitScorecards(rows: Rows, seeds: number): LogisticFit[] {
  const weights = weightsOf(rows, seeds)
  return SCORECARDS.map((name, card) => {
    const chosen: number[] = []
    for (let row = 0; row < rows.count; row++) {
      const marks = rows.marks[row] ?? 0
      if (marks >= markOf(card) && marks < markOf(card + 1)) chosen.push(row)
    }
    const features = new Int16Array(chosen.length * COLUMNS)
    for (const [at, row] of chosen.entries()) {
      features.set(rows.features.subarray(row * COLUMNS, (row + 1) * COLUMNS), at * COLUMNS)
    }
    const labels = Uint8Array.from(chosen, (row) => Number(isFraud(rows, row)))
    const fit = fitLogistic(
      { features, columns: COLUMNS, labels, rowWeights: Float64Array.from(chosen, (row) => weights[row] ?? 0) },
      {
        signs: Int8Array.from(PATTERN_FEATURES, (_, index) => (index < HARM_FEATURES.length ? 1 : -1)),
        ridge: 1e-6,
        lasso: 3e-4,
        biasMax: -BLOCKING_LOGIT,
        rounds: 1_200,
        unit: LOG_UNIT,
        onRound: (round, loss) => {
          if (round % 100 === 0) process.stderr.write(`\r${name}: round ${round}, loss ${loss.toFixed(5)} `)
        },
      },
    )
    process.stderr.write('\n')
    return fit
  })
}

function isFraud({ kinds }: Rows, row: number): boolean {
  return (kinds[row] ?? 0) >= FIRST_ATTACK_KIND
}

function weightsOf(rows: Rows, seeds: number): Float64Array {
  const weights = new Float64Array(rows.count)
  const byKind = new Float64Array(256)
  for (let row = 0; row < rows.count; row++) {
    const kind = rows.kinds[row] ?? 0
    const name = BENIGN_KINDS[kind] ?? ''
    if (!isFraud(rows, row)) weights[row] = HARDEST.includes(name) ? HARDEST_WEIGHT : HARD_WEIGHT
    else weights[row] = ((rows.marks[row] ?? 0) & BLOCKED) === 0 ? 1 : BLOCKED_WEIGHT
    if (isPeople(kind)) weights[row] = PEOPLE_ONE_IN
    byKind[kind] = (byKind[kind] ?? 0) + 1
  }
  return weights.map((weight, row) => {
    if (!isFraud(rows, row)) return weight
    return (weight * ATTACK_WEIGHT * seeds) / (byKind[rows.kinds[row] ?? 0] ?? 1)
  })
}

/** Prints the scorecards, moved so that the threshold is where they alone block, and what they do to calls they were not fitted on. */
function report(scorecards: readonly LogisticFit[], rows: Rows, share: number): void {
  const logits = Float64Array.from({ length: rows.count }, (_, row) => worstLogit(scorecards, rows, row))
  const isBlocked = (row: number) => ((rows.marks[row] ?? 0) & BLOCKED) !== 0
  const honest = logits.filter((_, row) => !isFraud(rows, row))
  const spared = logits.filter((logit, row) => !isFraud(rows, row) && !isBlocked(row) && Number.isFinite(logit)).sort()
  const threshold = spared[Math.max(0, spared.length - 1 - Math.floor(honest.length * share))] ?? 0
  const isCaught = (row: number) => isBlocked(row) || (logits[row] ?? 0) > threshold

  process.stdout.write(`  pattern:\n    full: ${Math.round((BLOCKING_LOGIT * 1_000) / BLOCKING_STRENGTH)}\n`)
  for (const [card, { bias, weights }] of scorecards.entries()) {
    const moved = Math.min(0, Math.round((bias - threshold + BLOCKING_LOGIT) * 1_000))
    process.stdout.write(`    ${SCORECARDS[card]}:\n      bias: ${moved}\n      weights:\n`)
    for (const [index, name] of PATTERN_FEATURES.entries()) {
      const weight = Math.round((weights[index] ?? 0) * LOG_UNIT * 1_000)
      if (weight !== 0) process.stdout.write(`        ${name}: ${weight}\n`)
    }
  }
  process.stdout.write('\n')
  const line = (name: string, counts: (row: number) => boolean) => {
    const all = Array.from(rows.kinds.subarray(0, rows.count).keys()).filter(counts)
    const shareOf = (test: (row: number) => boolean) =>
      `${((100 * all.filter(test).length) / Math.max(1, all.length)).toFixed(3)} %`
    return [name, String(all.length), shareOf(isBlocked), shareOf(isCaught)]
  }
  printTable(
    ['calls of the last seed', 'n', 'typed signals alone', 'with the scorecards'],
    [
      line('malicious', (row) => isFraud(rows, row)),
      line('honest', (row) => !isFraud(rows, row)),
      ...HARDEST.map((kind) => line(kind, (row) => BENIGN_KINDS[rows.kinds[row] ?? 0] === kind)),
    ],
  )
}

/** As the signal takes it: the worst of the scorecards that judge the caller; nothing alone where only a rate speaks against him. */
function worstLogit(scorecards: readonly LogisticFit[], rows: Rows, row: number): number {
  const marks = rows.marks[row] ?? 0
  if ((marks & BACKED) === 0) return Number.NEGATIVE_INFINITY
  let worst = Number.NEGATIVE_INFINITY
  for (const [card, { bias, weights }] of scorecards.entries()) {
    if ((marks & markOf(card)) === 0) continue
    let logit = bias
    for (let column = 0; column < COLUMNS; column++) {
      logit += (weights[column] ?? 0) * (rows.features[row * COLUMNS + column] ?? 0)
    }
    worst = Math.max(worst, logit)
  }
  return worst
}
