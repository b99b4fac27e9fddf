import type { GoodTalksMessage } from './messages.ts'

/**
 * Long talks of reported numbers, gathered in a verdict process until they are worth a word: control writes one such word
 * an hour and number into the record (services/note-good-calls.ts), so a word should say of as many callees as it can.
 * Losing some, at a restart or beyond NUMBERS_MAX, is harmless: the next talks bring the same.
 */
export type GoodTalks = {
  /** Somebody, of whom this is a hash, talked for long with the number. */
  add(number: number, ingress: number, calleeHash: number): void
  /** The next word that is due, if any: one second, one word, which is what control takes. */
  next(): GoodTalksMessage | undefined
}

/** As many as count in a day (GOOD_CALLS_DEFAULTS). */
export const CALLEES_MAX = 10
/** Fewer are told after so long. */
export const GATHER_MS = 15 * 60_000
/** Reported numbers that are talked with, of an hour. */
export const NUMBERS_MAX = 4_096
const HOUR_MS = 3_600_000

type Gathered = { readonly callees: Set<number>; readonly firstMs: number }

export function createGoodTalks({ now }: { readonly now: () => number }): GoodTalks {
  /** By number and ingress kind, the one talked with first first. */
  const gathering = new Map<number, Gathered>()
  /** When a word was said of it, the longest ago first. */
  const told = new Map<number, number>()

  function forgetOld(nowMs: number): void {
    for (const [key, toldMs] of told) {
      if (Math.abs(nowMs - toldMs) < HOUR_MS) return
      told.delete(key)
    }
  }

  return {
    add(number, ingress, calleeHash) {
      const key = number * 4 + ingress
      if (told.has(key)) return
      const known = gathering.get(key)
      if (known !== undefined) {
        if (known.callees.size < CALLEES_MAX) known.callees.add(calleeHash)
        return
      }
      if (gathering.size + told.size < NUMBERS_MAX)
        gathering.set(key, { callees: new Set([calleeHash]), firstMs: now() })
    },
    next() {
      const nowMs = now()
      forgetOld(nowMs)
      for (const [key, { callees, firstMs }] of gathering) {
        if (callees.size < CALLEES_MAX && Math.abs(nowMs - firstMs) < GATHER_MS) continue
        gathering.delete(key)
        told.set(key, nowMs)
        const number = Math.floor(key / 4)
        return { type: 'good-talks', number, ingress: key % 4, callees: callees.size, atMs: nowMs }
      }
      return undefined
    },
  }
}
