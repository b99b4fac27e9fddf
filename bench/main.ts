import { existsSync } from 'node:fs'
import path from 'node:path'
import { endOnClosedPipe } from '../src/cli/closed-pipe.ts'
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

function countOf(flags: readonly string[], otherwise: number): number {
  const count = Number(flags[flags.indexOf('--count') + 1])
  return flags.includes('--count') && count > 0 ? count : otherwise
}

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

async function main([name, ...flags]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--quick') {
    return runBench((say) => runAll(name === '--quick', say), { minutesMax: SUITE_MINUTES_MAX })
  }
  const quick = flags.includes('--quick')
  const part = PART_NAMES.find((known) => known === name)
  const found = part === undefined ? undefined : await partOf(part)
  if (part !== undefined && found !== undefined) {
    return runBench((say) => runPart(part, found, { quick, flags, say }), { minutesMax: 3 * found.minutes })
  }
  const bench = BENCHES[name]
  if (bench) return runBench((say) => bench.run(quick, flags, say), { minutesMax: MINUTES_MAX })
  const command = COMMANDS[name]
  if (command) return command.run(quick)
  process.stdout.write(await usage())
  return name === '--help' ? 0 : 2
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
    'npm run bench runs every part, npm run bench -- --quick a short form of each in less than 6 minutes.',
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
