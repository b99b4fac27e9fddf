/**
 * How many distinct others in the last 1, 15 and 60 minutes, in 13.7 KB whatever the number: a sliding HyperLogLog.
 *
 * ```
 *   hash ─▶ register (760) and rank (1..16: zeros of a second hash, plus one)
 *   stamps   760 x 16 bytes: the minute, modulo 64 plus one, in which a register last saw each rank; 0 never
 *   maxima   760 x 16 bits:  the greatest rank within 1, 15 and 60 minutes, 5 bits each
 * ```
 * HyperLogLog: Flajolet, Fusy, Gandouet, Meunier 2007. Sliding windows by remembering when each possible maximum was seen:
 * Chabchoub and Hébrail, "Sliding HyperLogLog", 2010; a byte a rank instead of their list, because windows are whole minutes
 * and 16 ranks reach 760 x 2^16 = 50 M, more than anybody dials in an hour. Estimate: Ertl, "New cardinality estimation
 * algorithms for HyperLogLog sketches", 2017, algorithm 6: no bias to correct at either end, no table, no log.
 *
 * The standard error is 1.04 / sqrt(760) = 3.8 %, less below 760; test/property/sliding-sketch.test.ts measures it. The
 * estimates are integers kept up to date by whoever adds, so that a reader on the verdict path only loads them. Offsets are
 * word indexes into a dense block; its lock is its set's.
 */
export const REGISTERS = 760
const RANKS = 16
/** Ranks 0 (nothing seen) to 16. */
export const HISTOGRAM_WORDS = RANKS + 1
const WINDOWS = 3

/** Words of a sketch: three estimates (1, 15, 60 minutes), three histograms of maxima, maxima, stamps. */
const HISTOGRAMS = WINDOWS
const MAXIMA = HISTOGRAMS + WINDOWS * HISTOGRAM_WORDS
const STAMPS = MAXIMA + REGISTERS / 2
export const SKETCH_WORDS = STAMPS + (REGISTERS * RANKS) / 4

/** An empty sketch in zeroed words. */
export function startSketch(words: Int32Array, sketch: number): void {
  for (let window = 0; window < WINDOWS; window++) {
    words[sketch + HISTOGRAMS + window * HISTOGRAM_WORDS] = REGISTERS
  }
}

/** Adds a hash (32 bits) seen in the sketch's minute. */
export function addToSketch(
  words: Int32Array,
  halves: Uint16Array,
  bytes: Uint8Array,
  sketch: number,
  hash: number,
  minute: number,
): void {
  const register = registerOf(hash)
  const rank = rankOf(hash)
  bytes[(sketch + STAMPS) * 4 + register * RANKS + rank - 1] = (minute & 63) + 1
  const at = (sketch + MAXIMA) * 2 + register
  const maxima = halves[at]!
  if ((maxima & 31) >= rank) return // the maximum of a minute is at most that of an hour: nothing changes
  let now = 0
  for (let window = 0; window < WINDOWS; window++) {
    const old = (maxima >>> (window * 5)) & 31
    const next = Math.max(old, rank)
    now |= next << (window * 5)
    if (next === old) continue
    const histogram = sketch + HISTOGRAMS + window * HISTOGRAM_WORDS
    words[histogram + old] = words[histogram + old]! - 1
    words[histogram + next] = words[histogram + next]! + 1
    words[sketch + window] = estimate(words, histogram)
  }
  halves[at] = now
}

/** Stamps a hash as seen in an earlier minute of the hour; moveSketch must follow before anything is read. */
export function stampSketch(bytes: Uint8Array, sketch: number, hash: number, minute: number): void {
  bytes[(sketch + STAMPS) * 4 + registerOf(hash) * RANKS + rankOf(hash) - 1] = (minute & 63) + 1
}

/** True when the hash may have been added within the hour; false: it certainly was not. */
export function sketchMayHave(bytes: Uint8Array, sketch: number, hash: number, minute: number): boolean {
  const stamp = bytes[(sketch + STAMPS) * 4 + registerOf(hash) * RANKS + rankOf(hash) - 1]!
  return stamp !== 0 && ((minute + 1 - stamp) & 63) < 60
}

/** Forgets what has left the hour and makes maxima, histograms and estimates those of `minute`, `passed` after its own. */
export function moveSketch(
  words: Int32Array,
  halves: Uint16Array,
  bytes: Uint8Array,
  sketch: number,
  minute: number,
  passed: number,
): void {
  words.fill(0, sketch, sketch + MAXIMA)
  startSketch(words, sketch)
  const before = minute - passed
  for (let register = 0; register < REGISTERS; register++) {
    const from = (sketch + STAMPS) * 4 + register * RANKS
    const word = from >>> 2
    if ((words[word]! | words[word + 1]! | words[word + 2]! | words[word + 3]!) !== 0) {
      for (let at = from; at < from + RANKS; at++) {
        if (bytes[at] !== 0 && ((before + 1 - bytes[at]!) & 63) + passed >= 60) bytes[at] = 0
      }
    }
    const maxima = maximaOf(words, bytes, from, minute, 0)
    halves[(sketch + MAXIMA) * 2 + register] = maxima
    if (maxima !== 0) countMaxima(words, sketch + HISTOGRAMS, maxima)
  }
  for (let window = 0; window < WINDOWS; window++) {
    words[sketch + window] = estimate(words, sketch + HISTOGRAMS + window * HISTOGRAM_WORDS)
  }
}

/**
 * The estimates `passed` minutes after the sketch's minute, without changing it: into[0..2]. `into` has
 * 3 + 3 x HISTOGRAM_WORDS words.
 */
export function measureSketch(
  words: Int32Array,
  bytes: Uint8Array,
  sketch: number,
  minute: number,
  passed: number,
  into: Int32Array,
): void {
  into.fill(0)
  startSketch(into, 0)
  for (let register = 0; register < REGISTERS; register++) {
    const from = (sketch + STAMPS) * 4 + register * RANKS
    const maxima = maximaOf(words, bytes, from, minute, passed)
    if (maxima !== 0) countMaxima(into, HISTOGRAMS, maxima)
  }
  for (let window = 0; window < WINDOWS; window++) {
    into[window] = estimate(into, HISTOGRAMS + window * HISTOGRAM_WORDS)
  }
}

/** The greatest rank within 1, 15 and 60 minutes, 5 bits each, of stamps no older than an hour at `minute` itself. */
function maximaOf(words: Int32Array, bytes: Uint8Array, from: number, minute: number, passed: number): number {
  const word = from >>> 2
  if ((words[word]! | words[word + 1]! | words[word + 2]! | words[word + 3]!) === 0) return 0
  let maxima = 0
  for (let rank = RANKS; rank > 0; rank--) {
    const stamp = bytes[from + rank - 1]!
    if (stamp === 0) continue
    const age = ((minute + 1 - stamp) & 63) + passed
    if (age < 60 && maxima >>> 10 === 0) maxima |= rank << 10
    if (age < 15 && (maxima & (31 << 5)) === 0) maxima |= rank << 5
    if (age === 0) return maxima | rank // smaller ranks cannot be greater
  }
  return maxima
}

function countMaxima(words: Int32Array, histograms: number, maxima: number): void {
  for (let window = 0; window < WINDOWS; window++) {
    const rank = (maxima >>> (window * 5)) & 31
    if (rank === 0) continue
    const histogram = histograms + window * HISTOGRAM_WORDS
    words[histogram] = words[histogram]! - 1
    words[histogram + rank] = words[histogram + rank]! + 1
  }
}

/** Ertl's improved raw estimator; alpha for infinitely many registers is 1 / (2 ln 2). */
function estimate(words: Int32Array, histogram: number): number {
  const zeros = words[histogram]!
  if (zeros === REGISTERS) return 0
  let sum = REGISTERS * tau(1 - words[histogram + RANKS]! / REGISTERS)
  for (let rank = RANKS - 1; rank >= 1; rank--) sum = 0.5 * (sum + words[histogram + rank]!)
  sum += REGISTERS * sigma(zeros / REGISTERS)
  return ((0.7213475204444817 * REGISTERS * REGISTERS) / sum + 0.5) | 0
}

/** For registers that saw nothing: x + sum of x^(2^k) 2^(k-1). Below 1 here; ends after some ten steps. */
function sigma(share: number): number {
  let x = share
  let power = 1
  let sum = share
  for (let last = -1; sum !== last; power += power) {
    x *= x
    last = sum
    sum += x * power
  }
  return sum
}

/** For registers at the greatest rank: (1 - x - sum of (1 - x^(2^-k))^2 2^-k) / 3. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0
  let x = share
  let power = 1
  let sum = 1 - share
  for (let last = -1; sum !== last; ) {
    x = Math.sqrt(x)
    last = sum
    power *= 0.5
    sum -= (1 - x) * (1 - x) * power
  }
  return sum / 3
}

function registerOf(hash: number): number {
  return ((hash >>> 0) * (REGISTERS / 2 ** 32)) | 0
}

/** From a second mix of the hash, so that it does not depend on the register (finisher of MurmurHash3, Appleby 2011). */
function rankOf(hash: number): number {
  let x = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35)
  const zeros = Math.clz32(x ^ (x >>> 16))
  return zeros >= RANKS ? RANKS : zeros + 1
}
