import type { NumberStanding } from './report.ts'

/** What the network has counted of a caller since it first saw him (shm/activity.ts has these). */
export type CallHistory = {
  /** Distinct UTC days with an attempt. */
  readonly days: number
  readonly totalAnswered: number
  /** Answered, with a talk of a minute or more. */
  readonly totalLong: number
}

/**
 * A cheat changes his number within days (93 % of complained-about numbers are reported once), and few talk with him. So a
 * number is established when it has called on three days and been talked with (short calls alone are what robocalls have), or
 * when it has called on seven days and been answered seven times, whatever was said (couriers and clinics are brief). A number
 * of high volume has fourteen days and a thousand answered calls, or two hundred long ones.
 */
const TALKED = { days: 3, long: 3, longShare: 0.15 }
const LASTING = { days: 7, answered: 7 }
const HIGH_VOLUME = { days: 14, answered: 1_000, long: 200 }

/** How far a number's own calls speak for it. A number that calls in vain all the time stays unknown. */
export function standingFrom({ days, totalAnswered, totalLong }: CallHistory): NumberStanding {
  if (days >= HIGH_VOLUME.days && (totalAnswered >= HIGH_VOLUME.answered || totalLong >= HIGH_VOLUME.long)) {
    return 'high-volume'
  }
  const isTalkedWith = days >= TALKED.days && totalLong >= TALKED.long && totalLong >= TALKED.longShare * totalAnswered
  const isLasting = days >= LASTING.days && totalAnswered >= LASTING.answered
  return isTalkedWith || isLasting ? 'established' : 'unknown'
}
