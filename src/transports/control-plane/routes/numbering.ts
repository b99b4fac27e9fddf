import { rm } from 'node:fs/promises'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ScreeningError } from '../../../domain/errors.ts'
import { LIST_NAME_PATTERN } from '../../../domain/number-list.ts'
import type { ControlServices } from '../../../services/control-services.ts'
import { asOfFromFileName } from '../../../services/import-numbering.ts'
import { formatTime, parseTime } from '../../../services/parse-time.ts'
import type { RouteContext } from '../dependencies.ts'
import { beginKeyedWrite, replay } from '../keyed-writes.ts'
import { representRange } from '../represent.ts'
import { Moment, MomentQuery, operation } from '../schemas.ts'
import { acceptUploads, createSpool } from '../spool-upload.ts'
import { UPLOAD_CONTENT_TYPES } from './imports.ts'

/** A regulator's whole range file has about 30 MB. */
const NUMBERING_BYTES_MAX = 268_435_456

const Plan = Type.Object({
  name: Type.String(),
  version: Type.Integer(),
  ranges: Type.Integer(),
  covers: Type.Array(Type.String(), { description: 'Inside these a number outside every range cannot exist.' }),
  asOf: Moment,
  importedAt: Moment,
})
const Imported = Type.Object({
  ...Plan.properties,
  rows: Type.Integer(),
  accepted: Type.Integer(),
  rejected: Type.Integer(),
})

export async function installNumberingRoutes(context: RouteContext): Promise<void> {
  const { app, services } = context
  app.withTypeProvider<TypeBoxTypeProvider>().get(
    '/v1/numbering',
    operation({
      tag: 'numbering',
      summary: 'Numbering plans',
      access: ['analyst'],
      answers: { 200: Type.Object({ plans: Type.Array(Plan) }) },
    }),
    async () => ({ plans: services.numbering.plans().map(represent) }),
  )
  await installUpload(context)
}

async function installUpload({ app, services, options, limits, now }: RouteContext): Promise<void> {
  const spoolOptions = {
    directory: options.spoolDirectory,
    bytesMax: Math.min(NUMBERING_BYTES_MAX, options.uploadBytesMax),
    uploadsMax: limits.uploadsMax,
  }
  const spool = createSpool(spoolOptions)
  const what = operation({
    tag: 'numbering',
    summary: "Import a regulator's range file, in force everywhere when answered",
    access: [],
    write: true,
    consumes: UPLOAD_CONTENT_TYPES,
    params: { name: Type.String({ description: 'Name of the plan; a new import of the same name replaces it.' }) },
    query: {
      country: Type.Optional(Type.String({ pattern: '^[A-Z]{2}$' })),
      asOf: Type.Optional(MomentQuery),
      covers: Type.Optional(
        Type.String({
          pattern: '^\\d{1,15}(?:,\\d{1,15}){0,999}$',
          description: 'Prefixes with country code that the plan covers, 7900,7901; left out: the codes in the file.',
        }),
      ),
    },
    answers: { 200: Imported },
    errors: ['NUMBERING_INVALID', 'IMPORT_TOO_LARGE', 'IMPORT_EMPTY', 'IMPORT_FORMAT', 'QUEUE_FULL'],
  })
  await app.register(async (scope) => {
    await acceptUploads(scope, spoolOptions)
    scope
      .withTypeProvider<TypeBoxTypeProvider>()
      .post(
        '/v1/numbering/:name/imports',
        { ...what, config: { ...what.config, isStreamedBody: true }, handlerTimeout: limits.longHandlerTimeoutMs },
        async (request, reply) => {
          const { name } = request.params
          if (!LIST_NAME_PATTERN.test(name))
            throw new ScreeningError('NUMBERING_INVALID', 'The name cannot be a plan name.')
          const { country = options.homeCountry } = request.query
          const asOfMs = momentOf(request.query.asOf)
          const covers = request.query.covers?.split(',')
          const upload = await spool(request)
          try {
            const kept = beginKeyedWrite(request, services.idempotency, upload.digest)
            if (kept !== undefined) return replay(reply, kept)
            const described = {
              name,
              country,
              asOfMs: asOfMs ?? asOfFromFileName(upload.fileName ?? '') ?? now(),
              spoolPath: upload.path,
              ...(covers === undefined ? {} : { covers }),
            }
            const result = await services.numbering.import(described, request.actor)
            const { plan, rows, accepted, rejectedCount } = result
            return { ...represent(plan), rows, accepted, rejected: rejectedCount }
          } finally {
            await rm(upload.path, { force: true })
          }
        },
      )
  })
}

function momentOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const atMs = parseTime(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00Z` : text)
  if (atMs !== undefined) return atMs
  const errors = [{ pointer: '/asOf', detail: 'Expected a date, RFC 3339 with a zone, or epoch milliseconds.' }]
  throw new ScreeningError('QUERY_INVALID', 'The day the plan describes is not usable.', { errors })
}

function represent(plan: ReturnType<ControlServices['numbering']['plans']>[number]) {
  return {
    name: plan.name,
    version: plan.version,
    ranges: plan.rangeCount,
    covers: plan.covers.map(({ from, to }) => representRange(from, to)),
    asOf: formatTime(plan.asOfMs),
    importedAt: formatTime(plan.importedMs),
  }
}
