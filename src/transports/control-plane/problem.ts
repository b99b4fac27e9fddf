import type { FastifyError } from 'fastify'
import { ERROR_STATUS, type ErrorCode, type FieldError, ScreeningError } from '../../domain/errors.ts'
import { problemTitle } from '../problem-title.ts'
import { PROBLEM_HINTS } from './problem-hints.ts'

/** An answer to a failed request: RFC 9457, extended by code, hint and errors. */
export type Problem = {
  /** Relative reference to the documentation of the code. */
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: ErrorCode
  readonly hint: string
  /** Names this one occurrence; the log has it as requestId. */
  readonly instance?: string
  readonly errors?: readonly FieldError[]
}

export const PROBLEM_CONTENT_TYPE = 'application/problem+json; charset=utf-8'

/** More say no more to a person; a hostile body could have thousands. */
const FIELD_ERRORS_MAX = 20

export function problemOf(error: ScreeningError, requestId?: string): Problem {
  const { code, details } = error
  const errors = details.errors?.slice(0, FIELD_ERRORS_MAX)
  return {
    type: `docs/errors.md#${code.toLowerCase()}`,
    title: problemTitle(code),
    status: ERROR_STATUS[code],
    detail: error.message,
    code,
    hint: details.hint ?? PROBLEM_HINTS[code],
    ...(requestId === undefined ? {} : { instance: `urn:uuid:${requestId}` }),
    ...(errors === undefined || errors.length === 0 ? {} : { errors }),
  }
}

/** Whatever was thrown, as an operating error; a stranger is INTERNAL with its cause kept for the log. */
export function toScreeningError(error: unknown): ScreeningError {
  if (error instanceof ScreeningError) return error
  if (!(error instanceof Error)) return internal(error)
  const failure = error as Partial<FastifyError> & Error
  if (failure.validation !== undefined) return fromValidation(failure)
  const [code, message, hint] = FRAMEWORK_ERRORS[failure.code ?? ''] ?? []
  if (code !== undefined && message !== undefined) {
    return new ScreeningError(code, message, hint === undefined ? {} : { hint }, { cause: error })
  }
  const status = failure.statusCode
  if (status === 413) return new ScreeningError('BODY_TOO_LARGE', 'The body is too large.', {}, { cause: error })
  if (status === 415) {
    return new ScreeningError('MEDIA_TYPE_UNSUPPORTED', 'The content type is not supported here.', {}, { cause: error })
  }
  if (status !== undefined && status >= 400 && status < 500) {
    return new ScreeningError('BODY_INVALID', 'The request cannot be read.', {}, { cause: error })
  }
  return internal(error)
}

function internal(cause: unknown): ScreeningError {
  return new ScreeningError(
    'INTERNAL',
    'Something went wrong on our side; nothing is known to have changed.',
    {},
    { cause },
  )
}

/** Refusals of fastify and its plugins, by their codes, in our words: theirs quote what was sent. */
const FRAMEWORK_ERRORS: Readonly<Record<string, readonly [ErrorCode, string, string?] | undefined>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The body is larger than this request may be.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'The content type is not supported here.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['HEADER_INVALID', 'Content-Length does not match the length of the body.'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['JSON_MALFORMED', 'The content type is JSON but the body is empty.'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['JSON_MALFORMED', 'The body is not valid JSON, or has a forbidden key.'],
  FST_ERR_BAD_URL: ['QUERY_INVALID', 'The URL has an invalid percent-encoding.'],
  FST_ERR_MAX_PARAM_LENGTH: ['NOT_FOUND', 'A part of the path is too long.'],
  // The handler goes on: what it began may still be done.
  FST_ERR_HANDLER_TIMEOUT: [
    'UNAVAILABLE',
    'The request takes longer than its time limit; whether it is done in the end is not known yet.',
    'Look whether it was done before you send it again.',
  ],
  FST_PARTS_LIMIT: ['BODY_INVALID', 'The multipart body has too many parts.'],
  FST_FILES_LIMIT: ['BODY_INVALID', 'The multipart body has more than one file.'],
  FST_FIELDS_LIMIT: ['BODY_INVALID', 'The multipart body has fields besides the file.'],
  FST_PROTO_VIOLATION: ['BODY_INVALID', 'The multipart body has a forbidden field name.'],
  FST_INVALID_MULTIPART_CONTENT_TYPE: ['MEDIA_TYPE_UNSUPPORTED', 'The content type is not multipart/form-data.'],
  FST_PREMATURE_CLOSE: ['BODY_INVALID', 'The multipart body ends before its last boundary.'],
}

type Validation = NonNullable<FastifyError['validation']>[number]

function fromValidation(failure: Partial<FastifyError>): ScreeningError {
  const context = failure.validationContext
  const code = context === 'body' ? 'BODY_INVALID' : context === 'headers' ? 'HEADER_INVALID' : 'QUERY_INVALID'
  const where = { BODY_INVALID: 'body', HEADER_INVALID: 'headers', QUERY_INVALID: 'parameters' }[code]
  const errors = joinAlternatives(failure.validation ?? []).map(describeValidation)
  return new ScreeningError(code, `The ${where} of the request did not pass validation.`, { errors })
}

/** A value that fits none of several alternatives gives an error for each, and one that sums them up: keep that one. */
function joinAlternatives(validation: readonly Validation[]): Validation[] {
  const summed = new Set(validation.filter((one) => one.keyword === 'anyOf').map((one) => one.instancePath))
  return validation.filter((one) => one.keyword === 'anyOf' || !summed.has(one.instancePath))
}

function describeValidation({ instancePath, keyword, params, message }: Validation): FieldError {
  const pointerTo = (name: unknown) =>
    `${instancePath}/${String(name).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`
  if (keyword === 'additionalProperties') {
    return { pointer: pointerTo(params.additionalProperty), detail: 'This field is not known here.' }
  }
  if (keyword === 'required') return { pointer: pointerTo(params.missingProperty), detail: 'This field is missing.' }
  if (keyword === 'enum' && Array.isArray(params.allowedValues)) {
    return { pointer: instancePath, detail: `Must be one of ${params.allowedValues.join(', ')}.` }
  }
  if (keyword === 'anyOf') return { pointer: instancePath, detail: 'Has a type or value that is not accepted here.' }
  return { pointer: instancePath, detail: `${capitalised(message ?? 'is not valid')}.` }
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
