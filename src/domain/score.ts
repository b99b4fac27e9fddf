/**
 * From contributions to one number, 0-100.
 *
 * Each piece of harm is a chance p = points/100 that the call is bad, taken as independent of the others: the chance
 * that at least one is right is 1 - (1 - p1)(1 - p2)..., the noisy-or (Pearl, "Probabilistic Reasoning in Intelligent
 * Systems", 1988). It never falls when harm is added and never passes 100, without a sum to clip. Good evidence then
 * takes its share of the result away. The score is rounded down: a threshold counts as reached only when it is.
 */

/** Above this a fraction of 79.9999999999 is a rounding error of 80, not less than 80. */
const ROUNDING = 1e-9

/**
 * The score of these contributions: points, positive for harm, negative for good evidence, 0 for nothing. Bit i of
 * `onlyFlags` marks contribution i as one that may lift the score up to blockAt - 1, not over it; bit i of `among`, that
 * contribution i counts at all. No allocation.
 */
export function scoreOf(contributions: Float64Array, onlyFlags: number, blockAt: number, among = -1): number {
  let harmless = 1
  let harmlessIfFirm = 1
  let kept = 1
  for (let rest = among; rest !== 0; rest &= rest - 1) {
    const index = 31 - Math.clz32(rest & -rest)
    const points = contributions[index] ?? 0
    if (points < 0) kept *= 1 + points / 100
    if (points <= 0) continue
    harmless *= 1 - points / 100
    if (((onlyFlags >>> index) & 1) === 0) harmlessIfFirm *= 1 - points / 100
  }
  const score = Math.floor((1 - harmless) * kept * 100 + ROUNDING)
  const firmScore = Math.floor((1 - harmlessIfFirm) * kept * 100 + ROUNDING)
  return firmScore < blockAt ? Math.min(score, blockAt - 1) : score
}
