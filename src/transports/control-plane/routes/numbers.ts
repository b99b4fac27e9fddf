import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { formatE164 } from '../../../domain/format-phone-number.ts'
import type { NumberDossier } from '../../../services/look-up-number.ts'
import { formatTime } from '../../../services/parse-time.ts'
import type { RouteContext } from '../dependencies.ts'
import {
  CallMatchField,
  DecisionAnswer,
  EntryRow,
  IngressField,
  KeptChannelField,
  ListKindField,
  NotCountedField,
  OpinionField,
  Reputation,
  ReviewAnswer,
  representDetails,
  representRange,
  representReputation,
  representReview,
  ScenarioField,
} from '../represent.ts'
import { Moment, oneOf, operation } from '../schemas.ts'

const Dossier = Type.Object({
  number: Type.String(),
  lists: Type.Array(
    Type.Object({
      list: Type.String(),
      kind: ListKindField,
      match: oneOf(['number', 'range']),
      expired: Type.Boolean(),
      ...EntryRow.properties,
    }),
  ),
  reputation: Type.Optional(Reputation),
  reports: Type.Array(
    Type.Object({
      reportId: Type.String(),
      channel: KeptChannelField,
      opinion: Type.Optional(OpinionField),
      scenario: ScenarioField,
      reporter: Type.String({ description: 'A pseudonym.' }),
      ingress: IngressField,
      at: Moment,
      receivedAt: Moment,
      weight: Type.Number(),
      callMatch: Type.Optional(CallMatchField),
      notCounted: Type.Optional(NotCountedField),
      clears: Type.Optional(
        Type.Boolean({ description: 'A review found the number innocent: what came before counts no more.' }),
      ),
      household: Type.Optional(Type.String({ description: 'A pseudonym.' })),
      clique: Type.Optional(
        Type.String({ description: 'Pseudonym of the first of reporters who always agree: they count as one.' }),
      ),
      callId: Type.Optional(Type.String()),
      note: Type.Optional(Type.String()),
    }),
  ),
  review: Type.Optional(ReviewAnswer),
  decisions: Type.Array(DecisionAnswer),
})

export function installNumberRoutes({ app, services }: RouteContext): void {
  const options = operation({
    tag: 'numbers',
    summary: 'Everything known about a number',
    description: 'The number in any form; in a path, + may be left out or written %2B. Reporters stay pseudonyms.',
    access: ['analyst', 'agent'],
    params: { e164: Type.String({ description: '+79160000002, 79160000002 or 8 916 000-00-02.' }) },
    answers: { 200: Dossier },
    errors: ['NUMBER_INVALID'],
  })
  app.withTypeProvider<TypeBoxTypeProvider>().get('/v1/numbers/:e164', options, async (request) => {
    return represent(await services.numbers.lookUp(request.params.e164))
  })
}

function represent({ number, entries, reputation, reports, review, decisions }: NumberDossier) {
  return {
    number: formatE164(number),
    lists: entries.map(({ list, from, to, details, isExpired }) => ({
      list: list.name,
      kind: list.kind,
      match: from === to ? ('number' as const) : ('range' as const),
      expired: isExpired,
      number: representRange(from, to),
      ...representDetails(details),
    })),
    ...(reputation === undefined ? {} : { reputation: representReputation(reputation) }),
    reports: reports.map(({ number: _, atMs, receivedMs, ...report }) => ({
      ...report,
      at: formatTime(atMs),
      receivedAt: formatTime(receivedMs),
    })),
    ...(review === undefined ? {} : { review: representReview(review) }),
    decisions,
  }
}
