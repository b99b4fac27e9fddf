/**
 * Kinds of benign calls, each counted by itself: a world of friends alone would be an easy one. `call-back` is a
 * subscriber who rings back a number that called, `to-business` one who rings a business.
 */
export const BENIGN_KINDS = [
  'friends',
  'strangers',
  'friends-one-ring',
  'roaming',
  'ported',
  'foreign-friends',
  'forwarded',
  'withheld',
  'call-back',
  'to-business',
  'new-sim',
  'call-centre',
  'courier',
  'taxi',
  'clinic',
  'bank-reminder',
  'bank-agents',
  'school',
  'staff-announcement',
  'pbx-block',
  'callback-service',
  'poll',
] as const
export type BenignKind = (typeof BENIGN_KINDS)[number]

export function kindIndex(kind: BenignKind): number {
  return BENIGN_KINDS.indexOf(kind)
}
