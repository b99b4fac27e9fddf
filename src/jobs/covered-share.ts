import { callingCodeLength, POWERS_OF_TEN } from '../domain/numbering-plan.ts'
import { numberLength } from '../domain/parse-phone-number.ts'
import { isShortCode, type PhoneNumber } from '../domain/phone-number.ts'
import type { EntryRows } from './entry-rows.ts'

/** How many numbers share the calling code and the length of this one; short codes are a group of their own. */
function groupSize(number: PhoneNumber): number {
  const digits = numberLength(number)
  const codeDigits = isShortCode(number) ? 0 : callingCodeLength(number, digits)
  return POWERS_OF_TEN[digits - codeDigits] ?? 1
}

/** Identifies calling code and length: equal for numbers of one group. */
function groupKey(number: PhoneNumber): number {
  const digits = numberLength(number)
  const scale = groupSize(number)
  return Math.floor(number / scale) * 100 + digits
}

/** Share (0..1, more when the range leaves its calling code) of the numbers of its group that a range covers. */
export function coveredShare(from: PhoneNumber, to: PhoneNumber): number {
  return (to - from + 1) / groupSize(from)
}

/** The largest share of any group that these ranges (ascending by `from`) cover together, overlaps counted once. */
export function largestCoveredShare(ranges: EntryRows): number {
  const covered = new Map<number, { count: number; size: number }>()
  let reached = 0
  for (let i = 0; i < ranges.from.length; i++) {
    const from = Math.max(ranges.from[i] as number, reached)
    const to = ranges.to[i] as number
    if (to < from) continue
    reached = to + 1
    const first = ranges.from[i] as PhoneNumber
    const group = covered.get(groupKey(first)) ?? { count: 0, size: groupSize(first) }
    group.count += to - from + 1
    covered.set(groupKey(first), group)
  }
  return Math.max(0, ...Array.from(covered.values(), ({ count, size }) => count / size))
}
