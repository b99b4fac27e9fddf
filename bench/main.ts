import { benchAutocannon } from './load/autocannon.ts'
import { benchHttpRatio } from './load/http-ratio.ts'
import { benchReportVisibility } from './load/report-visibility.ts'
import { benchImport } from './scale/import.ts'
import { benchRedisLists } from './scale/redis-lists.ts'
import { benchStart } from './scale/start.ts'

/** `npm run bench -- NAME [--quick]`: one benchmark, its result printed and kept in bench/results/. */
const BENCHES: Record<string, { about: string; run: (quick: boolean) => Promise<unknown> }> = {
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
}

const [name, ...flags] = process.argv.slice(2)
const bench = name === undefined ? undefined : BENCHES[name]
if (bench) await bench.run(flags.includes('--quick'))
else {
  const lines = Object.entries(BENCHES).map(([key, { about }]) => `  npm run bench -- ${key.padEnd(18)} ${about}`)
  const micro = '  node dist/bench/micro/NAME.js            gate, phone-number, screen, parse-list, …'
  process.stdout.write(`Benchmarks, each also with --quick:\n${lines.join('\n')}\n${micro}\n`)
  if (name !== undefined) process.exitCode = 2
}
