import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { RouteContext } from '../dependencies.ts'
import { RecordAnswer, representRecord } from '../represent-record.ts'
import { operation } from '../schemas.ts'

export function installRecordRoutes({ app, services, limits }: RouteContext): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const answers = { 200: RecordAnswer }
  const deciding = {
    tag: 'service',
    access: [],
    write: true,
    answers,
    errors: [
      'RECORD_EMBEDDED',
      'CONTENTS_MISSING',
      'RECORD_LOST',
      'RECORD_DIVERGED',
      'RECORD_DAMAGED',
      'RECORD_FOREIGN',
    ],
  } as const

  typed.get(
    '/v1/record',
    operation({
      tag: 'service',
      summary: 'How this node stands to the record: its own, or the one in Redis',
      // Who is on call sees it; only administrators decide.
      access: ['analyst', 'metrics'],
      answers,
    }),
    async () => representRecord(services.record.view()),
  )
  typed.post(
    '/v1/record/accept',
    {
      ...operation({
        ...deciding,
        summary: 'Redis is right: this node takes its state from there',
        description:
          'Puts what Redis has in the place of what this node has. Danger: what only this node has is gone for good, ' +
          'unless it waits in the outbox. Right after Redis was restored from a backup on purpose; wrong when Redis was ' +
          'emptied by mistake. Resolves when it is done; it may be sent again.',
      }),
      // The whole record may have to be read.
      handlerTimeout: limits.longHandlerTimeoutMs,
    },
    async ({ actor }) => {
      await services.record.accept(actor)
      return representRecord(services.record.view())
    },
  )
  typed.post(
    '/v1/record/restore',
    {
      ...operation({
        ...deciding,
        summary: 'This node is right: it writes to Redis what is lost, diverged or damaged there',
        description:
          'Writes the partitions that are lost, diverged or damaged anew from this node; those that are well stay. Danger: ' +
          'what Redis has in those partitions and this node has not is gone for every node. Ask it of one node only, the ' +
          'one with the newest state (freshAt); others that say diverged afterwards accept it. Resolves when it is done; ' +
          'it may be sent again. With replace=true another record that is in Redis, begun there by a new node after Redis ' +
          'was emptied, is removed first, with everything that was written to it; its nodes need new data directories.',
        query: { replace: Type.Optional(Type.Boolean({ default: false })) },
      }),
      handlerTimeout: limits.longHandlerTimeoutMs,
    },
    async ({ actor, query: { replace = false } }) => {
      await services.record.restore(actor, { replace })
      return representRecord(services.record.view())
    },
  )
}
