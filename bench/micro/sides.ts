import { interleave } from '../lib/interleave.ts'
import { median, quantile, round } from '../lib/stats.ts'

/** One side of a piece: does `count` things in a round, and returns what it answered, as one number (see foldAnswer). */
export type Side = {
  readonly count: number
  readonly work: (round: number) => number | Promise<number>
  /** Not timed, before each round. */
  readonly prepare?: () => void
}

export type SideRounds = { readonly ns: number[]; readonly answers: number[] }

/** Nanoseconds a thing of each side, round by round, in turn. */
export async function timeSides<Name extends string>(
  sides: Readonly<Record<Name, Side>>,
  rounds: number,
): Promise<Record<Name, SideRounds>> {
  const names = Object.keys(sides) as Name[]
  const results = await interleave(names, rounds, async (name, turn) => {
    const { count, work, prepare } = sides[name]
    prepare?.()
    const start = process.hrtime.bigint()
    const answer = await work(turn)
    return { ns: Number(process.hrtime.bigint() - start) / count, answer }
  })
  const entries = names.map((name) => {
    const measured = results[name]
    return [name, { ns: measured.map(({ ns }) => ns), answers: measured.map(({ answer }) => answer) }]
  })
  return Object.fromEntries(entries) as Record<Name, SideRounds>
}

export const NO_ANSWERS = 0x811c9dc5 | 0

/** FNV-1a over integers: two sides with the same answers in the same order have the same number. */
export function foldAnswer(answers: number, answer: number): number {
  return Math.imul(answers ^ answer, 0x01000193)
}

/** Throws unless both sides answered alike in every round. */
export function assertSame(what: string, one: SideRounds, other: SideRounds): void {
  const differs = one.answers.some((answer, turn) => answer !== other.answers[turn])
  if (differs || one.answers.length !== other.answers.length) throw new Error(`${what}: the sides answer differently.`)
}

/** Median and range, for a table. */
export function cell(ns: readonly number[]): string {
  return `${round(median(ns))} (${round(quantile(ns, 0))}-${round(quantile(ns, 1))})`
}
