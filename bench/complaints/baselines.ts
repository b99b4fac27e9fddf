/** What is compared with: lists of numbers, and blocks that are bad as a whole from so many bad numbers on. */
export type Baseline = {
  readonly name: string
  /** Share of complaints whose caller it had before the complaint. */
  readonly recall: number
  /** Share of business numbers it has at the end. */
  readonly falsePositiveShare: number
}

/** Distinct bad numbers that make a block bad. */
const BLOCK_NUMBERS_MIN = 3
const BLOCK_SIZES = [10, 100, 1_000] as const

export function baselinesOf(
  train: readonly number[],
  test: readonly number[],
  benign: readonly number[],
): readonly Baseline[] {
  const shareOf = (numbers: readonly number[], has: (number: number) => boolean) =>
    numbers.filter((number) => has(number)).length / numbers.length

  const batch = new Set(train)
  const inBatch = (number: number) => batch.has(number)
  const results: Baseline[] = [
    {
      name: 'exact list, training file only',
      recall: shareOf(test, inBatch),
      falsePositiveShare: shareOf(benign, inBatch),
    },
  ]

  const known = new Set(train)
  const inKnown = (number: number) => {
    const is = known.has(number)
    known.add(number)
    return is
  }
  const recall = shareOf(test, inKnown)
  results.push({
    name: 'exact list, at once',
    recall,
    falsePositiveShare: shareOf(benign, (number) => known.has(number)),
  })

  for (const size of BLOCK_SIZES) {
    const blocks = new Map<number, Set<number>>()
    const add = (number: number) => {
      const block = Math.floor(number / size)
      const numbers = blocks.get(block) ?? new Set()
      blocks.set(block, numbers.add(number))
    }
    const isBad = (number: number) => (blocks.get(Math.floor(number / size))?.size ?? 0) >= BLOCK_NUMBERS_MIN
    for (const number of train) add(number)
    const caught = shareOf(test, (number) => {
      const is = isBad(number)
      add(number)
      return is
    })
    results.push({
      name: `blocks of ${size.toLocaleString('en')} with ${BLOCK_NUMBERS_MIN} bad numbers, at once`,
      recall: caught,
      falsePositiveShare: shareOf(benign, isBad),
    })
  }
  return results
}
