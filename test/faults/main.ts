import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import pc from 'picocolors'
import { machine } from '../../bench/lib/record-result.ts'
import { CASES } from './cases/index.ts'
import { sweepLeftovers } from './lib/cleanup.ts'
import type { CaseResult, FaultCase } from './lib/fault-case.ts'
import { runCases, undoEverything } from './lib/run-cases.ts'
import { formatResult, formatTotals } from './lib/table.ts'

/** `npm run faults -- [CASE…]`: breaks a running service on purpose and says what that cost. */
const USAGE = `npm run faults -- [CASE…]   all cases, or those named (A10 A13)
  --quick        the short form of each
  --count N      rounds of A13, KILL and FAILOVER (must-reach: 100, 1000, 100), and of FAILOVER-STRICT, A01B and A13B; others
                 are run N times
  --minutes M    begins nothing new after so long; how long SOAK goes on
  --seed N       the same random moments again
  --json FILE    results as JSON, written anew after every case
  --list         the cases
Ctrl-C ends after the round, a second one at once; both undo what was done to the machine.
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    count: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
    json: { type: 'string' },
  },
})
const exitCode = values.help ? print(USAGE) : values.list ? list() : await main()
// Whatever a case has left open must not hold the terminal.
process.stdout.write('', () => process.exit(exitCode))

function print(text: string): number {
  process.stdout.write(text)
  return 0
}

function list(): number {
  return print(CASES.map(({ id, what, expected }) => `${id.padEnd(5)} ${what}\n      ${pc.dim(expected)}\n`).join(''))
}

async function main(): Promise<number> {
  const ids = positionals.map((id) => id.toUpperCase())
  const unknown = ids.filter((id) => !CASES.some((fault) => fault.id === id))
  if (unknown.length > 0) {
    process.stderr.write(`There is no case ${unknown.join(', ')}; there are ${CASES.map(({ id }) => id).join(' ')}.\n`)
    return 2
  }
  const chosen = ids.length === 0 ? CASES : CASES.filter(({ id }) => ids.includes(id))
  const seed = wholeNumber(values.seed) ?? Math.floor(Math.random() * 1_000_000)
  const minutes = wholeNumber(values.minutes)
  const options = { isQuick: values.quick, seed, hasEnd: minutes !== undefined }
  const endMs = performance.now() + (minutes ?? Number.POSITIVE_INFINITY) * 60_000
  const wish = listenForEnd()
  sweepLeftovers()
  const results: CaseResult[] = []
  process.stderr.write(pc.dim(`seed ${seed}\n`))
  const write = () => {
    if (values.json === undefined) return
    const record = { name: 'faults', at: new Date().toISOString(), ...machine(), ...options, results }
    writeFileSync(values.json, `${JSON.stringify(record, undefined, 2)}\n`)
  }
  await runCases(
    chosen,
    { ...options, count: (fault) => wholeNumber(values.count) ?? usualCount(fault, values.quick) },
    {
      mustEnd: () => wish.isWished || performance.now() > endMs,
      onBegin: ({ id, what }) => process.stderr.write(pc.dim(`${id} ${what} …\n`)),
      onResult(result) {
        results.push(result)
        process.stdout.write(`${formatResult(result)}\n`)
        write()
      },
      say: (text) => process.stderr.write(pc.dim(`  ${text}\n`)),
    },
  )
  process.stdout.write(`${formatTotals(results)}\n`)
  return results.some(({ outcome }) => outcome === 'failed') ? 1 : 0
}

/** What one run without `--count` does: enough to see something, in about a minute. */
function usualCount({ countsItself }: FaultCase, isQuick: boolean): number {
  if (!countsItself) return 1
  return isQuick ? 3 : 15
}

function wholeNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new Error(`A whole number above 0 is needed, got ${text}.`)
  return value
}

function listenForEnd(): { isWished: boolean } {
  const wish = { isWished: false }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (wish.isWished) void undoEverything().finally(() => process.exit(130))
      else process.stderr.write('Ending after this round; once more to end at once.\n')
      wish.isWished = true
    })
  }
  return wish
}
