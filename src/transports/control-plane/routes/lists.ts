import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { ControlServices } from '../../../services/control-services.ts'
import { formatTime } from '../../../services/parse-time.ts'
import type { RouteContext } from '../dependencies.ts'
import { ListKindField } from '../represent.ts'
import { Moment, operation, STRICT } from '../schemas.ts'

export const ListName = Type.String({ description: 'Name of the list.' })

const ListVersionAnswer = Type.Object({
  version: Type.Integer({ minimum: 0 }),
  active: Type.Boolean(),
  entries: Type.Integer(),
  createdAt: Moment,
  actor: Type.String(),
  importId: Type.Optional(Type.String()),
  note: Type.Optional(Type.String()),
})

const ListAnswer = Type.Object({
  listId: Type.Integer({ description: 'Names the list in binary answers and in the decision log; never used again.' }),
  name: Type.String(),
  kind: ListKindField,
  title: Type.String(),
  createdAt: Moment,
  activeVersion: Type.Integer({ description: '0: nothing was activated yet.' }),
  entries: Type.Integer({ description: 'Rows on the active version.' }),
  activatedFrom: ListVersionAnswer,
})

const PutList = Type.Object({ kind: ListKindField, title: Type.Optional(Type.String({ maxLength: 200 })) }, STRICT)
const Restore = Type.Object(
  {
    version: Type.Integer({ minimum: 1, maximum: 4_294_967_295 }),
    expectedActive: Type.Optional(Type.Integer({ minimum: 0, description: 'Refuse when another version is active.' })),
  },
  STRICT,
)

type List = ReturnType<ControlServices['lists']['get']>
type Version = List['active']

function representList(list: List) {
  return {
    listId: list.listId,
    name: list.name,
    kind: list.kind,
    title: list.title,
    createdAt: formatTime(list.createdMs),
    activeVersion: list.activeVersion,
    entries: list.active.entryCount,
    activatedFrom: representVersion(list.active, list.activeVersion),
  }
}

function representVersion({ version, entryCount, createdMs, actor, importId, note }: Version, activeVersion: number) {
  return {
    version,
    active: version === activeVersion,
    entries: entryCount,
    createdAt: formatTime(createdMs),
    actor,
    ...(importId === undefined ? {} : { importId }),
    ...(note === undefined ? {} : { note }),
  }
}

export function installListRoutes({ app, services }: RouteContext): void {
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()
  const common = { tag: 'lists', access: ['analyst'] } as const
  const params = { name: ListName }

  typed.put(
    '/v1/lists/:name',
    operation({
      ...common,
      summary: 'Create a list, or change its title',
      write: true,
      params,
      body: PutList,
      answers: { 200: ListAnswer, 201: ListAnswer },
      errors: ['LIST_NAME_INVALID', 'LIST_KIND_CONFLICT', 'LISTS_TOO_MANY'],
    }),
    async (request, reply) => {
      const { kind, title } = request.body
      const { list, created } = await services.lists.put({ name: request.params.name, kind, title }, request.actor)
      reply.code(created ? 201 : 200)
      return representList(list)
    },
  )
  typed.get(
    '/v1/lists',
    operation({ ...common, summary: 'All lists', answers: { 200: Type.Object({ lists: Type.Array(ListAnswer) }) } }),
    async () => ({ lists: services.lists.all().map(representList) }),
  )
  typed.get(
    '/v1/lists/:name',
    operation({ ...common, summary: 'One list', params, answers: { 200: ListAnswer }, errors: ['LIST_UNKNOWN'] }),
    async (request) => representList(services.lists.get(request.params.name)),
  )
  typed.get(
    '/v1/lists/:name/versions',
    operation({
      ...common,
      summary: 'Versions of a list that can be restored, newest first',
      params,
      answers: { 200: Type.Object({ versions: Type.Array(ListVersionAnswer) }) },
      errors: ['LIST_UNKNOWN'],
    }),
    async (request) => {
      const { name, activeVersion } = services.lists.get(request.params.name)
      const versions = services.lists.versions(name).map((version) => representVersion(version, activeVersion))
      return { versions: versions.reverse() }
    },
  )
  typed.post(
    '/v1/lists/:name/restore',
    operation({
      ...common,
      summary: 'Make an older version the active one',
      write: true,
      params,
      body: Restore,
      answers: { 200: ListAnswer },
      errors: ['LIST_UNKNOWN', 'VERSION_UNKNOWN', 'LIST_CHANGED', 'CONTENTS_GONE'],
    }),
    async (request) => {
      const { version, expectedActive } = request.body
      return representList(await services.lists.restore(request.params.name, version, expectedActive, request.actor))
    },
  )
}
