import type { PhoneNumber } from '../domain/phone-number.ts'
import type { GoodCalls } from '../services/note-good-calls.ts'
import type { GoodTalksMessage } from './messages.ts'

export type GoodTalksNoterDependencies = {
  readonly goodCalls: GoodCalls
  readonly now: () => number
  readonly log: { warn(fields: object, text: string): void }
}

const LOG_EVERY_MS = 60_000

/** Hands on what verdict processes say. Never rejects: what failed is logged, once a minute at most, and comes again. */
export function createGoodTalksNoter({ goodCalls, now, log }: GoodTalksNoterDependencies) {
  let nextLogMs = 0
  return async function note({ number, ingress, callees, atMs }: GoodTalksMessage): Promise<void> {
    try {
      await goodCalls.note(number as PhoneNumber, ingress, callees, atMs)
    } catch (err) {
      if (now() < nextLogMs) return
      nextLogMs = now() + LOG_EVERY_MS
      log.warn({ err }, 'long talks of a reported number could not be noted')
    }
  }
}
