import { existsSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { endOnClosedPipe } from '../src/cli/closed-pipe.ts'
import { nearestName } from '../src/domain/nearest-name.ts'
import { EvaluateUsageError } from './lib/evaluate-usage-error.ts'
import { wholeOption } from './lib/read-option.ts'
import { runBench, type Say } from './lib/run-bench.ts'
import { benchNodesVerdicts } from './load/nodes-verdicts.ts'
import { benchNodesVisibility } from './load/nodes-visibility.ts'
import { benchReportVisibility } from './load/report-visibility.ts'
import { benchCatchUp } from './scale/nodes-catch-up.ts'
import { benchNodesNumbers } from './scale/nodes-numbers.ts'
import { benchRedisLists } from './scale/redis-lists.ts'
import { benchStart } from './scale/start.ts'
import { compareWithBaseline, keepBaseline } from './suite/baselines.ts'
import { writeDocument } from './suite/document.ts'
import { PART_NAMES, type PartName } from './suite/measures.ts'
import type { Part } from './suite/part.ts'
import { printMeasures, runAll } from './suite/run-all.ts'
import { runPart } from './suite/run-part.ts'

/**
 * `npm run bench [-- --quick]`: the whole suite (suite/measures.ts), its table printed and, of a full run, written into
 * docs/PERFORMANCE.md. `npm run bench -- NAME [--quick] [...]`: one part of it, or another benchmark; kept in bench/results/.
 */
type Bench = {
  readonly about: string
  readonly run: (quick: boolean, flags: readonly string[], say: Say) => Promise<unknown>
}

/** Of other benchmarks; a part says itself how long it takes. Three times what the longest takes on a machine that others use too. */
const MINUTES_MAX = 30
const SUITE_MINUTES_MAX = 240

const BENCHES: Record<string, Bench> = {
  'report-visibility': {
    about: 'report accepted -> every thread of every process judges by it',
    run: (quick) => benchReportVisibility({ rounds: quick ? 50 : 500 }),
  },
  start: {
    about: 'seconds to ready with a large list stored (full: 10 M rows, about 3 minutes)',
    run: (quick) => benchStart({ rows: quick ? 500_000 : 10_000_000, repeats: quick ? 1 : 3 }),
  },
  'redis-lists': {
    about: 'bytes of a list in Redis, and seconds to push and fetch it (full: 10 M numbers, about 1 minute)',
    run: (quick) => benchRedisLists({ rows: quick ? 500_000 : 10_000_000 }),
  },
  'nodes-visibility': {
    about: 'report accepted on one node -> verdict of another (about 2 minutes); --cluster: through 3 + 3 servers',
    run: (quick, flags, say) =>
      benchNodesVisibility(
        { isCluster: flags.includes('--cluster'), seconds: quick ? 3 : 30, repeats: quick ? 1 : 3, quick },
        say,
      ),
  },
  'nodes-verdicts': {
    about:
      'verdicts of a node while Redis is healthy, frozen, gone and back, against an embedded one (about 5 minutes)',
    run: (quick, _, say) =>
      benchNodesVerdicts(
        quick
          ? { rows: 50_000, rounds: 1, wrkSeconds: 1, openSeconds: 1, quick }
          : { rows: 1_000_000, rounds: 6, wrkSeconds: 2, openSeconds: 2, quick },
        say,
      ),
  },
  'nodes-catch-up': {
    about: 'a node that was away or is new, 1 M facts behind; --numbers: a list of 10 M; --count N: of so many',
    run(quick, flags, say) {
      const isNumbers = flags.includes('--numbers')
      const [short, full] = isNumbers ? [500_000, 10_000_000] : [50_000, 1_000_000]
      const count = countOf(flags, quick ? short : full)
      const rest = { repeats: quick ? 1 : 2, quick: count < full }
      return isNumbers ? benchNodesNumbers({ rows: count, ...rest }, say) : benchCatchUp({ facts: count, ...rest }, say)
    },
  },
}

const COUNT_MAX = 100_000_000

function countOf(flags: readonly string[], otherwise: number): number {
  const at = flags.indexOf('--count')
  return at < 0 ? otherwise : wholeOption('--count', flags[at + 1] ?? '', 1, COUNT_MAX)
}

/** Of all benches: who misspells one must not start a run of ten minutes with it left out. */
const OPTIONS = {
  quick: { type: 'boolean' },
  help: { type: 'boolean' },
  cluster: { type: 'boolean' },
  numbers: { type: 'boolean' },
  count: { type: 'string' },
  minutes: { type: 'string' },
} as const

const COMMANDS: Record<string, { about: string; run: (quick: boolean) => number }> = {
  measures: {
    about: 'the table of measures from what is in bench/results',
    run(quick) {
      printMeasures(quick, 0)
      return 0
    },
  },
  document: {
    about: 'docs/PERFORMANCE.md and its charts from what is in bench/results',
    run() {
      const missing = writeDocument()
      process.stdout.write(
        missing.length === 0 ? 'Written.\n' : `Written; not run in full yet: ${missing.join(', ')}\n`,
      )
      return 0
    },
  },
  compare: {
    about: 'what was measured last against bench/baselines; 1 when something got worse',
    run: compareWithBaseline,
  },
  baseline: { about: 'what was measured last becomes the baseline', run: keepBaseline },
}

async function partOf(name: PartName): Promise<Part | undefined> {
  const file = path.join(import.meta.dirname, 'parts', `${name}.js`)
  return existsSync(file) ? ((await import(file)) as { part: Part }).part : undefined
}

/** The exit code: 2 for what the user wrote wrongly. */
async function main(flags: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...flags], options: OPTIONS, allowPositionals: true })
    const [name, ...more] = positionals
    if (more.length > 0) throw new EvaluateUsageError(`One name at a time, got ${positionals.join(', ')}.`)
    if (values.help !== true) return await run(name, values.quick === true, flags)
    process.stdout.write(await usage())
    return 0
  } catch (error) {
    const isParseError =
      error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
    if (!isParseError && !(error instanceof EvaluateUsageError)) throw error
    process.stderr.write(`${error.message}\nSee npm run bench -- --help\n`)
    return 2
  }
}

async function run(name: string | undefined, quick: boolean, flags: readonly string[]): Promise<number> {
  if (name === undefined) return runBench((say) => runAll(quick, say), { minutesMax: SUITE_MINUTES_MAX })
  const part = PART_NAMES.find((known) => known === name)
  const found = part === undefined ? undefined : await partOf(part)
  if (part !== undefined && found !== undefined) {
    return runBench((say) => runPart(part, found, { quick, flags, say }), { minutesMax: 3 * found.minutes })
  }
  const bench = BENCHES[name]
  if (bench) return runBench((say) => bench.run(quick, flags, say), { minutesMax: MINUTES_MAX })
  const command = COMMANDS[name]
  if (command) return command.run(quick)
  const nearest = nearestName(name, [...PART_NAMES, ...Object.keys(BENCHES), ...Object.keys(COMMANDS)])
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  throw new EvaluateUsageError(`There is no bench ${JSON.stringify(name)}.${hint}`)
}

async function usage(): Promise<string> {
  const line = (key: string, about: string) => `  npm run bench -- ${key.padEnd(18)} ${about}`
  const parts: string[] = []
  for (const part of PART_NAMES) {
    const found = await partOf(part)
    if (found !== undefined) parts.push(line(part, `${found.about} (full: about ${found.minutes} min)`))
  }
  const about = (table: Record<string, { about: string }>) =>
    Object.entries(table).map(([key, entry]) => line(key, entry.about))
  return [
    'npm run bench runs every part, npm run bench -- --quick a short form of each in some 6 minutes:\nsmaller tables and fewer rounds, so its standings are not those of a full run.',
    `Parts, each also with --quick:\n${parts.join('\n')}`,
    `Other benchmarks, each also with --quick:\n${about(BENCHES).join('\n')}`,
    `Results:\n${about(COMMANDS).join('\n')}`,
    'More pieces: node dist/bench/micro/NAME.js (screen, verdict-http, parse-list, pairs, block-table, apply-facts)\n',
  ].join('\n\n')
}

endOnClosedPipe()
const exitCode = await main(process.argv.slice(2))
// Whatever a bench that was ended still waits for must not hold the terminal.
process.stdout.write('', () => process.exit(exitCode))
