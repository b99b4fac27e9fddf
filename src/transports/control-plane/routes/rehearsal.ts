import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { INGRESS_KINDS } from '../../../domain/call-event.ts'
import { ScreeningError } from '../../../domain/errors.ts'
import { LIST_KINDS } from '../../../domain/number-list.ts'
import { VERDICTS } from '../../../domain/verdict.ts'
import { CANDIDATE_LISTS_MAX, TIPPING_CAUSES } from '../../../services/parse-candidate-lists.ts'
import { formatTime } from '../../../services/parse-time.ts'
import { EVENTS_BYTES_MAX, type RehearsedEvents } from '../../../services/rehearsal-desk.ts'
import type { RouteContext } from '../dependencies.ts'
import { queryPeriod } from '../query-period.ts'
import { DecisionAnswer } from '../represent.ts'
import { Moment, MomentIn, oneOf, operation, STRICT } from '../schemas.ts'
import { acceptEvents, EVENT_TYPES } from '../spool-events.ts'
import { CandidatePolicy } from './policy.ts'

const DAY_MS = 86_400_000

const Lists = Type.Array(
  Type.Object(
    {
      kind: oneOf(LIST_KINDS),
      entries: Type.Array(Type.String({ minLength: 1, maxLength: 96 }), {
        minItems: 1,
        description: 'Numbers, prefix*, or from-to; 10,000 in all lists together.',
      }),
    },
    STRICT,
  ),
  { minItems: 1, maxItems: CANDIDATE_LISTS_MAX, description: 'Tried beside the lists in force.' },
)
const Rehearse = Type.Object(
  {
    ...CandidatePolicy,
    lists: Type.Optional(Lists),
    from: Type.Optional(MomentIn),
    to: Type.Optional(MomentIn),
    events: Type.Optional(
      Type.Array(Type.Unknown(), { description: 'Recorded calls and call ends, instead of the decision log.' }),
    ),
  },
  STRICT,
)

const Changes = Type.Array(Type.Object({ from: oneOf(VERDICTS), to: oneOf(VERDICTS), count: Type.Integer() }))
const share = { decisions: Type.Integer(), changed: Type.Integer() }
const Summary = {
  ...share,
  changes: Changes,
  callers: Type.Object({
    changed: Type.Integer({
      description: 'Distinct callers with a changed decision; at least so many when not complete.',
    }),
    complete: Type.Boolean(),
    hitMost: Type.Array(
      Type.Object({
        caller: Type.String({ description: 'The number, or why there is none.' }),
        changed: Type.Integer(),
        changes: Changes,
        protected: Type.Boolean({ description: 'On a protected list now.' }),
        allowListed: Type.Boolean(),
        reported: Type.Boolean({ description: 'By a subscriber, at any time.' }),
      }),
    ),
  }),
  trunks: Type.Array(Type.Object({ trunk: Type.String(), ...share })),
  ingress: Type.Array(Type.Object({ ingress: oneOf(INGRESS_KINDS), ...share })),
  caveats: Type.Array(Type.String({ description: 'What the replay cannot know.' })),
}
const TippedBy = Type.Object(
  { cause: oneOf(TIPPING_CAUSES), before: Type.Number(), after: Type.Number() },
  { description: 'What made the difference, and the points it gave and would give; of thresholds the score.' },
)
const RehearsalAnswer = Type.Object({
  from: Moment,
  to: Moment,
  complete: Type.Boolean({ description: 'False: the oldest decisions are left out.' }),
  ...Summary,
  examples: Type.Array(
    Type.Object({ was: DecisionAnswer, decision: oneOf(VERDICTS), score: Type.Integer(), tippedBy: TippedBy }),
  ),
})

const Side = Type.Object({
  decision: oneOf(VERDICTS),
  score: Type.Integer(),
  reasons: Type.Array(Type.Object({ code: Type.String(), points: Type.Number(), list: Type.Optional(Type.String()) })),
})
const EventsAnswer = Type.Object({
  from: Moment,
  to: Moment,
  ...Summary,
  ends: Type.Integer({ description: 'Call ends replayed.' }),
  late: Type.Integer({ description: 'Events that lie before one above them.' }),
  unknownTrunks: Type.Integer({ description: 'Calls that name a trunk which is not registered.' }),
  examples: Type.Array(
    Type.Object({
      event: Type.Integer({ description: 'Its line below the candidate, or its place in the array; counted from 1.' }),
      at: Moment,
      caller: Type.String(),
      trunk: Type.String(),
      inForce: Side,
      candidate: Side,
      tippedBy: TippedBy,
    }),
  ),
})

const rehearse = operation({
  tag: 'policy',
  summary: 'Replay recorded calls under a candidate policy or lists; changes nothing',
  description:
    'Over the decision log, scores are computed anew from the recorded strength of every signal; a rehearsed list adds its own ' +
    'to them. Without `text` and `policy` the policy in force decides, without `from` the last day is replayed. With `events` ' +
    '(calls as for POST /v1/verdict and ends as for POST /v1/call-ends, each with `type` and `at`, at most 100,000) the engine ' +
    'decides each call twice, as in force and with the candidate, on a clock that follows `at`. More than a body holds go as ' +
    'application/x-ndjson, one event a line, with the candidate in the first line: {"type":"candidate","lists":[…]}.',
  access: ['analyst'],
  consumes: ['application/json', ...EVENT_TYPES],
  body: Rehearse,
  answers: { 200: Type.Union([RehearsalAnswer, EventsAnswer]) },
  errors: [
    'POLICY_INVALID',
    'QUERY_INVALID',
    'NUMBER_INVALID',
    'IMPORT_TOO_WIDE',
    'EVENTS_INVALID',
    'EVENTS_EMPTY',
    'EVENTS_TOO_MANY',
    'QUEUE_FULL',
    'STORAGE_FULL',
    'STORAGE_FAILED',
  ],
})

export async function installRehearsalRoute({ app, services, options, limits, now }: RouteContext): Promise<void> {
  await app.register(async (scope) => {
    const spooled = acceptEvents(scope, {
      directory: options.spoolDirectory,
      bytesMax: Math.min(EVENTS_BYTES_MAX, options.uploadBytesMax),
      uploadsMax: limits.uploadsMax,
      candidateBytesMax: limits.bodyBytesMax,
    })
    scope
      .withTypeProvider<TypeBoxTypeProvider>()
      .post('/v1/policy/rehearse', { ...rehearse, handlerTimeout: limits.longHandlerTimeoutMs }, async (request) => {
        const { events, ...body } = request.body
        const path = spooled(request)
        const source = path === undefined ? events && { events } : { path }
        if (source !== undefined) {
          refuseBeside(path === undefined ? body : request.body)
          return representEvents(await services.rehearsal.ofEvents(body, source))
        }
        const period = queryPeriod(body, now(), DAY_MS)
        const rehearsal = await services.rehearsal.ofLog(body, period)
        return { from: formatTime(period.sinceMs), to: formatTime(period.untilMs), ...rehearsal }
      })
  })
}

/** A replay of events has no period of its own, and events come one way. */
function refuseBeside(body: { from?: unknown; to?: unknown; events?: unknown }): void {
  for (const field of ['from', 'to', 'events'] as const) {
    if (body[field] === undefined) continue
    const detail =
      field === 'events'
        ? 'The events stand in the lines below.'
        : 'This is of the decision log; events say when they were.'
    throw new ScreeningError('BODY_INVALID', `${field} is not taken beside these events.`, {
      errors: [{ pointer: `/${field}`, detail }],
    })
  }
}

function representEvents({ firstMs, lastMs, examples, ...rest }: RehearsedEvents) {
  return {
    from: formatTime(firstMs),
    to: formatTime(lastMs),
    ...rest,
    examples: examples.map(({ atMs, ...example }) => ({ ...example, at: formatTime(atMs) })),
  }
}
