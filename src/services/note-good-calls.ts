import { randomUUID } from 'node:crypto'
import { ScreeningError } from '../domain/errors.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import { NETWORK_CHANNEL, type Report } from '../domain/report.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'
import type { Pseudonyms } from './pseudonym.ts'
import { goodWeightSince } from './weigh-report.ts'

/** Counter-evidence from the network: people who were called by a reported number and talked with it for long. */
export type GoodCalls = {
  /**
   * Notes that so many distinct callees have each talked with a reported number for a minute or more since the last time it
   * was noted. Resolves with whether that is part of the record: not when nobody reported the number, when it has had all
   * the good evidence that counts in a day or been noted within the hour, when too much was noted in the last minute, or
   * when the record takes no report now. Rejects for none of these.
   */
  note(number: PhoneNumber, ingress: number, distinctCallees: number, atMs: number): Promise<boolean>
}

export type GoodCallsOptions = {
  /** In whole reports, each callee who talked for long. */
  readonly weightPerCallee: number
  /** In whole reports, for one number in 24 hours. */
  readonly weightPerDay: number
  readonly notesPerMinute: number
}

export type GoodCallsDependencies = {
  readonly store: Pick<RecordStore, 'appendReport' | 'reportsOf' | 'reputationOf'>
  readonly pseudonyms: Pick<Pseudonyms, 'household'>
  readonly notify: (sequence: number) => Promise<void>
  readonly now: () => number
}

/**
 * A victim talks for long too, so a callee says little: twenty weigh as much as one who was cheated. Ten a day count, which
 * is what a shop has by noon and a caller who changes his number daily never gets twice.
 */
export const GOOD_CALLS_DEFAULTS: GoodCallsOptions = { weightPerCallee: 0.05, weightPerDay: 0.5, notesPerMinute: 60 }

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const ACTOR: Actor = 'system'

export function createGoodCalls(options: GoodCallsOptions, deps: GoodCallsDependencies): GoodCalls {
  let minute = 0
  let notesInMinute = 0

  function hasRoom(nowMs: number): boolean {
    const current = Math.floor(nowMs / 60_000)
    if (current !== minute) {
      minute = current
      notesInMinute = 0
    }
    return notesInMinute < options.notesPerMinute
  }

  return {
    async note(number, ingress, distinctCallees, atMs) {
      const receivedMs = deps.now()
      if (!hasRoom(receivedMs) || deps.store.reputationOf(number) === undefined) return false
      const left = options.weightPerDay - goodWeightSince(deps.store, number, receivedMs - DAY_MS, true)
      const weight = Math.min(left, options.weightPerCallee * Math.max(0, distinctCallees))
      if (!(weight > 0)) return false
      notesInMinute++
      const report: Report = {
        reportId: randomUUID(),
        number,
        channel: NETWORK_CHANNEL,
        scenario: 'other',
        opinion: 'not-spam',
        // One voice an hour: two nodes that saw the same calls add them once.
        reporter: deps.pseudonyms.household(`network ${Math.floor(receivedMs / HOUR_MS)}`),
        ingress,
        atMs,
        receivedMs,
        weight,
      }
      try {
        const { outcome, sequence } = await deps.store.appendReport(report, ACTOR)
        if (outcome !== 'recorded') return false
        await deps.notify(sequence)
        return true
      } catch (error) {
        // The next long call brings it again.
        if (error instanceof ScreeningError) return false
        throw error
      }
    },
  }
}
