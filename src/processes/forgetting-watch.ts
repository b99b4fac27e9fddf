import { PAST_MS } from '../engine/behaviour.ts'
import { type Activity, forgottenUntil } from '../shm/activity.ts'

export type ForgettingWatchDependencies = {
  readonly activity: Activity
  readonly now: () => number
  readonly log: { warn(fields: object, text: string): void }
}

const DAY_MS = 86_400_000
const TOO_SMALL =
  'the activity table is too small: callers of the last two days are forgotten, and strangers are not told from them; ' +
  'raise verdict.activeNumbers'

/** Says once a day that numbers are forgotten which were seen within the days that tell a stranger from others (PAST_MS). */
export function createForgettingWatch(
  { activeNumbers }: { readonly activeNumbers: number },
  { activity, now, log }: ForgettingWatchDependencies,
): { look(): void } {
  let saidDay = 0
  return {
    look() {
      const rememberedMs = now() - forgottenUntil(activity, now())
      const day = Math.floor(now() / DAY_MS)
      if (rememberedMs >= PAST_MS || day === saidDay) return
      saidDay = day
      log.warn({ activeNumbers, rememberedHours: Math.max(0, Math.floor(rememberedMs / 3_600_000)) }, TOO_SMALL)
    },
  }
}
