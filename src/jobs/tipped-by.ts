import { SIGNAL_NAMES, type SignalName } from '../domain/policy.ts'
import type { ReasonCode } from '../domain/reason.ts'
import { SIGNAL_FACTS } from '../domain/signal.ts'

/** What of a candidate made a verdict another one; `thresholds`: the same points, other limits. */
export const TIPPING_CAUSES = [
  ...SIGNAL_NAMES,
  'emergency-callee',
  'service-callee',
  'allow-listed',
  'protected',
  'report-burst',
  'reports-contested',
  'thresholds',
] as const

export type TippedBy = {
  readonly cause: (typeof TIPPING_CAUSES)[number]
  /** Points it gave and would give; where no points decide, the score. */
  readonly before: number
  readonly after: number
}

/** One side of a comparison: a score and the reasons behind it. */
export type Weighed = {
  readonly score: number
  readonly reasons: readonly { readonly code: ReasonCode; readonly points: number }[]
}

/** Steps of the precedence that make a verdict milder without any points. */
const MILDER_STEPS = [
  'emergency-callee',
  'service-callee',
  'allow-listed',
  'protected',
  'report-burst',
  'reports-contested',
] as const

/**
 * A final step that is new names itself; else it is the signal whose points went furthest the way the verdict went.
 * `direction`: above 0 when the verdict became more severe.
 */
export function tippedBy(before: Weighed, after: Weighed, direction: number): TippedBy {
  const isNew = (code: ReasonCode) =>
    after.reasons.some((reason) => reason.code === code) && !before.reasons.some((reason) => reason.code === code)
  if (direction > 0 && isNew('listed')) return moveOf('deny-listed', before, after)
  const step = direction < 0 ? MILDER_STEPS.find(isNew) : undefined
  if (step !== undefined) return { cause: step, before: before.score, after: after.score }
  let tipped: TippedBy = { cause: 'thresholds', before: before.score, after: after.score }
  let furthest = 0
  for (const signal of SIGNAL_NAMES) {
    const move = moveOf(signal, before, after)
    const distance = (move.after - move.before) * Math.sign(direction)
    if (distance <= furthest) continue
    furthest = distance
    tipped = move
  }
  return tipped
}

function moveOf(signal: SignalName, before: Weighed, after: Weighed): TippedBy {
  const pointsIn = ({ reasons }: Weighed) =>
    reasons.find(({ code }) => code === SIGNAL_FACTS[signal].reason)?.points ?? 0
  return { cause: signal, before: pointsIn(before), after: pointsIn(after) }
}
