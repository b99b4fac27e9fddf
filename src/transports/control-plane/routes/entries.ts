import { Readable } from 'node:stream'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { ScreeningError } from '../../../domain/errors.ts'
import { REASON_CHARS_MAX, SOURCE_CHARS_MAX } from '../../../domain/number-list.ts'
import { EXPORT_START, type ExportPosition } from '../../../services/export-list.ts'
import type { RouteContext } from '../dependencies.ts'
import { exportCsv } from '../export-csv.ts'
import { EntryRow, representEntry } from '../represent.ts'
import { MomentIn, oneOf, operation, STRICT } from '../schemas.ts'
import { ListName } from './lists.ts'

/** One request; beyond it an upload is the way, which shows progress. */
const ENTRIES_PER_REQUEST_MAX = 1_000
const PAGE_ROWS_MAX = 10_000

const ExpiryIn = Type.Union(MomentIn.anyOf, {
  description: 'RFC 3339 with a zone, epoch milliseconds, or a date: until that day ends in the time zone of the node.',
})
const Entry = Type.Object(
  {
    number: Type.String({ minLength: 1, maxLength: 96, description: 'A number, prefix*, or from-to.' }),
    reason: Type.Optional(Type.String({ maxLength: REASON_CHARS_MAX })),
    source: Type.Optional(Type.String({ maxLength: SOURCE_CHARS_MAX })),
    expires: Type.Optional(ExpiryIn),
  },
  STRICT,
)
const Entries = Type.Object({ entries: Type.Array(Entry, { minItems: 1, maxItems: ENTRIES_PER_REQUEST_MAX }) }, STRICT)
const Removals = Type.Object(
  {
    entries: Type.Array(Type.Object({ number: Entry.properties.number }, STRICT), {
      minItems: 1,
      maxItems: ENTRIES_PER_REQUEST_MAX,
    }),
  },
  STRICT,
)
const Changed = Type.Object({ added: Type.Integer(), removed: Type.Integer(), unchanged: Type.Integer() })
const Page = Type.Object({
  list: Type.String(),
  version: Type.Integer(),
  total: Type.Integer(),
  entries: Type.Array(EntryRow),
  next: Type.Optional(Type.String({ description: 'Send as `after` for the next page; absent on the last one.' })),
})

const common = { tag: 'lists', access: ['analyst'], params: { name: ListName } } as const

export function installEntryRoutes(context: RouteContext): void {
  installExport(context)
  installChanges(context)
}

function installExport({ app, services, limits }: RouteContext): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const exportOptions = operation({
    ...common,
    summary: 'The entries of a list',
    description:
      'JSON comes in pages; follow `next`. With `Accept: text/csv` or `format=csv` the whole list is streamed, in the form that an upload reads.',
    query: {
      version: Type.Optional(
        Type.Integer({ minimum: 0, description: 'A kept version; the active one when left out.' }),
      ),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: PAGE_ROWS_MAX, default: 1_000 })),
      after: Type.Optional(Type.String({ pattern: '^\\d{1,9}\\.[rn]\\.-?\\d{1,15}$' })),
      format: Type.Optional(oneOf(['json', 'csv'])),
    },
    produces: ['application/json', 'text/csv'],
    answers: { 200: Page },
    errors: ['LIST_UNKNOWN', 'VERSION_UNKNOWN'],
  })
  typed.get(
    '/v1/lists/:name/entries',
    { ...exportOptions, handlerTimeout: limits.longHandlerTimeoutMs },
    async (request, reply) => {
      const { limit = 1_000, after, format } = request.query
      const cursor = after === undefined ? undefined : parseCursor(after)
      const { name } = request.params
      const { list, version, reader } = services.lists.open(name, cursor?.version ?? request.query.version)
      if (format === 'csv' || (format === undefined && wantsCsv(request.headers.accept))) {
        const stream = exportCsv(reader, () => assertKept(services.lists.isKept(name, version.version)))
        reply.type('text/csv; charset=utf-8').header('content-disposition', `attachment; filename="${list.name}.csv"`)
        return reply.send(Readable.from(stream))
      }
      const { rows, next } = reader.read(cursor?.position ?? EXPORT_START, limit)
      return {
        list: list.name,
        version: version.version,
        total: version.entryCount,
        entries: rows.map(representEntry),
        ...(next === undefined ? {} : { next: formatCursor(version.version, next) }),
      }
    },
  )
}

function installChanges({ app, services, limits }: RouteContext): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  // They take turns with an import of the same list that has to be built again: minutes for ten million rows.
  const handlerTimeout = limits.longHandlerTimeoutMs
  typed.post(
    '/v1/lists/:name/entries',
    {
      ...operation({
        ...common,
        summary: 'Add a few entries, in force at once',
        write: true,
        body: Entries,
        answers: { 200: Changed },
        errors: [
          'LIST_UNKNOWN',
          'NUMBER_INVALID',
          'IMPORT_TOO_WIDE',
          'IMPORT_TOO_LARGE',
          'ENTRIES_NEED_PREVIEW',
          'LIST_CHANGED',
          'QUEUE_FULL',
        ],
      }),
      handlerTimeout,
    },
    async (request) =>
      changed(await services.entries.change(request.params.name, 'add', request.body.entries, request.actor)),
  )
  typed.delete(
    '/v1/lists/:name/entries',
    {
      ...operation({
        ...common,
        summary: 'Take a few entries off, in force at once',
        write: true,
        body: Removals,
        answers: { 200: Changed },
        errors: ['LIST_UNKNOWN', 'NUMBER_INVALID', 'LIST_CHANGED', 'QUEUE_FULL'],
      }),
      handlerTimeout,
    },
    async (request) =>
      changed(await services.entries.change(request.params.name, 'remove', request.body.entries, request.actor)),
  )
}

function changed({ added, removed, unchanged }: { added: number; removed: number; unchanged: number }) {
  return { added, removed, unchanged }
}

function wantsCsv(accept: string | undefined): boolean {
  return accept?.split(',').some((type) => type.trim().toLowerCase().startsWith('text/csv')) === true
}

/** `<version>.<r|n>.<after>`: pages of one version, whatever is activated in between. */
function formatCursor(version: number, { phase, after }: ExportPosition): string {
  return `${version}.${phase === 'ranges' ? 'r' : 'n'}.${after}`
}

function parseCursor(text: string): { version: number; position: ExportPosition } {
  const [version, phase, after] = text.split('.')
  return { version: Number(version), position: { phase: phase === 'r' ? 'ranges' : 'numbers', after: Number(after) } }
}

function assertKept(isKept: boolean): void {
  if (!isKept) throw new ScreeningError('VERSION_UNKNOWN', 'The version dropped off while it was exported.')
}
