import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ScreeningError } from '../../../domain/errors.ts'
import { IMPORT_MODES, IMPORT_STATES, type ImportRecord, ROW_REASONS } from '../../../domain/import.ts'
import { formatTime } from '../../../services/parse-time.ts'
import type { AccessKey } from '../access.ts'
import type { RouteContext } from '../dependencies.ts'
import { beginKeyedWrite, replay } from '../keyed-writes.ts'
import { ListKindField } from '../represent.ts'
import { Moment, oneOf, operation } from '../schemas.ts'
import { acceptUploads, createSpool } from '../spool-upload.ts'
import { ListName } from './lists.ts'

export const UPLOAD_CONTENT_TYPES = ['text/csv', 'text/plain', 'application/octet-stream', 'multipart/form-data']

const Counts = Type.Object({
  rows: Type.Integer(),
  accepted: Type.Integer(),
  rejected: Type.Integer(),
  duplicates: Type.Integer(),
  added: Type.Integer(),
  removed: Type.Integer(),
  unchanged: Type.Integer(),
  updated: Type.Integer({ description: 'Of the unchanged, those with another reason, source or expiry.' }),
})
const Impact = Type.Object({
  hours: Type.Number(),
  calls: Type.Number({ description: 'From callers that the list does not cover yet and then would.' }),
  callers: Type.Number({ description: 'The different callers who made these calls.' }),
  totalCalls: Type.Number({ description: 'All calls of those hours.' }),
  complete: Type.Boolean(),
  clashes: Type.Object({
    count: Type.Integer(),
    protectedCount: Type.Integer(),
    sample: Type.Array(Type.Object({ number: Type.String(), list: Type.String(), kind: ListKindField })),
  }),
})
const ImportAnswer = Type.Object({
  importId: Type.String(),
  list: Type.String(),
  mode: oneOf(IMPORT_MODES),
  dryRun: Type.Boolean(),
  state: oneOf(IMPORT_STATES),
  progress: Type.Number({ minimum: 0, maximum: 1 }),
  counts: Counts,
  rejected: Type.Array(Type.Object({ line: Type.Integer(), text: Type.String(), reason: oneOf(ROW_REASONS) }), {
    description: 'The first 100; all of them: rejected.csv.',
  }),
  impact: Type.Optional(Impact),
  problem: Type.Optional(Type.Object({ code: Type.String(), detail: Type.String() })),
  version: Type.Optional(Type.Integer()),
  country: Type.String(),
  createdAt: Moment,
  finishedAt: Type.Optional(Moment),
  actor: Type.String(),
})

const common = { tag: 'imports', access: ['analyst'] } as const
const importParams = { id: Type.String() }

export async function installImportRoutes(context: RouteContext): Promise<void> {
  await installUpload(context)
  installImports(context)
}

async function installUpload({ app, services, options, limits }: RouteContext): Promise<void> {
  const spoolOptions = {
    directory: options.spoolDirectory,
    bytesMax: options.uploadBytesMax,
    uploadsMax: limits.uploadsMax,
  }
  const spool = createSpool(spoolOptions)
  const what = operation({
    ...common,
    summary: 'Upload a list: one number a line, or CSV',
    description:
      'First column: a number, prefix* or from-to; optional columns reason, expires, source. Becomes active by itself when ' +
      'parsed, unless dryRun or held. Follow it at /v1/imports/{id}.',
    write: true,
    consumes: UPLOAD_CONTENT_TYPES,
    params: { name: ListName },
    query: {
      mode: Type.Optional(oneOf(IMPORT_MODES, { default: 'replace' })),
      dryRun: Type.Optional(Type.Boolean({ default: false })),
      country: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$', description: 'How numbers without + are read.' })),
    },
    answers: { 202: ImportAnswer },
    errors: ['LIST_UNKNOWN', 'IMPORT_TOO_LARGE', 'IMPORT_EMPTY', 'IMPORT_FORMAT', 'QUEUE_FULL'],
  })
  await app.register(async (scope) => {
    await acceptUploads(scope, spoolOptions)
    scope
      .withTypeProvider<TypeBoxTypeProvider>()
      .post(
        '/v1/lists/:name/imports',
        { ...what, config: { ...what.config, isStreamedBody: true }, handlerTimeout: limits.longHandlerTimeoutMs },
        async (request, reply) => {
          const list = services.lists.get(request.params.name).name
          const { mode = 'replace', dryRun = false, country = options.homeCountry } = request.query
          const upload = await spool(request)
          try {
            const kept = beginKeyedWrite(request, services.idempotency, upload.digest)
            if (kept !== undefined) {
              await rm(upload.path, { force: true })
              return replay(reply, kept)
            }
          } catch (error) {
            await rm(upload.path, { force: true })
            throw error
          }
          const record = await services.imports.begin(
            { list, mode, dryRun, country, spoolPath: upload.path },
            request.actor,
          )
          reply.code(202).header('location', `/v1/imports/${record.importId}`)
          return represent(record)
        },
      )
  })
}

function installImports({ app, services, options, limits }: RouteContext): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  typed.get(
    '/v1/imports',
    operation({
      ...common,
      summary: 'Imports that are kept, newest first',
      answers: { 200: Type.Object({ imports: Type.Array(ImportAnswer) }) },
    }),
    async () => ({ imports: services.imports.list().map(represent) }),
  )
  const one = { ...common, params: importParams } as const
  typed.get(
    '/v1/imports/:id',
    operation({ ...one, summary: 'One import', answers: { 200: ImportAnswer }, errors: ['IMPORT_UNKNOWN'] }),
    async (request) => represent(services.imports.get(request.params.id)),
  )
  typed.get(
    '/v1/imports/:id/rejected.csv',
    operation({
      ...one,
      summary: 'Every rejected row, ready to be corrected and uploaded again',
      produces: ['text/csv'],
      answers: { 200: Type.String() },
      errors: ['IMPORT_UNKNOWN', 'IMPORT_STATE'],
    }),
    async (request, reply) => {
      const file = services.imports.rejectedCsvPath(request.params.id)
      if (file === undefined) throw new ScreeningError('IMPORT_STATE', 'The import has no rejected rows to show.')
      reply.type('text/csv; charset=utf-8').header('content-disposition', 'attachment; filename="rejected.csv"')
      return reply.send(createReadStream(file))
    },
  )
  const changing = { ...one, write: true, answers: { 200: ImportAnswer } } as const
  typed.post(
    '/v1/imports/:id/activate',
    {
      ...operation({
        ...changing,
        summary: 'Activate a previewed or held import; answers 200 when it is active already',
        description:
          'The answer says `activating`, with a problem, when Redis did not say whether it took the change: the service ' +
          'goes on until it is active, or held again because the list has changed meanwhile.',
        errors: ['IMPORT_UNKNOWN', 'IMPORT_STATE', 'LIST_CHANGED', 'SECOND_PERSON_NEEDED'],
      }),
      // On a list that has changed it is built again: minutes for ten million rows.
      handlerTimeout: limits.longHandlerTimeoutMs,
    },
    async ({ params, actor }) =>
      represent(await services.imports.activate(params.id, actor, { mustBeSecond: !mayActAlone(options.keys, actor) })),
  )
  typed.post(
    '/v1/imports/:id/cancel',
    operation({
      ...changing,
      summary: 'Cancel an import that is not active',
      errors: ['IMPORT_UNKNOWN', 'IMPORT_STATE'],
    }),
    async (request) => represent(await services.imports.cancel(request.params.id, request.actor)),
  )
}

/** Without keys nobody can be told apart; names of keys are distinct. */
function mayActAlone(keys: readonly AccessKey[], actor: string): boolean {
  return keys.length === 0 || keys.some(({ name, role }) => name === actor && role === 'admin')
}

function represent({ createdMs, finishedMs, ...rest }: ImportRecord) {
  return {
    ...rest,
    createdAt: formatTime(createdMs),
    ...(finishedMs === undefined ? {} : { finishedAt: formatTime(finishedMs) }),
  }
}
