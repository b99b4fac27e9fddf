/**
 * Operating errors: something outside this code is wrong (input, disk, another process) and the caller must be told.
 * A code never changes its meaning; a message may improve. The HTTP status is the one its problem document carries.
 * Programmer errors are not here: they are assertions and end the process.
 */
export const ERROR_STATUS = {
  // input
  JSON_MALFORMED: 400,
  BODY_INVALID: 400,
  BODY_TOO_LARGE: 413,
  HEADER_INVALID: 400,
  MEDIA_TYPE_UNSUPPORTED: 415,
  QUERY_INVALID: 400,
  NUMBER_INVALID: 422,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  FRAME_INVALID: 400,
  // lists and imports
  LIST_UNKNOWN: 404,
  LIST_NAME_INVALID: 422,
  LIST_KIND_CONFLICT: 409,
  LISTS_TOO_MANY: 409,
  LIST_CHANGED: 409,
  ENTRIES_NEED_PREVIEW: 409,
  VERSION_UNKNOWN: 404,
  IMPORT_UNKNOWN: 404,
  IMPORT_STATE: 409,
  IMPORT_EMPTY: 422,
  IMPORT_FORMAT: 422,
  IMPORT_TOO_LARGE: 413,
  IMPORT_TOO_WIDE: 422,
  IMPORT_INTERRUPTED: 409,
  QUEUE_FULL: 503,
  // reports, reviews
  REPORT_CONFLICT: 409,
  REVIEW_UNKNOWN: 404,
  REVIEW_CLOSED: 409,
  IDEMPOTENCY_CONFLICT: 422,
  IDEMPOTENCY_IN_FLIGHT: 409,
  // policy and configuration
  POLICY_INVALID: 422,
  POLICY_CHANGED: 409,
  EVENTS_INVALID: 422,
  EVENTS_EMPTY: 422,
  EVENTS_TOO_MANY: 413,
  CONFIG_INVALID: 500,
  NUMBERING_INVALID: 422,
  // access
  KEY_REQUIRED: 401,
  KEY_REFUSED: 403,
  SECOND_PERSON_NEEDED: 403,
  ORIGIN_REFUSED: 403,
  RATE_LIMITED: 429,
  // machine
  STORAGE_FULL: 507,
  STORAGE_FAILED: 500,
  STORAGE_FORMAT: 500,
  STORAGE_LOCKED: 500,
  SNAPSHOT_FORMAT: 500,
  PORT_IN_USE: 500,
  UNAVAILABLE: 503,
  INTERNAL: 500,
  CHANGES_TRIMMED: 410,
  // the record in Redis
  CONTENTS_MISSING: 503,
  CONTENTS_GONE: 409,
  RECORD_LOST: 503,
  RECORD_DIVERGED: 503,
  RECORD_DAMAGED: 503,
  RECORD_FOREIGN: 500,
  RECORD_EMBEDDED: 409,
  // HTTP framing
  HEADERS_TOO_LARGE: 431,
  REQUEST_TIMEOUT: 408,
} as const
export type ErrorCode = keyof typeof ERROR_STATUS

/** One field of a refused body: a JSON Pointer (RFC 6901) and a full sentence. */
export type FieldError = { readonly pointer: string; readonly detail: string }

export type ScreeningErrorDetails = {
  /** What to do next, a full sentence. */
  readonly hint?: string
  readonly errors?: readonly FieldError[]
  readonly retryAfterSeconds?: number
  /** Plain facts for programs. Never a key; a whole phone number only in the `rejected` rows of a refused upload. */
  readonly [fact: string]: unknown
}

/** The one class of operating error. `code` is for programs, `message` is a sentence for people, `cause` is kept. */
export class ScreeningError extends Error {
  readonly code: ErrorCode
  readonly details: ScreeningErrorDetails

  constructor(code: ErrorCode, message: string, details: ScreeningErrorDetails = {}, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'ScreeningError'
    this.code = code
    this.details = details
  }

  get status(): number {
    return ERROR_STATUS[this.code]
  }
}
