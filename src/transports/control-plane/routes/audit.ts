import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { formatTime } from '../../../services/parse-time.ts'
import type { RouteContext } from '../dependencies.ts'
import { Moment, operation } from '../schemas.ts'

const Entry = Type.Object({
  sequence: Type.Integer(),
  at: Moment,
  actor: Type.String(),
  action: Type.String({ description: 'Dotted, e.g. list.activate.' }),
  subject: Type.String({ description: 'A list name, an import id, a report id; never a number.' }),
  detail: Type.Optional(Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]))),
})

export function installAuditRoutes({ app, services }: RouteContext): void {
  const options = operation({
    tag: 'service',
    summary: 'Who did what, newest first',
    access: [],
    query: {
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 100 })),
      before: Type.Optional(
        Type.Integer({ minimum: 1, description: 'Only entries with a smaller sequence: the next page.' }),
      ),
    },
    answers: { 200: Type.Object({ entries: Type.Array(Entry) }) },
  })
  app.withTypeProvider<TypeBoxTypeProvider>().get('/v1/audit', options, async ({ query }) => ({
    entries: services
      .audit(query.limit ?? 100, query.before)
      .map(({ atMs, ...entry }) => ({ ...entry, at: formatTime(atMs) })),
  }))
}
