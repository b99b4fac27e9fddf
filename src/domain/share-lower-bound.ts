/** The normal quantile of one-sided 95 %: the true share is at least the bound with that confidence. */
const Z = 1.645
const ZZ = Z * Z

/**
 * Lower confidence bound (one-sided 95 %) on the share of harm in n = harm + good pieces of evidence, 0..1: the Wilson
 * score bound (E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927).
 * One report alone gives 0.27, three 0.53, ten 0.79: the more is known, the closer to the plain share. It grows with
 * harm and falls with good evidence.
 */
export function shareLowerBound(harm: number, good: number): number {
  const n = harm + good
  if (n <= 0) return 0
  const share = harm / n
  const spread = Z * Math.sqrt((share * (1 - share)) / n + ZZ / (4 * n * n))
  return Math.max(0, (share + ZZ / (2 * n) - spread) / (1 + ZZ / n))
}
