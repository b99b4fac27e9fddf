import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ATTESTATIONS, CONFIRMATIONS, INGRESS_KINDS, TREATMENTS, VERSTATS } from '../../../domain/call-event.ts'
import { VERDICTS } from '../../../domain/verdict.ts'
import type { RouteContext } from '../dependencies.ts'
import { queryPeriod } from '../query-period.ts'
import { DecisionAnswer, representDetails, representReputation, VerdictField } from '../represent.ts'
import { MomentIn, MomentQuery, oneOf, operation, PhoneText } from '../schemas.ts'

const DAY_MS = 86_400_000

const NumberOrNull = Type.Optional(Type.Union([Type.String({ maxLength: 256 }), Type.Null()]))
const known = (values: readonly string[]) =>
  Type.Optional(Type.String({ maxLength: 64, description: `One of ${values.join(', ')}.` }))

/** A call event as the verdict API takes it: unknown fields and values are ignored there, and so here. */
const CallEvent = Type.Object({
  callId: Type.Optional(Type.String({ maxLength: 256 })),
  caller: NumberOrNull,
  callee: NumberOrNull,
  ingress: Type.Optional(
    Type.Object({ trunk: Type.Optional(Type.String({ maxLength: 64 })), kind: known(INGRESS_KINDS) }),
  ),
  redirecting: NumberOrNull,
  stir: Type.Optional(Type.Object({ attest: known(ATTESTATIONS), verstat: known(VERSTATS) })),
  callerStatus: Type.Optional(
    Type.Object({
      originating: known(CONFIRMATIONS),
      roaming: known(CONFIRMATIONS),
      ownerOperator: Type.Optional(Type.String({ maxLength: 64 })),
    }),
  ),
  treatment: known(TREATMENTS),
  deadlineAt: Type.Optional(MomentIn),
  at: Type.Optional(MomentIn),
})

const Explanation = Type.Object(
  {
    decision: oneOf(VERDICTS),
    score: Type.Integer(),
    policy: Type.String(),
    trunk: Type.Optional(
      Type.Object(
        { name: Type.String(), registered: Type.Boolean() },
        {
          description:
            'The trunk the call names. One that is not registered counts as none: nothing is in shadow mode.',
        },
      ),
    ),
  },
  {
    additionalProperties: true,
    description: 'Verdict, score, every signal and rule, and the smallest changes that would flip it.',
  },
)

export function installDecisionRoutes({ app, services, now }: RouteContext): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  typed.post(
    '/v1/explain',
    operation({
      tag: 'decisions',
      summary: 'Explain what a call would get, without any effect',
      access: ['analyst'],
      body: CallEvent,
      answers: { 200: Explanation },
    }),
    async (request) => {
      const { verdict, lists, reputation, ...rest } = await services.explainer.explain(request.body)
      return {
        decision: verdict,
        ...rest,
        lists: lists.map(({ details, ...coverage }) => ({ ...coverage, ...representDetails(details) })),
        ...(reputation === undefined ? {} : { reputation: representReputation(reputation) }),
      }
    },
  )
  typed.get(
    '/v1/decisions',
    operation({
      tag: 'decisions',
      summary: 'Search recorded decisions, newest first',
      description:
        'Every block, flag and overload is recorded, and all calls of a sample of callers. Without `from` the last day is searched.',
      access: ['analyst'],
      query: {
        caller: Type.Optional(PhoneText),
        verdictId: Type.Optional(Type.String({ pattern: '^[0-9a-fA-F]{32}$' })),
        decision: Type.Optional(VerdictField),
        from: Type.Optional(MomentQuery),
        to: Type.Optional(MomentQuery),
        limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
      },
      answers: { 200: Type.Object({ decisions: Type.Array(DecisionAnswer) }) },
      errors: ['NUMBER_INVALID'],
    }),
    async ({ query }) => {
      const { caller, verdictId, decision, limit = 100 } = query
      const decisions = await services.decisions.search({
        ...queryPeriod(query, now(), DAY_MS),
        limit,
        ...(caller === undefined ? {} : { caller: services.numbers.parse(caller) }),
        ...(verdictId === undefined ? {} : { verdictId: verdictId.toLowerCase() }),
        ...(decision === undefined ? {} : { verdict: decision }),
      })
      return { decisions }
    },
  )
}
