/** `npm run evaluate -- simulator`: seeded, labelled traffic through the production decision path. docs/simulator.md */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { ScreeningError } from '../../src/domain/errors.ts'
import { parsePolicy } from '../../src/domain/parse-policy.ts'
import { checkOutputFile, makeOutputDirectory } from '../lib/check-output.ts'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'
import { printTable } from '../lib/print-table.ts'
import { machine } from '../lib/record-result.ts'
import { svgChart } from '../lib/svg-chart.ts'
import { attackSchemaText } from '../simulator/attack-schema.ts'
import {
  describeResults,
  describeTiming,
  type Findings,
  SOURCE_CALLS_MIN,
  type Timing,
  type TypeRow,
} from '../simulator/describe-result.ts'
import { readAttacks } from '../simulator/read-attacks.ts'
import { runSimulation, type SimulationResult } from '../simulator/run-simulation.ts'
import { builtInNumbering, readNumbering } from '../simulator/world/numbering.ts'

export const about = 'fraud caught and honest calls hit, in a simulated world with labels (about 1 minute a seed)'

const USAGE = `npm run evaluate -- simulator [options]

  --seed N            one seed (default 1); --seeds 1,2,3: several, added up
  --calls N           benign calls of the counted days, about (default 2000000)
  --days N            counted days (default 3); --warm-up-days N: days before, not counted (default 8)
  --fraud-share X     fraud calls among all calls (default 0.005; published: 0.002 to 0.007)
  --attacks DIR       attack files; test (default) and train are those of bench/simulator/attacks
  --policy FILE       (default data/policy.yaml)
  --numbering FILE    a regulator's range file instead of the built-in plan
  --json FILE         everything as JSON; --svg DIR: the curve as SVG
  --quick             100000 calls of one day after three: to try things, too few for figures
  --print-schema      the JSON Schema of attack files, and nothing else
`

const OPTIONS = {
  seed: { type: 'string' },
  seeds: { type: 'string' },
  calls: { type: 'string' },
  days: { type: 'string' },
  'warm-up-days': { type: 'string' },
  'fraud-share': { type: 'string' },
  attacks: { type: 'string' },
  policy: { type: 'string' },
  numbering: { type: 'string' },
  json: { type: 'string' },
  svg: { type: 'string' },
  quick: { type: 'boolean' },
  'print-schema': { type: 'boolean' },
  help: { type: 'boolean' },
} as const

/** An eighth of this fits in a minute, and call-backs reach into the next day. */
const CALLS_MAX = 50_000_000
const SEEDS_MAX = 100
/** Memory of behaviour needs days to know who is new, and wrong blocks are a few of 100,000. */
const WARM_UP_MIN = 8
const CALLS_FOR_FIGURES = 1_000_000

export async function run(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...args], options: OPTIONS, strict: true, allowPositionals: false })
  if (values.help) return print(USAGE)
  if (values['print-schema']) return print(attackSchemaText())
  if (values.seed !== undefined && values.seeds !== undefined) throw new EvaluateUsageError('Give --seed or --seeds.')
  const seeds = (values.seeds ?? values.seed ?? '1').split(',').map((text) => whole('--seed', text, 0, 2 ** 31 - 1))
  if (seeds.length > SEEDS_MAX) throw new EvaluateUsageError(`--seeds takes at most ${SEEDS_MAX}, got ${seeds.length}.`)
  const [quickCalls, quickDays, quickWarmUp] = values.quick ? ['100000', '1', '3'] : ['2000000', '3', '8']
  const attacksDirectory = attacksIn(values.attacks ?? 'test')
  const policyFile = values.policy ?? path.join(PACKAGE_DIRECTORY, 'data', 'policy.yaml')
  const attacks = readAttacks(attacksDirectory)
  const options = {
    calls: whole('--calls', values.calls ?? quickCalls ?? '', 10_000, CALLS_MAX),
    days: whole('--days', values.days ?? quickDays ?? '', 1, 31),
    warmUpDays: whole('--warm-up-days', values['warm-up-days'] ?? quickWarmUp ?? '', 0, 31),
    fraudShare: share('--fraud-share', values['fraud-share'] ?? '0.005'),
    attacks,
    ...readPolicy(policyFile),
    numbering: values.numbering === undefined ? builtInNumbering() : readNumbering(values.numbering),
  }
  if (options.warmUpDays < WARM_UP_MIN || options.calls < CALLS_FOR_FIGURES) {
    process.stderr.write('Too few calls, or too few days before them, for figures: what comes out is to try things.\n')
  }
  checkOutputFile('--json', values.json)
  makeOutputDirectory('--svg', values.svg)
  const results: SimulationResult[] = []
  for (const seed of seeds) {
    results.push(await runSimulation({ ...options, seed, onProgress: createProgress(`seed ${seed}`) }))
  }
  const findings = describeResults(results, attacks)
  const timing = describeTiming(results)
  const { calls, days, warmUpDays, fraudShare, numbering, policy } = options
  const settings = { seeds, calls, days, warmUpDays, fraudShare, attacks: attacks.map(({ name }) => name) }
  printFindings(findings, timing, {
    seeds,
    policyName: policy.name,
    attacksDirectory,
    blockAt: policy.thresholds.block,
  })
  if (values.json !== undefined) {
    const record = { name: 'simulator', at: new Date().toISOString(), ...machine() }
    const settled = { ...settings, policy: policy.name, thresholds: policy.thresholds, numbering: numbering.name }
    const people = results.map((result) => result.people)
    const text = JSON.stringify({ ...record, settings: settled, people, timing, findings }, undefined, 2)
    writeFileSync(values.json, `${text}\n`)
  }
  if (values.svg !== undefined) writeCurve(values.svg, findings)
  return 0
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

/** `train` and `test` are the sets that come with the simulator. */
function attacksIn(wanted: string): string {
  if (wanted !== 'train' && wanted !== 'test') return wanted
  return path.join(PACKAGE_DIRECTORY, 'bench', 'simulator', 'attacks', wanted)
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text.trim()) && value >= least && value <= most) return value
  throw new EvaluateUsageError(
    `${option} must be a whole number from ${least} to ${most}, got ${JSON.stringify(text)}.`,
  )
}

function share(option: string, text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= 0 && value <= 0.5) return value
  throw new EvaluateUsageError(`${option} must be a number from 0 to 0.5, got ${JSON.stringify(text)}.`)
}

function readPolicy(file: string) {
  try {
    const policyText = readFileSync(file, 'utf8')
    return { policyText, policy: parsePolicy(parse(policyText)) }
  } catch (cause) {
    const errors = cause instanceof ScreeningError ? (cause.details.errors ?? []) : []
    const details = errors.map(({ pointer, detail }) => `\n  ${pointer} ${detail}`).join('')
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new EvaluateUsageError(`The policy ${file} cannot be used. ${message}${details}`, { cause })
  }
}

/** Every tenth on stderr. */
function createProgress(what: string): (share: number) => void {
  const startMs = performance.now()
  let told = 0
  return (share) => {
    const tenths = Math.floor(share * 10)
    if (tenths <= told) return
    told = tenths
    process.stderr.write(`${what}: ${tenths * 10} %, ${Math.round((performance.now() - startMs) / 1_000)} s\n`)
  }
}

type Heading = { seeds: readonly number[]; policyName: string; attacksDirectory: string; blockAt: number }

function printFindings(
  found: Findings,
  timing: Timing,
  { seeds, policyName, attacksDirectory, blockAt }: Heading,
): void {
  const percent = (value: number) => `${(value * 100).toFixed(1)} %`
  const { within, malicious, benign, bombed, reports } = found
  print(
    `Seeds ${seeds.join(', ')}; policy ${policyName}, blocks at ${blockAt}; attacks of ${path.relative('.', attacksDirectory) || '.'}.\n` +
      `Fraud is ${(found.fraudShare * 100).toFixed(2)} % of the counted calls.\n`,
  )
  const table = (head: string, rows: readonly TypeRow[]) =>
    printTable(
      [head, 'calls', 'blocked', 'flagged', 'blocked at threshold *'],
      rows.map((row) => [
        row.type,
        row.calls,
        percent(row.blockedShare),
        percent(row.flaggedShare),
        percent(row.blockedShareWithin),
      ]),
    )
  table('fraud type', [...found.types, { ...malicious, type: 'all malicious calls' }])
  table('attack file', found.attacks)
  print(
    `* Block threshold ${within.threshold}, the lowest with at most 5 benign calls of 100,000 wrongly blocked: ` +
      `${percent(within.maliciousBlockedShare)} of malicious calls, ${within.benignBlockedPer100000.toFixed(2)} per 100,000.\n`,
  )
  if (found.bySeed.length > 1) {
    const range = (values: readonly number[], digits: number) =>
      `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`
    const malicious = range(
      found.bySeed.map((seed) => seed.maliciousBlockedShare * 100),
      1,
    )
    const benign = range(
      found.bySeed.map((seed) => seed.benignBlockedPer100000),
      1,
    )
    print(`By seed, at the policy's threshold: ${malicious} % of malicious calls, ${benign} benign calls of 100,000.\n`)
  }
  const kindRows = [...found.kinds, { ...benign, kind: 'all benign calls' }]
  printTable(
    ['benign kind', 'calls', 'blocked', 'per million', 'flagged', 'per million'],
    kindRows.map((row) => [
      row.kind,
      row.calls,
      row.blocked,
      row.blockedPerMillion.toFixed(1),
      row.flagged,
      row.flaggedPerMillion.toFixed(1),
    ]),
  )
  const orNever = (value: number | null) => value ?? 'never'
  print(
    `Sources of at least ${SOURCE_CALLS_MIN} calls: let through before the first block, median and 95th percentile\n`,
  )
  printTable(
    ['attack file', 'sources', 'detected', 'calls', 'p95', 'minutes', 'p95'],
    found.detection.map((row) => [
      row.attack,
      row.sources,
      percent(row.detectedShare),
      orNever(row.callsMedian),
      orNever(row.calls95),
      orNever(row.minutesMedian),
      orNever(row.minutes95),
    ]),
  )
  print(
    `Reports: ${reports.genuine} genuine, ${reports.wrong} about somebody else, ${reports.annoyed} about a business, ` +
      `${reports.bombing} lies; ${found.refusedReports} refused.\n` +
      `Bombed numbers: ${bombed.numbers}, ever blocked ${bombed.everBlocked}; their calls: ${bombed.calls}, ` +
      `blocked ${bombed.blocked}, flagged ${bombed.flagged}.\n` +
      `Decisions: ${timing.meanMicroseconds.toFixed(2)} µs on average, median ${timing.medianMicroseconds.toFixed(2)}, ` +
      `p99 ${timing.p99Microseconds.toFixed(2)} (n ${timing.decisions}, two clock readings included); ` +
      `${timing.screened} calls in ${timing.seconds.toFixed(0)} s.\n`,
  )
}

function writeCurve(directory: string, { curve }: Findings): void {
  const points = curve.map((point) => [point.benignBlockedPer100000, point.maliciousBlockedShare * 100] as const)
  const chart = svgChart({
    title: 'Simulator: malicious calls blocked against benign calls wrongly blocked',
    x: {
      label: 'benign calls wrongly blocked, per 100,000',
      min: 0.1,
      max: 10_000,
      isLog: true,
      ticks: [0.1, 1, 5, 10, 100, 1_000, 10_000],
    },
    y: { label: 'malicious calls blocked, %', min: 0, max: 100, ticks: [0, 20, 40, 60, 80, 90, 100] },
    lines: [{ name: 'as the block threshold moves from 100 to 1', points }],
  })
  writeFileSync(path.join(directory, 'simulator.svg'), chart)
}
