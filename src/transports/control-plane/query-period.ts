import { ScreeningError } from '../../domain/errors.ts'
import { parseTime } from '../../services/parse-time.ts'

/** `from` and `to` of a query, or the last `defaultMs` until now. Throws QUERY_INVALID. */
export function queryPeriod(
  query: { readonly from?: string | number; readonly to?: string | number },
  nowMs: number,
  defaultMs: number,
): { sinceMs: number; untilMs: number } {
  const untilMs = query.to === undefined ? nowMs : momentOf(query.to, '/to')
  const sinceMs = query.from === undefined ? Math.max(0, untilMs - defaultMs) : momentOf(query.from, '/from')
  if (sinceMs > untilMs) {
    const errors = [{ pointer: '/from', detail: 'Lies after `to`.' }]
    throw new ScreeningError('QUERY_INVALID', 'The period ends before it begins.', { errors })
  }
  return { sinceMs, untilMs }
}

function momentOf(value: string | number, pointer: string): number {
  const atMs = parseTime(value)
  if (atMs !== undefined) return atMs
  const errors = [{ pointer, detail: 'Expected RFC 3339 with a zone, or epoch milliseconds.' }]
  throw new ScreeningError('QUERY_INVALID', 'A moment of the period is not usable.', { errors })
}
