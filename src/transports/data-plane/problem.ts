import { ERROR_STATUS, type ErrorCode } from '../../domain/errors.ts'
import { problemTitle } from '../problem-title.ts'
import type { VerdictResponse } from './verdict-server.ts'

export const PROBLEM_TYPE = 'application/problem+json'

/** What a client did wrong (or we could not do): RFC 9457 with our stable `code` and a hint about what to do next. */
export type Problem = {
  readonly code: ErrorCode
  readonly detail: string
  readonly hint: string
  /** When asking again may help: a Retry-After header. */
  readonly retryAfterSeconds?: number
}

/** The problem document as JSON text; `type` points at what the code means, as on the control plane. */
export function problemJson({ code, detail, hint }: Problem): string {
  const status = ERROR_STATUS[code]
  const type = `docs/errors.md#${code.toLowerCase()}`
  return JSON.stringify({ type, title: problemTitle(code), status, detail, code, hint })
}

/** A problem as a whole answer. Neither detail nor hint may hold anything the client sent. */
export function problemResponse(problem: Problem, headers?: VerdictResponse['headers']): VerdictResponse {
  const response = { status: ERROR_STATUS[problem.code], contentType: PROBLEM_TYPE, body: problemJson(problem) }
  const { retryAfterSeconds } = problem
  if (retryAfterSeconds !== undefined) return { ...response, headers: [['retry-after', String(retryAfterSeconds)]] }
  return headers === undefined ? response : { ...response, headers }
}
