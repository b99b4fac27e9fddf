import { benchAutocannon } from './load/autocannon.ts'
import { benchHttpRatio } from './load/http-ratio.ts'
import { benchNodesVerdicts } from './load/nodes-verdicts.ts'
import { benchNodesVisibility } from './load/nodes-visibility.ts'
import { benchReportVisibility } from './load/report-visibility.ts'
import { benchImport } from './scale/import.ts'
import { benchCatchUp, benchCatchUpNumbers } from './scale/nodes-catch-up.ts'
import { benchFailover } from './scale/nodes-failover.ts'
import { benchRedisLists } from './scale/redis-lists.ts'
import { benchStart } from './scale/start.ts'

/** `npm run bench -- NAME [--quick] [...]`: one benchmark, its result printed and kept in bench/results/. */
const BENCHES: Record<string, { about: string; run: (quick: boolean, flags: readonly string[]) => Promise<unknown> }> =
  {
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
      run: (quick, flags) =>
        benchNodesVisibility({
          isCluster: flags.includes('--cluster'),
          seconds: quick ? 3 : 30,
          repeats: quick ? 1 : 3,
          quick,
        }),
    },
    'nodes-verdicts': {
      about:
        'verdicts of a node while Redis is healthy, frozen, gone and back, against an embedded one (about 8 minutes)',
      run: (quick) =>
        benchNodesVerdicts({
          rows: quick ? 50_000 : 1_000_000,
          rounds: quick ? 1 : 5,
          seconds: quick ? 1 : 5,
          quick,
        }),
    },
    'nodes-failover': {
      about: 'masters of a Redis cluster killed and frozen under a writing node; --count N (default 5), --resume',
      run: (quick, flags) =>
        benchFailover({ count: countOf(flags, quick ? 2 : 5), resume: flags.includes('--resume'), quick }),
    },
    'nodes-catch-up': {
      about: 'a node that was away or is new, 1 M facts behind (about 6 minutes); --numbers: a list of 10 M (about 3)',
      run: (quick, flags) =>
        flags.includes('--numbers')
          ? benchCatchUpNumbers({ rows: quick ? 500_000 : 10_000_000, repeats: quick ? 1 : 2, quick })
          : benchCatchUp({ facts: quick ? 50_000 : 1_000_000, repeats: quick ? 1 : 2, quick }),
    },
  }

function countOf(flags: readonly string[], otherwise: number): number {
  const count = Number(flags[flags.indexOf('--count') + 1])
  return flags.includes('--count') && count > 0 ? count : otherwise
}

const [name, ...flags] = process.argv.slice(2)
const bench = name === undefined ? undefined : BENCHES[name]
if (bench) await bench.run(flags.includes('--quick'), flags)
else {
  const lines = Object.entries(BENCHES).map(([key, { about }]) => `  npm run bench -- ${key.padEnd(18)} ${about}`)
  const micro = '  node dist/bench/micro/NAME.js            gate, phone-number, screen, parse-list, …'
  process.stdout.write(`Benchmarks, each also with --quick:\n${lines.join('\n')}\n${micro}\n`)
  if (name !== undefined) process.exitCode = 2
}
