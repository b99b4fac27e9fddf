import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { INGRESS_KINDS } from '../../../domain/call-event.ts'
import { LIST_KINDS } from '../../../domain/number-list.ts'
import { VERDICTS } from '../../../domain/verdict.ts'
import { CANDIDATE_LISTS_MAX } from '../../../services/parse-candidate-lists.ts'
import { formatTime } from '../../../services/parse-time.ts'
import { TIPPING_CAUSES } from '../../../services/replay-decision.ts'
import type { RouteContext } from '../dependencies.ts'
import { queryPeriod } from '../query-period.ts'
import { DecisionAnswer } from '../represent.ts'
import { Moment, MomentIn, oneOf, operation, STRICT } from '../schemas.ts'
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
  { ...CandidatePolicy, lists: Type.Optional(Lists), from: Type.Optional(MomentIn), to: Type.Optional(MomentIn) },
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

export function installRehearsalRoute({ app, services, limits, now }: RouteContext): void {
  const rehearseOptions = operation({
    tag: 'policy',
    summary: 'Replay recorded calls under a candidate policy or lists; changes nothing',
    description:
      'Scores are computed anew from the recorded strength of every signal; a rehearsed list adds its own to them. Without ' +
      '`text` and `policy` the policy in force decides, without `from` the last day is replayed.',
    access: ['analyst'],
    body: Rehearse,
    answers: { 200: RehearsalAnswer },
    errors: ['POLICY_INVALID', 'QUERY_INVALID', 'NUMBER_INVALID', 'IMPORT_TOO_WIDE', 'QUEUE_FULL'],
  })
  app
    .withTypeProvider<TypeBoxTypeProvider>()
    .post(
      '/v1/policy/rehearse',
      { ...rehearseOptions, handlerTimeout: limits.longHandlerTimeoutMs },
      async ({ body }) => {
        const period = queryPeriod(body, now(), DAY_MS)
        const rehearsal = await services.rehearsal.ofLog(body, period)
        return { from: formatTime(period.sinceMs), to: formatTime(period.untilMs), ...rehearsal }
      },
    )
}
