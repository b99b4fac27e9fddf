import { parseArgs } from 'node:util'
import { EvaluateUsageError } from '../lib/evaluate-usage-error.ts'
import { printTable } from '../lib/print-table.ts'
import { type Blocked, runStates } from '../never-block/run-states.ts'

export const about = 'emergency, operator-service and protected numbers in random states: blocked, which must be 0'

const HELP = `npm run evaluate -- never-block [--states N] [--seed N]

Draws states of everything a verdict is made from (policies, lists, ranges, plans, trunks, reports, number blocks, calls that
went before), and in each asks the verdict path for a call to an emergency number, one to an operator service, and one from a
protected number that nothing contradicts. Exit code 1 when any is blocked.

  --states N   1 to 100,000,000 (default 1,000,000)
  --seed N     default 1
`
const STATES_MAX = 100_000_000

export async function run(args: readonly string[]): Promise<number> {
  if (args.includes('--help')) {
    process.stdout.write(HELP)
    return 0
  }
  const { values } = parseArgs({
    args: [...args],
    options: { states: { type: 'string', default: '1000000' }, seed: { type: 'string', default: '1' } },
  })
  const states = integerIn('--states', values.states, 1, STATES_MAX)
  const seed = integerIn('--seed', values.seed, 0, 2 ** 32 - 1)
  const result = runStates(states, seed)
  const never = [result.emergency, result.service, result.protected, result.calledBack]
  process.stdout.write(`seed ${seed}: ${result.states} states\n`)
  printTable(
    ['calls', 'asked', 'blocked'],
    [
      row('to emergency numbers', result.emergency),
      row('to operator services', result.service),
      row('from protected numbers', result.protected),
      row('from emergency numbers and operator services', result.calledBack),
      row('all others', result.others),
    ],
  )
  process.stdout.write(
    `Protected numbers that people were asked to look at: ${result.protectedSpared}. Decisions that failed: ${result.failures}.\n`,
  )
  return never.some(({ blocked }) => blocked > 0) || result.failures > 0 ? 1 : 0
}

function row(title: string, { calls, blocked }: Blocked): string[] {
  return [title, String(calls), String(blocked)]
}

function integerIn(option: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new EvaluateUsageError(
    `${option} must be a whole number from ${least} to ${most}, got ${JSON.stringify(text)}.`,
  )
}
