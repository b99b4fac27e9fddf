/** How often each side of a comparison is measured in a full run. */
export const ROUNDS = 7

/**
 * Measures sides in turn, forth and back (A B B A A B …), so that a machine that gets slower or faster meanwhile does so for all
 * of them. One run of each before goes uncounted: it warms up, unless all of them are warm. Returns the results of each side,
 * round by round.
 */
export async function interleave<Side extends string, Result>(
  sides: readonly Side[],
  rounds: number,
  run: (side: Side, round: number) => Promise<Result> | Result,
  { isWarm = false }: { readonly isWarm?: boolean } = {},
): Promise<Record<Side, Result[]>> {
  const results = Object.fromEntries(sides.map((side) => [side, [] as Result[]])) as Record<Side, Result[]>
  for (let round = isWarm ? 0 : -1; round < rounds; round++) {
    const order = round % 2 === 0 ? sides : [...sides].reverse()
    for (const side of order) {
      const result = await run(side, round)
      if (round >= 0) results[side].push(result)
    }
  }
  return results
}

/** Round by round one side to the other. */
export function ratios(above: readonly number[], below: readonly number[]): number[] {
  return above.map((value, round) => value / (below[round] ?? Number.NaN))
}
