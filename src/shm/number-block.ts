/**
 * Up to 1,024 ascending differences below 2^32 in few bits (Elias, "Efficient storage and retrieval by content and address of static
 * files", 1974; Fano, 1971): the low bits of each lie side by side, the high bits are counted out in unary.
 *
 * ```
 *   head    low bits of each · highest high part · count                                         one word
 *   marks   after how many bits of `highs` 64, 128, … high parts are passed                      two in a word
 *   highs   for each high part from 0 on: a 1 for every number that has it, then a 0
 *   lows    the low bits of number 0, 1, …
 * ```
 * So the number with high part h follow the h-th 0 of `highs`: the mark says where to begin to count them. As many low bits are taken as
 * make three high parts for two numbers or fewer, where one more low bit costs what it saves.
 */

/** Most blocks of a large list are full: 0.7 KiB for one number in ten, 1.1 KiB for one in a hundred. */
export const BLOCK_NUMBERS = 1_024
export const BLOCK_SPAN = 2 ** 32

/**
 * Words that a block may take beyond one for each of its n numbers: one for the head, and one begun each for marks, highs and
 * lows. These have 3n / 128 marks of half a word, 5n / 2 bits, and n (32.5 - log2 n) bits: less than n words and one.
 */
export const WORDS_BESIDE_NUMBERS = 5

const HIGHS_PER_NUMBER = 1.5
const HIGHS_PER_MARK_SHIFT = 6
const HIGHS_PER_MARK = 1 << HIGHS_PER_MARK_SHIFT

// The head: 5 bits, 11 bits, 11 bits.
const HIGHEST_SHIFT = 5
const COUNT_SHIFT = 16

/** Writes rests[0..count), ascending, count at least 1, into words that are 0 from `at` on. Returns where the block ends. */
export function writeBlock(words: Uint32Array, at: number, rests: Uint32Array, count: number): number {
  const last = rests[count - 1]!
  let lowBits = 0
  while (last >>> lowBits > count * HIGHS_PER_NUMBER) lowBits++
  const highest = last >>> lowBits
  words[at] = lowBits | (highest << HIGHEST_SHIFT) | (count << COUNT_SHIFT)
  const marks = at + 1
  const highs = marks + markWords(highest)
  const lows = highs + highWords(highest, count)
  let passed = 0
  for (let index = 0; index < count; index++) {
    const rest = rests[index]!
    const high = rest >>> lowBits
    passed = markUntil(words, marks, passed, high, index)
    const bit = high + index
    words[highs + (bit >>> 5)]! |= 1 << (bit & 31)
    writeLow(words, lows, index * lowBits, lowBits, rest)
  }
  return lows + ((count * lowBits + 31) >>> 5)
}

/** Marks of high parts above `passed` up to `high`, when `index` numbers are below them. */
function markUntil(words: Uint32Array, marks: number, passed: number, high: number, index: number): number {
  let next = passed
  for (; next + HIGHS_PER_MARK <= high; next += HIGHS_PER_MARK) {
    const mark = next >>> HIGHS_PER_MARK_SHIFT
    words[marks + (mark >>> 1)]! |= (next + HIGHS_PER_MARK + index) << ((mark & 1) << 4)
  }
  return next
}

function writeLow(words: Uint32Array, lows: number, bit: number, lowBits: number, rest: number): void {
  if (lowBits === 0) return
  const low = rest & maskOf(lowBits)
  const word = lows + (bit >>> 5)
  const shift = bit & 31
  words[word]! |= low << shift
  if (shift + lowBits > 32) words[word + 1]! |= low >>> (32 - shift)
}

function markWords(highest: number): number {
  return ((highest >>> HIGHS_PER_MARK_SHIFT) + 1) >>> 1
}

function highWords(highest: number, count: number): number {
  return (highest + 1 + count + 31) >>> 5
}

/** At most 30 bits: two numbers share three high parts. */
function maskOf(lowBits: number): number {
  return (1 << lowBits) - 1
}

/** Which number of the block that begins at words[at] is `rest`: 0 for the first, -1 when none is. */
export function findInBlock(words: Uint32Array, at: number, rest: number): number {
  const head = words[at]!
  const lowBits = head & 31
  const highest = (head >>> HIGHEST_SHIFT) & 2047
  const high = rest >>> lowBits
  if (high > highest) return -1
  const highs = at + 1 + markWords(highest)
  const begin = passHighs(words, at + 1, highs, high)
  const end = endOfRun(words, highs, begin)
  if (begin === end) return -1
  // Those before have as many bits of their own, beside the zeros.
  const lows = highs + highWords(highest, head >>> COUNT_SHIFT)
  const wanted = rest & maskOf(lowBits)
  let low = begin - high
  let top = end - high - 1
  while (low < top) {
    const middle = (low + top + 1) >>> 1
    if (readLow(words, lows, middle * lowBits, lowBits) <= wanted) low = middle
    else top = middle - 1
  }
  return readLow(words, lows, low * lowBits, lowBits) === wanted ? low : -1
}

/** The bit after the `high`-th 0. */
function passHighs(words: Uint32Array, marks: number, highs: number, high: number): number {
  const mark = (high >>> HIGHS_PER_MARK_SHIFT) - 1
  const bit = mark < 0 ? 0 : (words[marks + (mark >>> 1)]! >>> ((mark & 1) << 4)) & 0xffff
  let left = high & (HIGHS_PER_MARK - 1)
  if (left === 0) return bit
  let word = highs + (bit >>> 5)
  let zeros = ~words[word]! & (-1 << (bit & 31))
  for (let count = countBits(zeros); count < left; count = countBits(zeros)) {
    left -= count
    zeros = ~words[++word]!
  }
  // The lowest are passed one by one: 8 of them in the mean.
  for (; left > 1; left--) zeros &= zeros - 1
  return ((word - highs) << 5) + 32 - Math.clz32(zeros & -zeros)
}

/** The next 0 at or after a bit: the numbers with this high part end there. */
function endOfRun(words: Uint32Array, highs: number, bit: number): number {
  let word = highs + (bit >>> 5)
  let zeros = ~words[word]! & (-1 << (bit & 31))
  while (zeros === 0) zeros = ~words[++word]!
  return ((word - highs) << 5) + 31 - Math.clz32(zeros & -zeros)
}

/** Of two words, whether or not it lies in both: the word after the last one may be read. */
function readLow(words: Uint32Array, lows: number, bit: number, lowBits: number): number {
  const word = lows + (bit >>> 5)
  const shift = bit & 31
  return ((words[word]! >>> shift) | ((words[word + 1]! << 1) << (31 - shift))) & maskOf(lowBits)
}

function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555)
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
