import { CONFIRMATIONS, INGRESS_KINDS } from '../../../src/domain/call-event.ts'
import type { CallPool } from '../call-pool.ts'
import type { Random } from '../random.ts'
import { KNOWLEDGE } from './parameters.ts'

const NATIONAL = INGRESS_KINDS.indexOf('national')
const INTERNATIONAL = INGRESS_KINDS.indexOf('international')
const CONFIRMED = CONFIRMATIONS.indexOf('confirmed')
const DENIED = CONFIRMATIONS.indexOf('denied')

/** Numbers of the home country: +7 and no 6 or 7 (Kazakhstan) behind it. */
export function isHome(number: number): boolean {
  const lead = Math.floor(number / 1e9)
  return number < 1e11 && number >= 7e10 && lead !== 76 && lead !== 77
}

/**
 * Fills in what the operators asked would say about the caller, where they are asked and answer at all. `isGenuine`: the
 * subscriber himself is calling; otherwise his number is borrowed.
 */
export function drawKnowledge(random: Random, pool: CallPool, slot: number, isGenuine: boolean, isOwn: boolean): void {
  const asked = random.unit()
  const wrong = random.unit()
  if (!isHome(pool.caller[slot]!)) return
  if (pool.ingress[slot] === INTERNATIONAL) {
    if (asked >= (isOwn ? KNOWLEDGE.roamingOwn : KNOWLEDGE.roamingOther)) return
    pool.roaming[slot] = isGenuine && wrong >= KNOWLEDGE.roamingWrong ? CONFIRMED : DENIED
  } else if (pool.ingress[slot] === NATIONAL) {
    if (asked >= KNOWLEDGE.originating) return
    pool.originating[slot] = isGenuine && wrong >= KNOWLEDGE.originatingWrong ? CONFIRMED : DENIED
  }
}
