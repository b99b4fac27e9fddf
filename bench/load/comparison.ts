/** Every side of a comparison in turn, and what of it stands in tables. */
import { interleave, ratios } from '../lib/interleave.ts'
import { measuredFrom } from '../lib/measured.ts'
import type { Say } from '../lib/run-bench.ts'
import { median, quantile } from '../lib/stats.ts'
import type { Measured } from '../suite/part.ts'
import { plain } from '../suite/print-result.ts'
import type { Contender } from './contender.ts'
import { type Form, measureRound, type Round, warmup } from './round.ts'

/** One way to ask one contender. Sides that are compared should stand beside each other: they are measured so. */
export type Side<Id extends string> = { readonly id: Id; readonly contender: Contender; readonly form: Form }

export type Rounds<Id extends string> = Readonly<Record<Id, readonly Round[]>>

export async function measureSides<Id extends string>(
  sides: readonly Side<Id>[],
  { rounds, seconds, quick }: { readonly rounds: number; readonly seconds: number; readonly quick: boolean },
  say: Say,
): Promise<Rounds<Id>> {
  const byId = new Map(sides.map((side) => [side.id, side]))
  let said = -2
  return interleave([...byId.keys()], rounds, async (id, round) => {
    if (round > said) say(round < 0 ? 'warm-up' : `round ${round + 1} of ${rounds}`)
    said = round
    const { contender, form } = byId.get(id)!
    return measureRound(contender, form, round < 0 ? warmup(form, quick) : { seconds })
  })
}

/**
 * How often one side is as fast as the other, by rates. On a machine where others took their share of the core the rates
 * say more of them: then by processor time, which is the same where a server has its core to itself, with a note.
 */
export function rateRatio(above: readonly Round[], below: readonly Round[]): Measured {
  const share = Math.min(shareOf(above), shareOf(below))
  if (share >= SERVER_SHARE_MIN) return measuredFrom(ratios(above.map(rate), below.map(rate)))
  return measuredFrom(ratios(below.map(cpu), above.map(cpu)), byProcessorTime(share))
}

/** The same by verdicts a second of processor time. */
export function coreRatio(above: readonly Round[], below: readonly Round[]): Measured {
  return measuredFrom(ratios(below.map(cpu), above.map(cpu)))
}

export function rateOf(rounds: readonly Round[]): Measured {
  const share = shareOf(rounds)
  if (share >= SERVER_SHARE_MIN) return measuredFrom(rounds.map(rate))
  return measuredFrom(
    rounds.map((round) => 1e6 / cpu(round)),
    byProcessorTime(share),
  )
}

const SERVER_SHARE_MIN = 0.9

const rate = ({ perSecond }: Round) => perSecond
const cpu = ({ cpuMicroseconds }: Round) => cpuMicroseconds

function shareOf(rounds: readonly Round[]): number {
  return median(rounds.map(({ serverShare }) => serverShare))
}

function byProcessorTime(share: number): string {
  return `by processor time: a server had ${Math.round(share * 100)} % of its core`
}

export const ROUND_HEAD = ['verdicts/s', 'processor time', 'of its core', 'generator'] as const

/** Rate with its spread, microseconds of processor a verdict, and how busy both cores were. */
export function roundCells(rounds: readonly Round[]): string[] {
  const rates = rounds.map(rate)
  const percent = (value: number) => `${Math.round(value * 100)} %`
  const micros = median(rounds.map(cpu))
  return [
    `${plain(median(rates))} (${plain(quantile(rates, 0))}-${plain(quantile(rates, 1))})`,
    `${micros < 10 ? micros.toFixed(2) : micros.toFixed(1)} µs`,
    percent(median(rounds.map(({ serverShare }) => serverShare))),
    percent(median(rounds.map(({ generatorShare }) => generatorShare))),
  ]
}

/** One side to the other for a table: by rates as they were, and by processor time. */
export function ratioCells(above: readonly Round[], below: readonly Round[]): string[] {
  return [median(ratios(above.map(rate), below.map(rate))), coreRatio(above, below).value].map(ratioText)
}

export function ratioText(value: number): string {
  return `${value < 10 ? value.toFixed(2) : value.toFixed(1)}x`
}
