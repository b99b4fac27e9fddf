/**
 * Logistic regression with the sign of every weight given: accelerated projected gradient (Beck and Teboulle, "A fast
 * iterative shrinkage-thresholding algorithm", SIAM J. Imaging Sciences 2(1), 2009) on the weighted log loss with a small
 * ridge, and a lasso that leaves out what hardly matters. Deterministic: no sampling, the same rows give the same weights.
 */

export type LabelledRows = {
  /** Rows x columns, row by row. */
  readonly features: Int16Array
  readonly columns: number
  /** 1 fraud, 0 not. */
  readonly labels: Uint8Array
  /** How much each row counts. */
  readonly rowWeights: Float64Array
}

export type LogisticFit = { readonly bias: number; readonly weights: Float64Array; readonly loss: number }

export type LogisticOptions = {
  /** By column: 1 the weight must not be negative, -1 not positive. */
  readonly signs: Int8Array
  readonly ridge: number
  /** Taken off the size of every weight; only for weights with a sign. Default 0. */
  readonly lasso?: number
  /** The bias is not above this; default: any. */
  readonly biasMax?: number
  readonly rounds: number
  /** Features are divided by this. */
  readonly unit: number
  readonly onRound?: (round: number, loss: number) => void
}

export function fitLogistic(rows: LabelledRows, options: LogisticOptions): LogisticFit {
  const { columns, labels, rowWeights } = rows
  const scales = columnScales(rows, options.unit)
  const size = columns + 1 // the bias comes last and has no sign
  let current = new Float64Array(size)
  const ahead = new Float64Array(size)
  const gradient = new Float64Array(size)
  const total = rowWeights.reduce((sum, weight) => sum + weight, 0)
  // With columns scaled to unit mean square, the log loss is smooth with at most a quarter of their number (and the bias).
  const step = 1 / ((columns + 1) / 4 + options.ridge)
  let momentum = 1
  let loss = Number.POSITIVE_INFINITY

  for (let round = 0; round < options.rounds; round++) {
    loss = lossAndGradient(rows, scales, ahead, gradient, total)
    const next = new Float64Array(size)
    for (let index = 0; index < size; index++) {
      const ridge = index < columns ? options.ridge * (ahead[index] ?? 0) : 0
      let value = (ahead[index] ?? 0) - step * ((gradient[index] ?? 0) + ridge)
      const sign = index < columns ? (options.signs[index] ?? 0) : 0
      value -= step * sign * (options.lasso ?? 0)
      if (sign !== 0 && value * sign < 0) value = 0
      if (index === columns) value = Math.min(value, options.biasMax ?? Number.POSITIVE_INFINITY)
      next[index] = value
    }
    const nextMomentum = (1 + Math.sqrt(1 + 4 * momentum * momentum)) / 2
    const push = (momentum - 1) / nextMomentum
    for (let index = 0; index < size; index++)
      ahead[index] = (next[index] ?? 0) + push * ((next[index] ?? 0) - (current[index] ?? 0))
    current = next
    momentum = nextMomentum
    options.onRound?.(round, loss)
  }
  if (labels.length === 0) return { bias: 0, weights: new Float64Array(columns), loss: 0 }
  const weights = Float64Array.from({ length: columns }, (_, index) => (current[index] ?? 0) * (scales[index] ?? 0))
  return { bias: current[columns] ?? 0, weights, loss }
}

/** By column, what features are multiplied with: their root mean square becomes 1. */
function columnScales({ features, columns, rowWeights }: LabelledRows, unit: number): Float64Array {
  const squares = new Float64Array(columns)
  let total = 0
  for (let row = 0; row < rowWeights.length; row++) {
    const weight = rowWeights[row] ?? 0
    total += weight
    for (let column = 0; column < columns; column++) {
      const value = (features[row * columns + column] ?? 0) / unit
      squares[column] = (squares[column] ?? 0) + weight * value * value
    }
  }
  return squares.map((sum) => (sum === 0 ? 0 : 1 / Math.sqrt(sum / total))).map((scale) => scale / unit)
}

function lossAndGradient(
  rows: LabelledRows,
  scales: Float64Array,
  weights: Float64Array,
  gradient: Float64Array,
  total: number,
): number {
  const { features, columns, labels, rowWeights } = rows
  const scaled = Float64Array.from({ length: columns }, (_, column) => (weights[column] ?? 0) * (scales[column] ?? 0))
  const bias = weights[columns] ?? 0
  gradient.fill(0)
  let loss = 0
  for (let row = 0; row < labels.length; row++) {
    const at = row * columns
    let logit = bias
    for (let column = 0; column < columns; column++)
      logit += (scaled[column] as number) * (features[at + column] as number)
    const weight = rowWeights[row] as number
    const label = labels[row] as number
    const chance = 1 / (1 + Math.exp(-logit))
    // log(1 + e^x) without overflow.
    loss += weight * (Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - label * logit)
    const error = weight * (chance - label)
    if (error === 0) continue
    for (let column = 0; column < columns; column++)
      gradient[column] = (gradient[column] as number) + error * (features[at + column] as number)
    gradient[columns] = (gradient[columns] as number) + error
  }
  for (let column = 0; column < columns; column++)
    gradient[column] = ((gradient[column] as number) * (scales[column] as number)) / total
  gradient[columns] = (gradient[columns] as number) / total
  return loss / total
}
