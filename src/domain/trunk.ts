import type { IngressKind } from './call-event.ts'

/** What calls of a trunk get: the verdict as it is, allow with the verdict only logged, or no screening at all. */
export const SCREENING_MODES = ['enforce', 'shadow', 'off'] as const
export type ScreeningMode = (typeof SCREENING_MODES)[number]

/** What a trunk gets when we cannot decide in time. `open` (default) allows; `closed` blocks. */
export const FAIL_MODES = ['open', 'closed'] as const
export type FailMode = (typeof FAIL_MODES)[number]

/** A known trunk: fills what the switch leaves out. Configured in zaslon.yaml under `trunks`. */
export type Trunk = {
  readonly name: string
  readonly kind: IngressKind
  readonly screening: ScreeningMode
  readonly failMode: FailMode
}

/** Trunk 0 of every registry: what a call without a trunk, or with one that is not registered, comes in by. */
export const UNKNOWN_TRUNK: Trunk = { name: '', kind: 'unknown', screening: 'enforce', failMode: 'open' }
