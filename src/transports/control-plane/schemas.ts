import { type TProperties, type TSchema, Type } from 'typebox'
import { ERROR_STATUS, type ErrorCode } from '../../domain/errors.ts'
import type { RouteAccess } from './access.ts'
import { PROBLEM_HINTS } from './problem-hints.ts'

/** Unknown fields are refused on writes. */
export const STRICT = { additionalProperties: false } as const

/** A plain enum in JSON Schema, which every OpenAPI tool shows as a drop-down. */
export function oneOf<const T extends readonly string[]>(
  values: T,
  options: { description?: string; default?: string } = {},
) {
  return Type.Unsafe<T[number]>({ type: 'string', enum: [...values], ...options })
}

/** A moment as we write it. */
export const Moment = Type.String({ format: 'date-time', description: 'RFC 3339, UTC.' })

/** A moment as we take it; services parse it, because JSON Schema's date-time allows days that do not exist. */
export const MomentIn = Type.Union([Type.String({ minLength: 1, maxLength: 40 }), Type.Integer({ minimum: 0 })], {
  description: 'RFC 3339 with a zone, or epoch milliseconds.',
})

/** A moment in a query is text either way. */
export const MomentQuery = Type.String({
  minLength: 1,
  maxLength: 40,
  description: 'RFC 3339 with a zone, or epoch milliseconds.',
})

export const PhoneText = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'E.164 with +, or as dialled at home.',
})

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Where the code is explained, relative to the documentation.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: oneOf(Object.keys(ERROR_STATUS)),
    hint: Type.String({ description: 'What to do next.' }),
    instance: Type.Optional(Type.String({ description: 'Names this one occurrence; the log has it as requestId.' })),
    errors: Type.Optional(Type.Array(Type.Object({ pointer: Type.String(), detail: Type.String() }))),
  },
  { $id: 'Problem', title: 'Problem', description: 'A failed request (RFC 9457).' },
)

export type Operation<Body extends TSchema, Query extends TProperties, Params extends TProperties> = {
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly access: RouteAccess
  /** Changes something: counted against the rate limit, and repeatable with an Idempotency-Key. */
  readonly write?: true
  readonly body?: Body
  readonly consumes?: readonly string[]
  readonly query?: Query
  readonly params?: Params
  /** Success answers by status; a text type besides JSON is named in `produces`. */
  readonly answers: Readonly<Record<number, TSchema>>
  readonly produces?: readonly string[]
  /** What can go wrong beyond what can always go wrong. */
  readonly errors?: readonly ErrorCode[]
}

const ALWAYS: readonly ErrorCode[] = ['HEADER_INVALID', 'ORIGIN_REFUSED', 'INTERNAL', 'UNAVAILABLE']
const WITH_KEY: readonly ErrorCode[] = ['KEY_REQUIRED', 'KEY_REFUSED']
const WITH_BODY: readonly ErrorCode[] = ['BODY_INVALID', 'BODY_TOO_LARGE', 'MEDIA_TYPE_UNSUPPORTED', 'REQUEST_TIMEOUT']
/** Codes every write can fail with. */
const WRITE_ERRORS: readonly ErrorCode[] = [
  'RATE_LIMITED',
  'STORAGE_FULL',
  'STORAGE_FAILED',
  'IDEMPOTENCY_CONFLICT',
  'IDEMPOTENCY_IN_FLIGHT',
]

const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'Send the same key with a retry to get the first answer again; kept for 24 hours.' }),
  ),
})

/**
 * The route options of an operation: what validates the request, what /docs shows, and who may do it. One description,
 * so that none of them can disagree.
 */
export function operation<
  Body extends TSchema = TSchema,
  const Query extends TProperties = TProperties,
  const Params extends TProperties = TProperties,
>(what: Operation<Body, Query, Params>) {
  const codes = [
    ...ALWAYS,
    ...(what.access === 'public' ? [] : WITH_KEY),
    ...(what.body === undefined && what.consumes === undefined ? [] : WITH_BODY),
    ...(what.body === undefined ? [] : (['JSON_MALFORMED'] as const)),
    ...(what.query === undefined ? [] : (['QUERY_INVALID'] as const)),
    ...(what.write === undefined ? [] : WRITE_ERRORS),
    ...(what.errors ?? []),
  ]
  return {
    config: { access: what.access, isWrite: what.write === true },
    schema: {
      tags: [what.tag],
      summary: what.summary,
      description: what.description ?? what.summary,
      ...(what.access === 'public' ? {} : { security: [{ key: [] }] }),
      ...(what.consumes === undefined ? {} : { consumes: [...what.consumes] }),
      ...(what.body === undefined ? {} : { body: what.body }),
      ...(what.query === undefined ? {} : { querystring: Type.Object(what.query, STRICT) }),
      ...(what.params === undefined ? {} : { params: Type.Object(what.params) }),
      ...(what.write === undefined ? {} : { headers: IdempotencyHeaders }),
      response: { ...successes(what), ...problems(codes) },
    } as OperationSchema<Body, Query, Params>,
  }
}

type OperationSchema<Body extends TSchema, Query extends TProperties, Params extends TProperties> = {
  body: Body
  querystring: ReturnType<typeof Type.Object<Query>>
  params: ReturnType<typeof Type.Object<Params>>
}

function successes(what: {
  answers: Readonly<Record<number, TSchema>>
  produces?: readonly string[]
  summary: string
}) {
  const entries = Object.entries(what.answers).map(([status, schema]) => {
    const types = what.produces ?? ['application/json']
    const content = Object.fromEntries(
      types.map((type) => [type, { schema: type.includes('json') ? schema : Type.String() }]),
    )
    return [status, { description: what.summary, content }]
  })
  return Object.fromEntries(entries)
}

/** One entry per status, its description naming every code with its hint. */
function problems(codes: readonly ErrorCode[]) {
  const byStatus = new Map<number, Set<ErrorCode>>()
  for (const code of codes) {
    const status = ERROR_STATUS[code]
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code))
  }
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: [...group].map((code) => `${code}: ${PROBLEM_HINTS[code]}`).join('\n\n'),
        content: { 'application/problem+json': { schema: Type.Ref('Problem#') } },
      },
    ]),
  )
}
