/** Where a new key goes: an empty way of its set, or that of the key longest not seen. */
import {
  ACTIVITY_HEAD_WORDS,
  type Activity,
  BLOCK,
  BORN,
  DAYS_SHIFT,
  FIRST,
  ID_HIGH,
  ID_LOW,
  LAST,
  LAST_OTHER,
  LONG_LISTED,
  lineOf,
  type Row,
  TOTALS,
  WAYS,
} from './activity-layout.ts'
import { releaseBlock } from './activity-pool.ts'
import { entryOf, wayToGive } from './activity-table.ts'

/**
 * A head for the row, which findHead did not find, first seen now: an empty way or that of the key longest not seen, to the
 * second, else a flood of new keys would push out the very caller who makes it.
 */
export function insertHead(activity: Activity, row: Row, seconds: number): number {
  const { words } = activity
  const line = lineOf(row.set)
  const way = wayToGive(words, line, seconds)
  const head = line + way * ACTIVITY_HEAD_WORDS
  if (words[line + way] !== 0) releaseBlock(activity, head)
  if (words[BORN] === 0) words[BORN] = seconds
  words[line + way] = entryOf(row.tag, seconds)
  words[head + ID_LOW] = row.low
  words[head + ID_HIGH] = row.high | (1 << DAYS_SHIFT)
  words[head + FIRST] = seconds
  words[head + LAST] = seconds
  words[head + TOTALS] = 0
  words[head + LONG_LISTED] = 0
  words[head + LAST_OTHER] = 0
  words[head + BLOCK] = 0
  return head
}

/**
 * A place for the row, last seen at `seconds`, from a snapshot: an empty way, or that of a key not seen for longer
 * still; 0 when there is none. Its head is another's until the caller has written it.
 */
export function placeHead(activity: Activity, { set, tag }: Row, seconds: number): number {
  const { words } = activity
  let chosen = -1
  let oldest = seconds
  for (let way = 0; way < WAYS; way++) {
    const isEmpty = words[lineOf(set) + 1 + way] === 0
    const last = isEmpty ? -1 : words[lineOf(set) + (way + 1) * ACTIVITY_HEAD_WORDS + LAST]! >>> 0
    if (last >= oldest) continue
    oldest = last
    chosen = way
    if (isEmpty) break
  }
  if (chosen < 0) return 0
  const head = lineOf(set) + (chosen + 1) * ACTIVITY_HEAD_WORDS
  if (words[lineOf(set) + 1 + chosen] !== 0) releaseBlock(activity, head)
  words[lineOf(set) + 1 + chosen] = entryOf(tag, seconds)
  return head
}
