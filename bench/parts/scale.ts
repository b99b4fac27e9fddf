import { rmSync } from 'node:fs'
import { compileGenerator } from '../generator/generator.ts'
import { ROUNDS } from '../lib/interleave.ts'
import type { Say } from '../lib/run-bench.ts'
import { STANDARD_CONFIGURATION } from '../lib/standard-world.ts'
import { copyOf, type ListedCosts, makeBase, measureListed } from '../scale/listed-worlds.ts'
import { measureRates, type RateOptions, type World } from '../scale/measure-rates.ts'
import { powersOfTen, powerText } from '../scale/sizes.ts'
import { callersTable, listedTable, scaleCharts, scaleMeasures } from '../scale/tables.ts'
import type { Part } from '../suite/part.ts'

/**
 * What grows with the numbers on a list and with the numbers that call. Each list is imported into a node of its own, which is
 * started again before its memory is taken; then all nodes stand side by side, and get calls in turn.
 */
type Sizes = {
  readonly listed: readonly number[]
  readonly callers: readonly number[]
  /** Listed where callers are counted. */
  readonly listedOfCallers: number
  /** Reported numbers and contacts, as the traffic wants them. */
  readonly hasHistory: boolean
  readonly rates: RateOptions
  readonly roundsOfCallers: number
}

const FULL: Sizes = {
  listed: powersOfTen(1_000, 100_000_000),
  callers: powersOfTen(1_000, 10_000_000),
  listedOfCallers: 1_000_000,
  hasHistory: true,
  rates: {
    configuration: STANDARD_CONFIGURATION,
    rounds: ROUNDS,
    seconds: 2,
    p99Rounds: 3,
    p99Seconds: 1,
    postsPerSecond: 4_000,
  },
  roundsOfCallers: 3,
}
/** The ends of lists alone, on nodes that are sooner ready: with the memory of the defaults, and nobody reported. No measure is of callers. */
const QUICK: Sizes = {
  listed: [1_000, 1_000_000],
  callers: [],
  listedOfCallers: 1_000_000,
  hasHistory: false,
  rates: { configuration: '', rounds: 3, seconds: 0.5, p99Rounds: 1, p99Seconds: 0.5, postsPerSecond: 2_000 },
  roundsOfCallers: 0,
}

export const part: Part = {
  about: 'listed numbers from 10^3 to 10^8 and callers from 10^3 to 10^7: rate, p99, memory, start, bytes a number',
  minutes: 20,
  async run({ quick, say }) {
    const sizes = quick ? QUICK : FULL
    compileGenerator()
    say('a node that the others are copies of')
    const base = await makeBase(sizes.rates.configuration, sizes.hasHistory)
    const { worlds, costs, stopped } = await measureLists(base, sizes, say)
    const callerWorlds = worldsOfCallers(worlds, sizes)
    const rates = await measureRates(worlds, sizes.rates, say)
    const listed = costs.flatMap((one) => {
      const found = rates[nameOf(one.listed)]
      return found === undefined ? [] : [{ ...one, ...found }]
    })
    const callers = quick ? [] : await measureCallers(callerWorlds, sizes, say)
    for (const { directory } of [...worlds, ...callerWorlds]) rmSync(directory, { recursive: true, force: true })
    const most = costs.at(-1)?.listed ?? 0
    const note = most < 100_000_000 ? noteOf(most) : undefined
    return {
      measured: scaleMeasures(listed, note === undefined ? {} : { note }),
      tables: [
        listedTable(listed, listedNote(sizes, stopped)),
        ...(quick ? [] : [callersTable(callers, callersNote(sizes))]),
      ],
      charts: quick ? [] : scaleCharts(listed, callers),
      raw: { ...sizes, stopped, costs: listed, callersRates: callers },
    }
  },
}

type Lists = { readonly worlds: World[]; readonly costs: ListedCosts[]; readonly stopped: string | undefined }

/** One size after the other; the first one that fails ends it, and is told. */
async function measureLists(base: string, { listed, rates }: Sizes, say: Say): Promise<Lists> {
  const worlds: World[] = []
  const costs: ListedCosts[] = []
  for (const size of listed) {
    say(`${powerText(size)} listed`)
    try {
      const measured = await measureListed(base, size, rates.configuration)
      costs.push(measured.costs)
      worlds.push({ name: nameOf(size), directory: measured.directory, mix: { listed: size } })
    } catch (error) {
      if (costs.length < 2) throw error
      const stopped = `${powerText(size)}: ${error instanceof Error ? error.message : String(error)}`
      say(stopped)
      return { worlds, costs, stopped }
    }
  }
  return { worlds, costs, stopped: undefined }
}

/** Copies made before anybody calls: what callers have been doing is in the data directory too. */
function worldsOfCallers(listedWorlds: readonly World[], { callers, listedOfCallers }: Sizes): CallersWorld[] {
  const from = listedWorlds.find(({ mix }) => mix.listed === listedOfCallers)
  if (from === undefined) return []
  return callers.map((count) => ({
    callers: count,
    name: `callers-${count}`,
    directory: copyOf(from.directory),
    mix: { listed: listedOfCallers, activeCallers: count },
  }))
}

type CallersWorld = World & { readonly callers: number }

async function measureCallers(worlds: readonly CallersWorld[], { rates, roundsOfCallers }: Sizes, say: Say) {
  const found = await measureRates(worlds, { ...rates, rounds: roundsOfCallers }, say)
  return worlds.flatMap(({ name, callers }) => {
    const one = found[name]
    return one === undefined ? [] : [{ callers, ...one }]
  })
}

/** What the figures of a smaller list leave out. */
function noteOf(most: number): string {
  const text = `${powerText(most)} listed`
  return most > 1_000_000 ? text : `${text}, where some MB of the process are as many bytes each`
}

function nameOf(size: number): string {
  return `listed-${size}`
}

function listedNote({ rates }: Sizes, stopped: string | undefined): string {
  const end = stopped === undefined ? '' : ` It ended before ${stopped}`
  return (
    'Memory is RssAnon + RssShmem after a start, before any call: of the one verdict process, and of all processes of the node. Bytes a number: what ' +
    'the verdict process has more than with 10^3, by the numbers it has more; in a swap the most that was seen while a version as large came into ' +
    'force, there and back. On disk: one version in lists.mdb and its gate file. Verdicts over a binary WebSocket, 256 a frame, all nodes side by ' +
    `side on one core and measured in turn: as answered, and by the processor time of the verdict process, which others on the machine take nothing from; p99 of HTTP POST at ${rates.postsPerSecond} a second, from the intended time.${end}`
  )
}

function callersNote({ listedOfCallers }: Sizes): string {
  return (
    `${powerText(listedOfCallers)} numbers listed; so many callers that nobody knows call as many callees. Memory after the calls: the longer they go on, ` +
    'the more of it is touched, up to what the configuration gives (verdict.activeNumbers: 4.2 M rows; beyond that the longest unseen make room).'
  )
}
