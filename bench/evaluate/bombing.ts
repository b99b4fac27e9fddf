import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ANALYSTS } from '../bombing/analysts.ts'
import { COLLUDERS, colludingReports } from '../bombing/colluders.ts'
import { type Outcome, runWorld, type Share, type WorldOutcome } from '../bombing/run-world.ts'
import { makeWorld, WORLD } from '../bombing/world.ts'
import { checkOutputFile } from '../lib/check-output.ts'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'
import { printTable } from '../lib/print-table.ts'

export const about = 'reports that lie: legitimate numbers blocked and fraud missed, against counting reports'

const HELP = `npm run evaluate -- bombing [--colluders 5,20,40] [--seed N] [--targets N] [--remembered N] [--corroborated N]
                                [--json [FILE]]

A world of thirty days: fraud and legitimate numbers, honest reporters who are sometimes wrong, analysts who decide reviews,
and colluders, so many per cent of all reporters, who bomb legitimate numbers and whitewash fraud. Reports go through the
intake, the record and the signals of production; counting reports (five in ten days block) sees the same ones.

  --colluders LIST  per cent of all reporters, 0 to 90 (default 5,20,40)
  --seed N          default 1
  --targets N       legitimate numbers that are bombed, 1 to 20,000 (default 3,000)
  --remembered N    per cent of numbers whose calls the network remembers (default 100)
  --corroborated N  of the reporters a block needs, so many must be known to have been called, 0 to 32 (default 0: the rule
                    while calls have not been remembered for long)
  --json [FILE]     the result as JSON, on standard output instead of the tables, or into FILE beside them
`
const TARGETS_MAX = 20_000

type Options = {
  readonly colluders: readonly number[]
  readonly seed: number
  readonly targets: number
  readonly remembered: number
  readonly corroboratedMin: number
  readonly json: string | undefined
}

type Way = 'ours' | 'raw' | 'net'

type Measured = WorldOutcome & {
  readonly colludersPercent: number
  /** Points of all fraud calls: those blocked without colluders and not with them. What colluders help to block is not set against it. */
  readonly recallLost: Readonly<Record<Way, number>>
}

export async function run(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(HELP)
    return 0
  }
  const options = readOptions(args)
  if (options.json !== '') checkOutputFile('--json', options.json)
  const world = makeWorld(options.seed, options.targets, options.remembered / 100)
  const without = await runWorld(world, [], options)
  const measured: Measured[] = []
  for (const percent of options.colluders) {
    const colluding = percent === 0 ? [] : colludingReports(world, options.seed, percent / 100)
    const outcome = await runWorld(world, colluding, options)
    const lost = (way: Way) => callsLost(without[way], outcome[way])
    const recallLost = { ours: lost('ours'), raw: lost('raw'), net: lost('net') }
    measured.push({ colludersPercent: percent, ...outcome, recallLost })
  }
  const result = {
    seed: options.seed,
    rememberedPercent: options.remembered,
    corroboratedMin: options.corroboratedMin,
    world: WORLD,
    colluders: COLLUDERS,
    analysts: ANALYSTS,
    without,
    measured,
  }
  const json = `${JSON.stringify(result, (key, value: unknown) => (key === 'blockedProbes' ? undefined : value), 2)}\n`
  if (options.json === '') process.stdout.write(json)
  else {
    print(options, without, measured)
    if (options.json !== undefined) writeFileSync(options.json, json)
  }
  return 0
}

function readOptions(args: readonly string[]): Options {
  // `--json` alone has no value: parseArgs would take the next option for one.
  const given = args.map((arg, index) =>
    arg === '--json' && (args[index + 1] ?? '--').startsWith('--') ? '--json=' : arg,
  )
  const { values } = parseArgs({
    args: given,
    options: {
      colluders: { type: 'string', default: '5,20,40' },
      seed: { type: 'string', default: '1' },
      targets: { type: 'string', default: '3000' },
      remembered: { type: 'string', default: '100' },
      corroborated: { type: 'string', default: '0' },
      json: { type: 'string' },
    },
  })
  return {
    colluders: values.colluders.split(',').map((text) => numberIn('--colluders', text, 0, 90)),
    seed: integerIn('--seed', values.seed, 0, 2 ** 32 - 1),
    targets: integerIn('--targets', values.targets, 1, TARGETS_MAX),
    remembered: numberIn('--remembered', values.remembered, 0, 100),
    corroboratedMin: integerIn('--corroborated', values.corroborated, 0, 32),
    json: values.json,
  }
}

function numberIn(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() !== '' && value >= least && value <= most) return value
  throw new EvaluateUsageError(`${option} must be between ${least} and ${most}, got ${JSON.stringify(text)}.`)
}

function integerIn(option: string, text: string, least: number, most: number): number {
  const value = numberIn(option, text, least, most)
  if (Number.isInteger(value)) return value
  throw new EvaluateUsageError(`${option} must be a whole number, got ${JSON.stringify(text)}.`)
}

function callsLost(without: Outcome, outcome: Outcome): number {
  let lost = 0
  for (const [probe, calls] of without.blockedProbes) if (!outcome.blockedProbes.has(probe)) lost += calls
  return (100 * lost) / Math.max(1, without.fraudCallsBlocked.n)
}

function points({ count, n }: Share): number {
  return (100 * count) / Math.max(1, n)
}

/** The share with the upper end of its 95 % interval (E. B. Wilson, 1927): none of 3,000 still means up to 0.1 %. */
function shown(share: Share, digits = 2): string {
  const { count, n } = share
  const z = 1.96
  const p = count / n
  const centre = p + (z * z) / (2 * n)
  const upper = (centre + z * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n))) / (1 + (z * z) / n)
  return `${points(share).toFixed(digits)} % (${count}; <= ${(100 * upper).toFixed(digits)} %)`
}

function print({ seed, targets }: Options, without: WorldOutcome, measured: readonly Measured[]): void {
  const ways = [
    ['ours', 'Zaslon'],
    ['raw', '5 reports'],
    ['net', '5 net of "not spam"'],
  ] as const
  process.stdout.write(
    `seed ${seed}: ${targets} bombed of ${targets + WORLD.bystanders} legitimate numbers, ${WORLD.fraudNumbers} fraud numbers, ` +
      `${WORLD.days} days; in brackets how many, and the upper end of the 95 % interval\n`,
  )
  const rowsOf = (percent: number, outcome: WorldOutcome, lost: Measured['recallLost'] | undefined) =>
    ways.map(([way, title]) => {
      const of: Outcome = outcome[way]
      const isOurs = way === 'ours'
      return [
        isOurs ? `${percent} % collude` : '',
        title,
        percent === 0 ? '' : shown(of.targetsBlocked),
        shown(of.bystandersBlocked),
        `${points(of.fraudCallsBlocked).toFixed(1)} %`,
        lost === undefined ? '' : lost[way].toFixed(2),
        `${points(of.fraudNumbersBlocked).toFixed(1)} %`,
      ]
    })
  printTable(
    ['', 'judged by', 'bombed and blocked', 'others blocked', 'fraud calls', 'points lost', 'fraud numbers'],
    [...rowsOf(0, without, undefined), ...measured.flatMap((one) => rowsOf(one.colludersPercent, one, one.recallLost))],
  )
  for (const { colludersPercent, reports, colludingReports, reviewsDecided, ours, microsecondsPerReport } of measured) {
    process.stdout.write(
      `${colludersPercent} %: ${reports} reports, ${colludingReports} of colluders; ${shown(ours.targetsFlagged)} of the bombed flagged; ` +
        `${reviewsDecided} reviews decided; ${microsecondsPerReport} µs a report\n`,
    )
  }
}
