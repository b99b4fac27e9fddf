import { runBench, type Say } from './lib/run-bench.ts'
import { benchAutocannon } from './load/autocannon.ts'
import { benchHttpRatio } from './load/http-ratio.ts'
import { benchNodesVerdicts } from './load/nodes-verdicts.ts'
import { benchNodesVisibility } from './load/nodes-visibility.ts'
import { benchReportVisibility } from './load/report-visibility.ts'
import { benchImport } from './scale/import.ts'
import { benchCatchUp } from './scale/nodes-catch-up.ts'
import { benchNodesNumbers } from './scale/nodes-numbers.ts'
import { benchRedisLists } from './scale/redis-lists.ts'
import { benchStart } from './scale/start.ts'

/** `npm run bench -- NAME [--quick] [...]`: one benchmark, its result printed and kept in bench/results/. */
type Bench = {
  readonly about: string
  readonly run: (quick: boolean, flags: readonly string[], say: Say) => Promise<unknown>
}

/** Three times what the longest takes on a machine that others use too. */
const MINUTES_MAX = 30

const BENCHES: Record<string, Bench> = {
  import: {
    about: 'list imports beside live traffic, on disk and in memory (full: 10 M rows, about 4 minutes)',
    run: (quick) => benchImport({ rows: quick ? 500_000 : 10_000_000, repeats: quick ? 1 : 3 }),
  },
  'report-visibility': {
    about: 'report accepted -> every thread of every process judges by it',
    run: (quick) => benchReportVisibility({ rounds: quick ? 50 : 500 }),
  },
  'http-ratio': {
    about:
      'HTTP verdicts on one thread against a bare uWebSockets.js handler (full: 10 M rows listed, about 4 minutes)',
    run: (quick) => benchHttpRatio({ rows: quick ? 100_000 : 10_000_000, rounds: quick ? 2 : 7 }),
  },
  autocannon: {
    about: 'the same with autocannon, as a cross-check',
    run: (quick) => benchAutocannon({ seconds: quick ? 2 : 8, rounds: quick ? 1 : 3 }),
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

const [name, ...flags] = process.argv.slice(2)
const bench = name === undefined ? undefined : BENCHES[name]
if (bench) {
  const quick = flags.includes('--quick')
  const exitCode = await runBench((say) => bench.run(quick, flags, say), { minutesMax: MINUTES_MAX })
  // Whatever a bench that was ended still waits for must not hold the terminal.
  process.stdout.write('', () => process.exit(exitCode))
} else {
  const lines = Object.entries(BENCHES).map(([key, { about }]) => `  npm run bench -- ${key.padEnd(18)} ${about}`)
  const micro = '  node dist/bench/micro/NAME.js            gate, phone-number, screen, parse-list, …'
  process.stdout.write(`Benchmarks, each also with --quick:\n${lines.join('\n')}\n${micro}\n`)
  if (name !== undefined) process.exitCode = 2
}
