import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { formatE164 } from '../../../domain/format-phone-number.ts'
import { STRENGTH_FULL } from '../../../domain/signal.ts'
import type { NumberBehaviour } from '../../../engine/number-behaviour.ts'
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

const counted = (description: string) => Type.Integer({ description })
/** Of one row of the activity table (shm/activity.ts). `others` are at the other end: callees, or callers of a callee. */
const Activity = Type.Object({
  firstSeenAt: Moment,
  lastSeenAt: Moment,
  attempts1: counted('Calls in the last minute.'),
  attempts15: counted('Calls in the last 15 minutes.'),
  attempts60: counted('Calls in the last hour.'),
  others1: counted('Distinct numbers at the other end in the last minute; beyond a few, an estimate.'),
  others15: counted('The same in the last 15 minutes.'),
  others60: counted('The same in the last hour.'),
  ended60: counted('Calls of the last hour whose end was told (POST /v1/call-ends).'),
  answered60: counted('Of these, answered.'),
  short60: counted('Answered, and talked for less than 6 seconds.'),
  brief60: counted('Answered, and talked for 6 to 30 seconds.'),
  long60: counted('Answered, and talked for a minute or more.'),
  oneRing60: counted('Not answered, and given up after at most 5 seconds of ringing.'),
  talkSeconds60: counted('Seconds talked in all of these calls.'),
  sequential60: counted('Calls of the last hour whose callee is within 4 numbers of the one called before.'),
  trunks15: counted('Distinct trunks in the last 15 minutes.'),
  days: counted('Days (UTC) with a call since it was first seen.'),
  totalAttempts: counted('Calls since it was first seen; halved with the next two when one would overflow.'),
  totalAnswered: counted('Of these, answered.'),
  totalLong: counted('Of these, talked for a minute or more.'),
})

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
  activity: Type.Optional(
    Type.Object(
      {
        outgoing: Type.Record(Type.String(), Activity, { description: 'Calls it made, by ingress kind.' }),
        incoming: Type.Optional(Activity),
        block: Type.Optional(Activity),
      },
      { description: 'What it has been doing, as far as this node remembers. Absent: no verdict process answered.' },
    ),
  ),
  numberBlock: Type.Optional(
    Type.Record(Type.String(), Type.Number(), {
      description: 'What is reported of the numbers around it, 0 to 1, by ingress kind.',
    }),
  ),
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

function represent({ number, entries, reputation, reports, review, behaviour, decisions }: NumberDossier) {
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
    ...(behaviour === undefined ? {} : representBehaviour(behaviour)),
    decisions,
  }
}

function representBehaviour({ outgoing, incoming, block, blockHarm }: NumberBehaviour) {
  return {
    activity: {
      outgoing: Object.fromEntries(Object.entries(outgoing).map(([kind, view]) => [kind, representActivity(view)])),
      ...(incoming === undefined ? {} : { incoming: representActivity(incoming) }),
      ...(block === undefined ? {} : { block: representActivity(block) }),
    },
    numberBlock: Object.fromEntries(
      Object.entries(blockHarm).map(([kind, thousandths]) => [kind, thousandths / STRENGTH_FULL]),
    ),
  }
}

function representActivity({ firstSeenMs, lastSeenMs, ...counts }: NonNullable<NumberBehaviour['incoming']>) {
  return { firstSeenAt: formatTime(firstSeenMs), lastSeenAt: formatTime(lastSeenMs), ...counts }
}
