import { DECISION_FIELD } from '../../domain/decision-record.ts'
import { ScreeningError } from '../../domain/errors.ts'
import type { ParsedNumber } from '../../domain/phone-number.ts'
import { VERDICTS, type Verdict } from '../../domain/verdict.ts'
import { DAY_MS } from './retention.ts'
import type { RecordAt } from './segment-cursor.ts'

/** What to search the decision log for; all that is given must match. */
export type DecisionQuery = {
  readonly caller?: ParsedNumber
  /** The callee's pseudonym on the UTC day of `dayMs`: pseudonyms change daily. Asked once for each day met. */
  readonly calleePseudonym?: (dayMs: number) => { readonly low: number; readonly high: number }
  readonly verdict?: Verdict
  /** Epoch milliseconds, inclusive. */
  readonly sinceMs?: number
  readonly untilMs?: number
  /** 32 hexadecimal digits, as in the answer. */
  readonly verdictId?: string
  /** 64-bit keyed hash of the call. */
  readonly callHash?: { readonly low: number; readonly high: number }
}

/** A test on raw records: nothing is decoded that does not match. Throws QUERY_INVALID. */
export function recordFilter(query: DecisionQuery): (record: RecordAt) => boolean {
  const tests: ((record: RecordAt) => boolean)[] = []
  const { caller, verdict, sinceMs, untilMs, verdictId, callHash, calleePseudonym } = query
  if (sinceMs !== undefined) tests.push(({ timeMs }) => timeMs >= sinceMs)
  if (untilMs !== undefined) tests.push(({ timeMs }) => timeMs <= untilMs)
  if (caller !== undefined) {
    tests.push(({ view, offset }) => view.getFloat64(offset + DECISION_FIELD.caller, true) === caller)
  }
  if (verdict !== undefined) {
    const code = VERDICTS.indexOf(verdict)
    tests.push(({ view, offset }) => view.getUint8(offset + DECISION_FIELD.verdict) === code)
  }
  if (verdictId !== undefined) {
    const words = verdictIdWords(verdictId)
    tests.push((record) => hasWords(record, DECISION_FIELD.verdictId, words))
  }
  if (callHash) {
    const words = [callHash.low, callHash.high]
    tests.push((record) => hasWords(record, DECISION_FIELD.callHash, words))
  }
  if (calleePseudonym) tests.push(calleeTest(calleePseudonym))
  return (record) => tests.every((test) => test(record))
}

function calleeTest(pseudonymOn: NonNullable<DecisionQuery['calleePseudonym']>): (record: RecordAt) => boolean {
  const days = new Map<number, readonly number[]>()
  return (record) => {
    const dayMs = Math.floor(record.timeMs / DAY_MS) * DAY_MS
    let words = days.get(dayMs)
    if (!words) {
      const { low, high } = pseudonymOn(dayMs)
      words = [low, high]
      days.set(dayMs, words)
    }
    return hasWords(record, DECISION_FIELD.calleePseudonym, words)
  }
}

function hasWords({ view, offset }: RecordAt, field: number, words: readonly number[]): boolean {
  return words.every((word, i) => view.getUint32(offset + field + i * 4, true) === word >>> 0)
}

function verdictIdWords(verdictId: string): number[] {
  if (!/^[0-9a-f]{32}$/i.test(verdictId)) {
    throw new ScreeningError('QUERY_INVALID', 'A verdict id has 32 hexadecimal digits.')
  }
  return [0, 8, 16, 24].map((at) => Number.parseInt(verdictId.slice(at, at + 8), 16))
}
