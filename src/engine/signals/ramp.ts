import { STRENGTH_FULL } from '../../domain/signal.ts'

/** Strength that grows in a straight line from nothing at `from` to full at `to`; `to` above `from`. No allocation. */
export function ramp(value: number, from: number, to: number): number {
  if (value <= from) return 0
  if (value >= to) return STRENGTH_FULL
  return Math.floor((STRENGTH_FULL * (value - from)) / (to - from))
}
