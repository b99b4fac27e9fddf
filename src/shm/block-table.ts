/**
 * Harm in the blocks around reported numbers (domain/number-block.ts), for all threads of a process.
 *
 * ```
 *   key ─▶ window of 16 entries, 32 bytes each, two to a cache line:
 *          ┌ key f64 │ stamp u32 │ minute u32 │ harm f32 x 4 ingress kinds ┐     key = block x 4 + level
 *          filter: 2 bits for every entry, the bit of a key is set when a block of 1,000 is written
 * ```
 * A hash table whose entries never move and never become empty again: a look-up walks from its home until it finds the key,
 * an empty entry or the window's end. Harm is kept relative to the start of a half-life period, chosen when the table is
 * made, so nothing ages by being touched and entries of all ages can be compared as they stand. f32 reaches 126 half-lives
 * to both sides of the start, which is ten years.
 *
 * The trade: a full window gives up its weakest entry for a stronger one, or does not take the new one. Smaller blocks are
 * never stronger than the block they lie in, so they go first; what is lost is evidence, counted in the head. A reported number
 * takes 2.6 entries where most are of pools (200,979 complained-about callers) and nearly 4 where each lies alone; a table half
 * full has lost one entry in 2,600.
 *
 * Most calls come from blocks nobody is reported in: the filter tells that from a part of memory 128 times smaller than the
 * entries, which stays in a cache. Its bits are never cleared; a stale one costs a look-up.
 *
 * One writer, the process's main thread (block-table-writer.ts). Readers take no lock: an entry's stamp is odd while it is written, and they look at
 * it before and after. An entry that is being written three times in a row reads as absent.
 */
import {
  BLOCK_EVIDENCE_LENGTH,
  BLOCK_SIZES,
  blockStrength,
  hasBlocks,
  LEVEL_HUNDRED,
  LEVEL_TEN,
  LEVEL_TEN_THOUSAND,
  LEVEL_THOUSAND,
  OWN_GOOD,
  OWN_HARM,
  periodOf,
  weightAt,
} from '../domain/number-block.ts'
import { decayedGood, decayedHarm } from '../domain/reputation.ts'
import { mixNumber } from './hash.ts'
import {
  assertCapacity,
  createRegion,
  HEADER_BYTES,
  magicOf,
  openRegion,
  powerOfTwoAtLeast,
  type RegionFormat,
} from './layout.ts'

/** 2^26 entries are 2 GB: room for 27 million reported numbers. */
export const BLOCK_TABLE_CAPACITY_MAX = 2 ** 26

const ENTRY_BYTES = 32
/** Layout of an entry, which the writer shares. */
export const ENTRY_WORDS = ENTRY_BYTES / 4
export const ENTRY_DOUBLES = ENTRY_BYTES / 8
export const STAMP = 2
export const MINUTE = 3
export const HARM = 4

/** Entries from its home on that may hold a key. */
export const WINDOW = 16
const FILTER_BITS_PER_ENTRY = 2
/** A write takes some 20 ns: who meets three in a row may as well have come before the first. */
const READ_ATTEMPTS_MAX = 3
export const MINUTE_MS = 60_000

// What `asked` holds.
const NUMBER = 0
const MOMENT = 1
const SCALE = 2

/** Head words, the last two counted by the writer. */
const BASE_WORD = 3
export const ENTRIES_WORD = 4
export const LOST_WORD = 5

const FORMAT: RegionFormat = {
  name: 'block table',
  magic: magicOf('ZBLK'),
  version: 1,
  regionBytes: (capacity) => HEADER_BYTES + capacity * ENTRY_BYTES + (capacity * FILTER_BITS_PER_ENTRY) / 8,
}

export type BlockTable = {
  readonly header: Uint32Array
  readonly words: Uint32Array
  readonly harm: Float32Array
  /** Every ENTRY_DOUBLES-th is a key. */
  readonly keys: Float64Array
  readonly mask: number
  readonly filter: Uint32Array
  readonly filterMask: number
  /** The period that harm is relative to. */
  readonly base: number
  /** This thread's own: what the strength is computed from. */
  readonly evidence: Float64Array
  /** This thread's own, so that no double is handed from function to function: number asked for, moment and its scale. */
  readonly asked: Float64Array
}

/** A table of `capacity` entries, rounded up to a power of two (at least 16): 32.25 bytes each. `nowMs` is when it is made. */
export function createBlockTable(capacity: number, nowMs: number): SharedArrayBuffer {
  assertCapacity('block table', capacity, BLOCK_TABLE_CAPACITY_MAX)
  const memory = createRegion(FORMAT, powerOfTwoAtLeast(Math.max(WINDOW, capacity)))
  new Uint32Array(memory)[BASE_WORD] = Math.max(0, periodOf(nowMs))
  return memory
}

/** Throws SNAPSHOT_FORMAT when the memory holds something else. */
export function openBlockTable(memory: SharedArrayBuffer): BlockTable {
  const capacity = openRegion(FORMAT, memory)
  const header = new Uint32Array(memory, 0, HEADER_BYTES / 4)
  return {
    header,
    words: new Uint32Array(memory, HEADER_BYTES, capacity * ENTRY_WORDS),
    harm: new Float32Array(memory, HEADER_BYTES, capacity * ENTRY_WORDS),
    keys: new Float64Array(memory, HEADER_BYTES, capacity * ENTRY_DOUBLES),
    mask: capacity - 1,
    filter: new Uint32Array(memory, HEADER_BYTES + capacity * ENTRY_BYTES),
    filterMask: capacity * FILTER_BITS_PER_ENTRY - 1,
    base: header[BASE_WORD]!,
    evidence: new Float64Array(BLOCK_EVIDENCE_LENGTH),
    asked: Float64Array.of(0, Number.NaN, 0),
  }
}

/** For metrics: entries taken, and blocks that found no room or had to make it. */
export function blockTableLoad({ header, mask }: BlockTable): { entries: number; capacity: number; lost: number } {
  return { entries: header[ENTRIES_WORD]!, capacity: mask + 1, lost: header[LOST_WORD]! }
}

/**
 * How strongly the blocks of `number` and its own reputation `record` (undefined: it has none) speak against a call of one
 * ingress kind (INGRESS_KINDS index): thousandths, 0 for nothing. Any thread may ask. A block of 1,000 numbers without a
 * reported one is one look-up; a clock set back makes evidence fresh, never stronger. No allocation.
 */
export function blockHarm(
  table: BlockTable,
  number: number,
  ingress: number,
  nowMs: number,
  record?: DataView | undefined,
): number {
  if (!hasBlocks(number)) return 0
  const { evidence, asked } = table
  asked[NUMBER] = number
  const minute = readHarm(table, LEVEL_THOUSAND, ingress)
  if (minute < 0 && record === undefined) return 0
  evidence[LEVEL_TEN] = 0
  evidence[LEVEL_HUNDRED] = 0
  evidence[LEVEL_TEN_THOUSAND] = 0
  evidence[OWN_HARM] = 0
  evidence[OWN_GOOD] = 0
  if (record !== undefined) {
    evidence[OWN_HARM] = decayedHarm(record, ingress, nowMs)
    evidence[OWN_GOOD] = decayedGood(record, ingress, nowMs)
  }
  if (minute >= 0) {
    readHarm(table, LEVEL_TEN, ingress)
    readHarm(table, LEVEL_HUNDRED, ingress)
    readHarm(table, LEVEL_TEN_THOUSAND, ingress)
    scaleEvidence(table, Math.max(nowMs, minute * MINUTE_MS))
  }
  return blockStrength(evidence, number)
}

/** Loads what blockHarm looks at first into the cache; what it returns means nothing. */
export function fetchBlocks({ filter, filterMask, keys, mask }: BlockTable, number: number): number {
  const key = Math.floor(number / 1_000) * 4 + LEVEL_THOUSAND
  const home = mixNumber(key)
  const bit = home & filterMask
  const seen = filter[bit >>> 5]! & (1 << (bit & 31))
  if (seen === 0) return 0
  return (
    seen ^
    keys[(home & mask) * ENTRY_DOUBLES]! ^
    fetchEntry(keys, mask, number, LEVEL_TEN) ^
    fetchEntry(keys, mask, number, LEVEL_HUNDRED) ^
    fetchEntry(keys, mask, number, LEVEL_TEN_THOUSAND)
  )
}

function fetchEntry(keys: Float64Array, mask: number, number: number, level: number): number {
  const home = mixNumber(Math.floor(number / BLOCK_SIZES[level]!) * 4 + level)
  return keys[(home & mask) * ENTRY_DOUBLES]!
}

/** Decays what was read to nowMs. Two powers of two cost more than all the rest, and many calls come in one millisecond. */
function scaleEvidence({ evidence, asked, base }: BlockTable, nowMs: number): void {
  if (asked[MOMENT] !== nowMs) {
    asked[MOMENT] = nowMs
    asked[SCALE] = 1 / weightAt(nowMs, base)
  }
  const scale = asked[SCALE]!
  // A number counts less than one: more than its numbers a block has only when a clock jumped.
  evidence[LEVEL_TEN] = Math.min(10, evidence[LEVEL_TEN]! * scale)
  evidence[LEVEL_HUNDRED] = Math.min(100, evidence[LEVEL_HUNDRED]! * scale)
  evidence[LEVEL_THOUSAND] = Math.min(1_000, evidence[LEVEL_THOUSAND]! * scale)
  evidence[LEVEL_TEN_THOUSAND] = Math.min(10_000, evidence[LEVEL_TEN_THOUSAND]! * scale)
}

/**
 * Reads the undecayed harm of a block of the number asked for into table.evidence. Returns the minute of the newest report
 * (kept for blocks of 1,000, 0 for others), or -1 and harm 0 when the table does not have the block.
 */
function readHarm(table: BlockTable, level: number, ingress: number): number {
  const { words, keys, mask } = table
  const key = Math.floor(table.asked[NUMBER]! / BLOCK_SIZES[level]!) * 4 + level
  const home = mixNumber(key)
  table.evidence[level] = 0
  if (level === LEVEL_THOUSAND) {
    const bit = home & table.filterMask
    if ((table.filter[bit >>> 5]! & (1 << (bit & 31))) === 0) return -1
  }
  for (let step = 0; step < WINDOW; step++) {
    const entry = (home + step) & mask
    const found = keys[entry * ENTRY_DOUBLES]!
    if (found === 0) return -1
    if (found !== key) continue
    for (let attempt = 0; attempt < READ_ATTEMPTS_MAX; attempt++) {
      // Pairs with the last store in writeEntry (block-table-writer.ts): key, minute and harm of this stamp are visible.
      const stamp = Atomics.load(words, entry * ENTRY_WORDS + STAMP)
      if ((stamp & 1) !== 0) continue
      const isSame = keys[entry * ENTRY_DOUBLES] === key
      const minute = words[entry * ENTRY_WORDS + MINUTE]!
      const harm = table.harm[entry * ENTRY_WORDS + HARM + ingress]!
      // Pairs with the first store in writeEntry: unchanged, so all three belong together.
      if (Atomics.load(words, entry * ENTRY_WORDS + STAMP) !== stamp) continue
      if (!isSame) return -1 // its place was given to another block
      table.evidence[level] = harm
      return minute
    }
    return -1
  }
  return -1
}
