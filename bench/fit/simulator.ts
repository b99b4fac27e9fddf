/** `npm run fit -- simulator`: the scorecard of calling-pattern, from training seeds and training attacks alone. docs/DETECTION.md */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { HARM_FEATURES, PATTERN_FEATURES } from '../../src/domain/behaviour.ts'
import { parsePolicy } from '../../src/domain/parse-policy.ts'
import { type PolicyDocument, SIGNAL_NAMES } from '../../src/domain/policy.ts'
import { scoreOf } from '../../src/domain/score.ts'
import { SIGNAL_FACTS_BY_INDEX } from '../../src/domain/signal.ts'
import type { Decision } from '../../src/engine/decision.ts'
import { LOG_UNIT, patternFeatures } from '../../src/engine/signals/calling-pattern.ts'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'
import { fitLogistic } from '../lib/logistic.ts'
import { printTable } from '../lib/print-table.ts'
import { wholeOption } from '../lib/read-option.ts'
import { FIRST_ATTACK_KIND } from '../simulator/call-pool.ts'
import { readAttacks } from '../simulator/read-attacks.ts'
import { runSimulation } from '../simulator/run-simulation.ts'
import { BENIGN_KINDS } from '../simulator/world/kinds.ts'
import { builtInNumbering } from '../simulator/world/numbering.ts'

export const about = 'weights of the scorecard calling-pattern, on training seeds and attacks (about 3 minutes)'

const HELP = `npm run fit -- simulator [--seeds 1121,1122] [--calls 700000] [--days 2] [--false-positives 2e-5]

Runs training attacks with every rule in shadow mode, fits the scorecard (logistic regression, signs fixed) on half of the
calls, and prints it as YAML for data/policy.yaml, with what it reaches on the other half beside the typed signals.
`

/** Training seeds are from 1,000 up, those of evaluations below. */
const SEED_MIN = 1_000
const FRAUD_SHARE = 0.007
/** Every attack type weighs as much as so many calls, and so does every honest kind but the first two at its own number. */
const TYPE_WEIGHT = 3_000
/** What the typed signals block already has little left to teach. */
const BLOCKED_WEIGHT = 0.1
const HARD_NEGATIVE_WEIGHT = 6
const COLUMNS = PATTERN_FEATURES.length

type Rows = { features: Int16Array; kinds: Uint8Array; blocked: Uint8Array; count: number }

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seeds: { type: 'string', default: '1121,1122' },
      calls: { type: 'string', default: '700000' },
      days: { type: 'string', default: '2' },
      'false-positives': { type: 'string', default: '2e-5' },
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
  const share = Number(values['false-positives'])
  if (!(share > 0 && share < 0.01)) throw new EvaluateUsageError('--false-positives takes a share above 0, below 0.01.')
  const calls = wholeOption('--calls', values.calls, 10_000, 50_000_000)
  const days = wholeOption('--days', values.days, 1, 31)
  const policyText = readFileSync(path.join(PACKAGE_DIRECTORY, 'data', 'policy.yaml'), 'utf8')
  const policy = parsePolicy(parse(policyText))
  const rows = { features: new Int16Array(0), kinds: new Uint8Array(0), blocked: new Uint8Array(0), count: 0 }
  for (const seed of seeds) await collect(rows, seed, calls, days, policy, policyText)
  report(rows, share)
  return 0
}

/** Adds the counted calls of one seed. All rules only watch, so that nothing is blocked and every call shows how it ends. */
async function collect(
  rows: Rows,
  seed: number,
  calls: number,
  days: number,
  policy: PolicyDocument,
  policyText: string,
): Promise<void> {
  const shadow = { ...policy, rules: policy.rules.map((rule) => ({ ...rule, mode: 'shadow' as const })) }
  const scored = scorerOf(policy)
  await runSimulation({
    seed,
    calls,
    days,
    warmUpDays: 8,
    fraudShare: FRAUD_SHARE,
    attacks: readAttacks(path.join(PACKAGE_DIRECTORY, 'bench', 'simulator', 'attacks', 'train')),
    policyText,
    policy: shadow,
    numbering: builtInNumbering(),
    observe: true,
    onProgress: (done) => process.stderr.write(`\rseed ${seed}: ${Math.round(done * 100)} % `),
    onCall({ kind, evidence, decision }) {
      if (rows.count === rows.kinds.length) grow(rows)
      patternFeatures(evidence, rows.features.subarray(rows.count * COLUMNS, (rows.count + 1) * COLUMNS))
      rows.kinds[rows.count] = kind
      rows.blocked[rows.count] = Number(scored(decision) >= policy.thresholds.block)
      rows.count++
    },
  })
  process.stderr.write('\n')
}

/** The score of a call without the scorecard, from the strengths that were seen. */
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

function grow(rows: Rows): void {
  const size = Math.max(65_536, rows.kinds.length * 2)
  const features = new Int16Array(size * COLUMNS)
  features.set(rows.features)
  const kinds = new Uint8Array(size)
  kinds.set(rows.kinds)
  const blocked = new Uint8Array(size)
  blocked.set(rows.blocked)
  Object.assign(rows, { features, kinds, blocked })
}

function report(rows: Rows, share: number): void {
  const even = halfOf(rows, 0)
  const odd = halfOf(rows, 1)
  const fit = fitLogistic(
    { features: even.features, columns: COLUMNS, labels: even.labels, rowWeights: weightsOf(even) },
    {
      signs: Int8Array.from(PATTERN_FEATURES, (_, index) => (index < HARM_FEATURES.length ? 1 : -1)),
      ridge: 3e-5,
      rounds: 800,
      unit: LOG_UNIT,
      onRound: (round, loss) => {
        if (round % 100 === 0) process.stderr.write(`\rround ${round}: loss ${loss.toFixed(5)} `)
      },
    },
  )
  process.stderr.write('\n')
  const score = (row: number) => {
    let logit = fit.bias
    for (let column = 0; column < COLUMNS; column++)
      logit += (fit.weights[column] ?? 0) * (odd.features[row * COLUMNS + column] ?? 0)
    return logit
  }
  const logits = Float64Array.from({ length: odd.labels.length }, (_, row) => score(row))
  const honest = logits.filter((_, row) => odd.labels[row] === 0 && odd.blocked[row] === 0).sort()
  const threshold = honest[Math.max(0, honest.length - 1 - Math.floor(honest.length * share))] ?? 0
  const isCaught = (row: number) => odd.blocked[row] === 1 || (logits[row] ?? 0) > threshold
  const total = (label: number, test: (row: number) => boolean) => {
    let hit = 0
    let all = 0
    for (let row = 0; row < odd.labels.length; row++) {
      if (odd.labels[row] !== label) continue
      all++
      if (test(row)) hit++
    }
    return { hit, all }
  }
  const weights = PATTERN_FEATURES.flatMap((name, index) => {
    const weight = Math.round((fit.weights[index] ?? 0) * LOG_UNIT * 1_000)
    return weight === 0 ? [] : `      ${name}: ${weight}`
  })
  // Points of 85 reach the block threshold of 80 at a strength of 0.942: there the scorecard alone blocks.
  const full = Math.round((threshold / 0.942) * 1_000)
  process.stdout.write(
    `  pattern:\n    bias: ${Math.round(fit.bias * 1_000)}\n    full: ${full}\n    weights:\n${weights.join('\n')}\n\n`,
  )
  const typed = (row: number) => odd.blocked[row] === 1
  printTable(
    ['calls of the other half', 'n', 'typed signals alone', 'with the scorecard'],
    (
      [
        ['malicious', 1],
        ['honest', 0],
      ] as const
    ).map(([name, label]) => {
      const alone = total(label, typed)
      const both = total(label, isCaught)
      return [name, String(alone.all), shareText(alone.hit, alone.all), shareText(both.hit, both.all)]
    }),
  )
}

function shareText(hit: number, all: number): string {
  return `${((100 * hit) / Math.max(1, all)).toFixed(4)} %`
}

type Half = { features: Int16Array; labels: Uint8Array; kinds: Uint8Array; blocked: Uint8Array }

/** Every second call: both halves have all kinds and all sources. */
function halfOf(rows: Rows, offset: number): Half {
  const count = Math.floor((rows.count + 1 - offset) / 2)
  const half = {
    features: new Int16Array(count * COLUMNS),
    labels: new Uint8Array(count),
    kinds: new Uint8Array(count),
    blocked: new Uint8Array(count),
  }
  for (let index = 0; index < count; index++) {
    const row = index * 2 + offset
    half.features.set(rows.features.subarray(row * COLUMNS, (row + 1) * COLUMNS), index * COLUMNS)
    half.kinds[index] = rows.kinds[row] ?? 0
    half.labels[index] = Number((rows.kinds[row] ?? 0) >= FIRST_ATTACK_KIND)
    half.blocked[index] = rows.blocked[row] ?? 0
  }
  return half
}

/** Kinds of honest calls that look like fraud; the others are people. */
const PEOPLE: readonly string[] = [
  'friends',
  'strangers',
  'friends-one-ring',
  'ported',
  'foreign-friends',
  'call-back',
  'to-business',
  'withheld',
]

function weightsOf(half: Half): Float64Array {
  const byKind = new Float64Array(256)
  const weights = Float64Array.from(half.kinds, (kind, row) => {
    const isTaught = half.labels[row] === 1 && half.blocked[row] === 1
    byKind[kind] = (byKind[kind] ?? 0) + (isTaught ? BLOCKED_WEIGHT : 1)
    return isTaught ? BLOCKED_WEIGHT : 1
  })
  return weights.map((weight, row) => {
    const kind = half.kinds[row] ?? 0
    if (half.labels[row] === 1) return (weight * TYPE_WEIGHT) / (byKind[kind] ?? 1)
    return PEOPLE.includes(BENIGN_KINDS[kind] ?? '') ? weight : weight * HARD_NEGATIVE_WEIGHT
  })
}
