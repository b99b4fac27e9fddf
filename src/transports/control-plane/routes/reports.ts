import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { RouteContext } from '../dependencies.ts'
import { idempotencyKeyOf } from '../keyed-writes.ts'
import {
  CallMatchField,
  ChannelField,
  IngressField,
  NotCountedField,
  OpinionField,
  Reputation,
  representReputation,
  ScenarioField,
} from '../represent.ts'
import { MomentIn, oneOf, operation, PhoneText, STRICT } from '../schemas.ts'

const Report = Type.Object(
  {
    reportId: Type.Optional(Type.String({ pattern: '^[A-Za-z0-9._:-]{1,64}$' })),
    number: PhoneText,
    channel: ChannelField,
    opinion: Type.Optional(OpinionField),
    scenario: Type.Optional({
      ...ScenarioField,
      description: 'What the caller tried. Required unless the opinion is not-spam.',
    }),
    reporter: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'A phone number or an opaque id; kept as a pseudonym.',
    }),
    household: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 256,
        description: 'An opaque id: reports of one household on one number count as one reporter. Kept as a pseudonym.',
      }),
    ),
    at: Type.Optional(MomentIn),
    callId: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
    note: Type.Optional(Type.String({ maxLength: 2_000 })),
    ingress: Type.Optional(
      Type.Object({ kind: Type.Optional(IngressField) }, { ...STRICT, description: 'How the reported call came in.' }),
    ),
  },
  STRICT,
)

const Accepted = Type.Object({
  reportId: Type.String(),
  accepted: Type.Literal(true),
  duplicate: Type.Boolean(),
  state: oneOf(['recorded', 'queued']),
  weight: Type.Number({
    minimum: 0,
    maximum: 1,
    description: 'How much it counts: channel x credibility x call match.',
  }),
  callMatch: CallMatchField,
  notCounted: Type.Optional(NotCountedField),
  reputation: Type.Optional(Reputation),
  reviewId: Type.Optional(Type.String()),
})

export function installReportRoutes({ app, services }: RouteContext): void {
  const options = operation({
    tag: 'reports',
    summary: 'Report a number that tried to cheat',
    description:
      'Idempotent by reportId; the same reporter on the same number within 24 hours counts once. The next call from the ' +
      'number is judged by it. With `reviewId` a person looks at the number: it is protected or allow-listed, its own calls ' +
      'speak against the reports, or they came in a suspicious burst; a `queued` report may have none yet.',
    access: ['agent', 'analyst'],
    write: true,
    body: Report,
    answers: { 202: Accepted },
    errors: ['NUMBER_INVALID', 'REPORT_CONFLICT', 'QUEUE_FULL'],
  })
  app.withTypeProvider<TypeBoxTypeProvider>().post('/v1/reports', options, async (request, reply) => {
    const accepted = await services.reports.accept(request.body, request.actor, idempotencyKeyOf(request))
    const { reputation, ...rest } = accepted
    reply.code(202)
    return reputation === undefined ? rest : { ...rest, reputation: representReputation(reputation) }
  })
}
