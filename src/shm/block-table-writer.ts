import {
  BLOCK_SIZES,
  HUNDREDS_AT,
  LEVEL_HUNDRED,
  LEVEL_TEN,
  LEVEL_TEN_THOUSAND,
  LEVEL_THOUSAND,
  TENS_AT,
  THOUSAND_AT,
  type ThousandSums,
} from '../domain/number-block.ts'
import { KINDS } from '../domain/reputation-record.ts'
import {
  type BlockTable,
  ENTRIES_WORD,
  ENTRY_DOUBLES,
  ENTRY_WORDS,
  HARM,
  LOST_WORD,
  MINUTE,
  MINUTE_MS,
  STAMP,
  WINDOW,
} from './block-table.ts'
import { mixNumber } from './hash.ts'

/** The writer of a block table (block-table.ts): one thread of the process, and no other. */

function keyOf(number: number, level: number): number {
  return Math.floor(number / BLOCK_SIZES[level]!) * 4 + level
}

/** Index of the entry that has the key, or -1. Of the writer: readers have readHarm. */
function findEntry({ keys, mask }: BlockTable, key: number): number {
  const home = mixNumber(key) & mask
  for (let step = 0; step < WINDOW; step++) {
    const entry = (home + step) & mask
    const found = keys[entry * ENTRY_DOUBLES]!
    if (found === key) return entry
    if (found === 0) return -1
  }
  return -1
}

/**
 * Takes over all sums of the block of 1,000 numbers that begins at `first`, with the blocks in it, and sums up the 10,000
 * around it anew. Only the writer may call it. `thousand` is relative to table.base. Entries without harm are not made.
 */
export function writeThousand(table: BlockTable, first: number, { sums, newestMs }: ThousandSums): void {
  // Without the block, none in it is there to be cleared.
  const isKnown = findEntry(table, keyOf(first, LEVEL_THOUSAND)) >= 0
  // The 1,000 last: until it is there, no reader looks further.
  for (let i = 0; i < 100; i++) {
    const at = TENS_AT + i * KINDS
    if (isKnown || sums[at]! > 0) writeBlock(table, keyOf(first + i * 10, LEVEL_TEN), sums, at, 0)
  }
  for (let i = 0; i < 10; i++) {
    const at = HUNDREDS_AT + i * KINDS
    if (isKnown || sums[at]! > 0) writeBlock(table, keyOf(first + i * 100, LEVEL_HUNDRED), sums, at, 0)
  }
  const minute = Math.max(0, Math.min(0xffff_ffff, Math.floor(newestMs / MINUTE_MS)))
  writeBlock(table, keyOf(first, LEVEL_THOUSAND), sums, THOUSAND_AT, minute)
  writeTenThousand(table, first)
}

function writeTenThousand(table: BlockTable, number: number): void {
  const first = Math.floor(number / 10_000) * 10_000
  const sums = new Float64Array(KINDS)
  for (let i = 0; i < 10; i++) {
    const entry = findEntry(table, keyOf(first + i * 1_000, LEVEL_THOUSAND))
    if (entry < 0) continue
    for (let kind = 0; kind < KINDS; kind++) sums[kind] = sums[kind]! + table.harm[entry * ENTRY_WORDS + HARM + kind]!
  }
  writeBlock(table, keyOf(first, LEVEL_TEN_THOUSAND), sums, 0, 0)
}

function writeBlock(table: BlockTable, key: number, sums: Float64Array, at: number, minute: number): void {
  const known = findEntry(table, key)
  // The unknown ingress kind has the harm of all: without it there is none.
  const total = Math.fround(sums[at]!)
  if (known < 0 && total === 0) return
  const entry = known >= 0 ? known : roomFor(table, key, total)
  if (entry >= 0) writeEntry(table, entry, key, sums, at, minute)
}

/** An empty entry of the key's window, else the weakest when it is weaker than `total`, else -1. */
function roomFor(table: BlockTable, key: number, total: number): number {
  const { header, keys, harm, mask } = table
  const home = mixNumber(key) & mask
  let weakest = -1
  let least = total
  for (let step = 0; step < WINDOW; step++) {
    const entry = (home + step) & mask
    if (keys[entry * ENTRY_DOUBLES] === 0) {
      header[ENTRIES_WORD] = header[ENTRIES_WORD]! + 1
      return entry
    }
    const strength = harm[entry * ENTRY_WORDS + HARM]!
    if (strength < least) {
      weakest = entry
      least = strength
    }
  }
  header[LOST_WORD] = header[LOST_WORD]! + 1
  return weakest
}

function writeEntry(
  table: BlockTable,
  entry: number,
  key: number,
  sums: Float64Array,
  at: number,
  minute: number,
): void {
  const { words, harm } = table
  const stampAt = entry * ENTRY_WORDS + STAMP
  const stamp = words[stampAt]!
  // Pairs with the second load in readHarm: a reader of what was here sees the stamp go first.
  Atomics.store(words, stampAt, stamp + 1)
  table.keys[entry * ENTRY_DOUBLES] = key
  words[entry * ENTRY_WORDS + MINUTE] = minute
  for (let kind = 0; kind < KINDS; kind++) harm[entry * ENTRY_WORDS + HARM + kind] = sums[at + kind]!
  // Pairs with the first load in readHarm: key, minute and harm are visible before the stamp is even again.
  Atomics.store(words, stampAt, stamp + 2)
}
