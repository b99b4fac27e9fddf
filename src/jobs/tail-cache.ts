/**
 * What the columns after the number said the last time they stood there byte for byte. Lists repeat a few reasons and
 * dates in many rows; finding them again costs a hash and a comparison instead of three strings, a date and a map key.
 * Direct-mapped: a collision only costs reading the columns once more.
 */

const SLOTS = 4_096
/** 512 KB in all. Longer tails are remarks written by hand, which do not repeat. */
const TAIL_BYTES_MAX = 128

export type TailCache = {
  /** The details id for bytes[start..end), or -1 when it must be read. */
  find(bytes: Uint8Array, start: number, end: number): number
  /** Remembers the id for the tail that was last looked for. */
  keep(id: number): void
}

export function createTailCache(): TailCache {
  const tails = new Uint8Array(SLOTS * TAIL_BYTES_MAX)
  const lengths = new Int16Array(SLOTS).fill(-1)
  const ids = new Uint32Array(SLOTS)
  let missed: { slot: number; tail: Uint8Array } | undefined
  return {
    find(bytes, start, end) {
      missed = undefined
      const length = end - start
      if (length > TAIL_BYTES_MAX) return -1
      const slot = slotOf(bytes, start, end)
      if (lengths[slot] === length && isEqual(tails, slot * TAIL_BYTES_MAX, bytes, start, length)) {
        return ids[slot] as number
      }
      missed = { slot, tail: bytes.subarray(start, end) }
      return -1
    },
    keep(id) {
      if (missed === undefined) return
      const { slot, tail } = missed
      tails.set(tail, slot * TAIL_BYTES_MAX)
      lengths[slot] = tail.length
      ids[slot] = id
      missed = undefined
    },
  }
}

/** FNV-1a (Fowler, Noll, Vo), its high bits folded in. */
function slotOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return ((hash >>> 16) ^ hash) & (SLOTS - 1)
}

function isEqual(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, length: number): boolean {
  for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false
  return true
}
