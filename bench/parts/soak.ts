/** Mixed traffic with reports, imports and reloads for as long as asked: does memory grow, does anything go wrong? */
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { comeFirst } from '../lib/come-first.ts'
import { wholeOption } from '../lib/read-option.ts'
import { everyPid, startWorld } from '../lib/standard-world.ts'
import { startChanges } from '../soak/changes.ts'
import { measuredSlope, memoryChart, type SoakResult, soakTables } from '../soak/describe.ts'
import { prepareTraffic } from '../soak/soak-traffic.ts'
import { readObserved, watchService } from '../soak/watch.ts'
import type { Part, PartOptions, PartResult } from '../suite/part.ts'

type Sizes = {
  readonly listed: number
  readonly minutes: number
  readonly importEverySeconds: number
  /** Of closed loop before, over HTTP and in frames each; it fills what fills with traffic. */
  readonly fillSeconds: number
  /** Of all of it going on, before memory is looked at. */
  readonly warmSeconds: number
}

const FULL: Sizes = { listed: 10_000_000, minutes: 30, importEverySeconds: 25, fillSeconds: 20, warmSeconds: 150 }
const QUICK: Sizes = { listed: 300_000, minutes: 1, importEverySeconds: 10, fillSeconds: 2, warmSeconds: 30 }

/**
 * So small that all of it is in use before memory is looked at: a table of full size goes on taking pages, for hours, until
 * each was touched once, and that is no leak.
 */
const CONFIGURATION = `
verdict:
  activeNumbers: 65536
  recentCalls: 65536
  pairsPerDay: 262144
  recentEnds: 65536
  callersPerHour: 16384
  reputations: 4096
  blocks: 4096
`

export const part: Part = {
  about: 'memory, handles and pauses in mixed traffic with reports, imports and reloads; --minutes N',
  minutes: FULL.minutes + 5,
  async run(options): Promise<PartResult> {
    const sizes = sizesOf(options)
    const result = await soak(sizes, options)
    return {
      measured: { 'soak-slope': measuredSlope(result) },
      tables: soakTables(result),
      charts: [memoryChart(result)],
      raw: { sizes, ...result },
    }
  },
}

function sizesOf({ quick, flags }: PartOptions): Sizes {
  const sizes = quick ? QUICK : FULL
  const at = flags.indexOf('--minutes')
  return at < 0 ? sizes : { ...sizes, minutes: wholeOption('--minutes', flags[at + 1] ?? '', 1, 60) }
}

async function soak(sizes: Sizes, { quick, say }: PartOptions): Promise<SoakResult> {
  const directory = path.join(os.tmpdir(), 'observed')
  mkdirSync(directory)
  const configuration = path.join(os.tmpdir(), 'soak.yaml')
  writeFileSync(configuration, CONFIGURATION)
  const observer = pathToFileURL(path.join(import.meta.dirname, '..', 'soak', 'observe.js')).href
  const service = await startWorld(
    {
      listed: sizes.listed,
      environment: {
        ZASLON_CONFIG: configuration,
        ZASLON_BENCH_OBSERVED: directory,
        NODE_OPTIONS: `--import=${observer}`,
      },
    },
    say,
  )
  comeFirst(everyPid(service))
  const traffic = await prepareTraffic(service, { listed: sizes.listed, seconds: sizes.fillSeconds, quick }, say)
  const seconds = sizes.minutes * 60
  const changes = startChanges(service, sizes.listed, sizes.importEverySeconds)
  const watched = watchService(service)
  const fromMs = Date.now() + sizes.warmSeconds * 1_000
  say(`${sizes.minutes} min of traffic`)
  const generated = await traffic.run(sleep(seconds * 1_000))
  await changes.stop()
  await watched.stop()
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  const result: SoakResult = {
    seconds,
    warmSeconds: sizes.warmSeconds,
    cycleSeconds: sizes.importEverySeconds,
    samples: watched.samples,
    rates: traffic.rates,
    generated,
    changes: changes.counts(),
    problems: [...changes.problems(), ...changes.wrong],
    pauses: readObserved(directory, fromMs),
    counters: countersOf(metrics),
  }
  await service.stop()
  return result
}

const COUNTERS = [
  'zaslon_internal_errors_total',
  'zaslon_verdicts_overloaded_total',
  'zaslon_decisions_lost_important_total',
  'zaslon_decisions_lost_total',
]

/** What must be zero, from our own metrics; of a name with labels their sum. */
function countersOf(metrics: string): Record<string, number> {
  const lines = metrics.split('\n')
  const sumOf = (name: string) =>
    lines
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' '))), 0)
  return Object.fromEntries(COUNTERS.map((name) => [name, sumOf(name)]))
}
