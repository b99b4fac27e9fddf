import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type { FastifyReply } from 'fastify'
import { Type } from 'typebox'
import { ScreeningError } from '../../../domain/errors.ts'
import type { PolicyVersion } from '../../../domain/policy.ts'
import { POLICY_CHARS_MAX } from '../../../services/change-policy.ts'
import { formatTime } from '../../../services/parse-time.ts'
import type { RouteContext } from '../dependencies.ts'
import { Moment, operation, STRICT } from '../schemas.ts'

const PolicyText = Type.String({ minLength: 1, maxLength: POLICY_CHARS_MAX, description: 'YAML.' })
const PolicyObject = Type.Record(Type.String(), Type.Unknown())
/** A policy in either form, for whatever takes one. */
export const CandidatePolicy = {
  text: Type.Optional(PolicyText),
  policy: Type.Optional(
    Type.Unsafe<Record<string, unknown>>({ ...PolicyObject, description: 'The document as JSON.' }),
  ),
}
const PutPolicy = Type.Object(
  { ...CandidatePolicy, expectedVersion: Type.Optional(Type.Integer({ minimum: 0, description: 'As If-Match.' })) },
  STRICT,
)

const VersionProperties = {
  version: Type.Integer(),
  name: Type.String(),
  activatedAt: Moment,
  actor: Type.String(),
  text: Type.String({ description: 'YAML exactly as it was written.' }),
}
const PolicyAnswer = Type.Object({ ...VersionProperties, policy: PolicyObject })
const VersionAnswer = Type.Object(VersionProperties)
const tag = 'policy'

export function installPolicyRoutes(context: RouteContext): void {
  const { app, services } = context
  const typed = app.withTypeProvider<TypeBoxTypeProvider>()

  typed.get(
    '/v1/policy',
    operation({
      tag,
      summary: 'The policy in force; as YAML with Accept: application/yaml',
      access: ['analyst'],
      produces: ['application/json', 'application/yaml'],
      answers: { 200: PolicyAnswer },
      errors: ['NOT_FOUND'],
    }),
    async (request, reply) => {
      const policy = services.policy.current()
      if (policy === undefined) throw new ScreeningError('NOT_FOUND', 'No policy was set yet.')
      reply.header('etag', `"${policy.version}"`)
      if (/^\s*(?:application|text)\/yaml/i.test(request.headers.accept ?? '')) {
        return reply.type('application/yaml; charset=utf-8').send(Buffer.from(policy.text))
      }
      return represent(policy)
    },
  )
  const putOptions = operation({
    tag,
    summary: 'Set the policy, in force everywhere when answered',
    description:
      'JSON with `text` (YAML) or `policy`, or the YAML itself as application/yaml. Refused as a whole with every mistake.',
    access: [],
    write: true,
    consumes: ['application/json', 'application/yaml'],
    body: PutPolicy,
    answers: { 200: PolicyAnswer },
    errors: ['POLICY_INVALID', 'POLICY_CHANGED'],
  })
  app.register(async (scope) => {
    acceptYaml(scope)
    scope.withTypeProvider<TypeBoxTypeProvider>().put('/v1/policy', putOptions, async (request, reply) => {
      const expectedVersion = expectedFrom(request.headers['if-match']) ?? request.body.expectedVersion
      const options = expectedVersion === undefined ? {} : { expectedVersion }
      const policy = await services.policy.put(candidateOf(request.body), options, request.actor)
      return represent(withTag(reply, policy))
    })
  })
  typed.get(
    '/v1/policy/versions',
    operation({
      tag,
      summary: 'Versions of the policy, newest first',
      access: ['analyst'],
      query: { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })) },
      answers: { 200: Type.Object({ versions: Type.Array(VersionAnswer) }) },
    }),
    async ({ query }) => ({
      versions: services.policy.versions(query.limit ?? 20).map((version) => {
        const { policy: _, ...rest } = represent(version)
        return rest
      }),
    }),
  )
}

/** YAML bodies become what the JSON form says: one schema for both. */
function acceptYaml(scope: RouteContext['app']): void {
  const types = ['application/yaml', 'text/yaml', 'application/x-yaml']
  scope.addContentTypeParser(types, { parseAs: 'string' }, (_request, text, done) => done(null, { text }))
}

function candidateOf(body: { text?: string; policy?: Record<string, unknown> }): string | Record<string, unknown> {
  const { text, policy } = body
  if (text !== undefined && policy === undefined) return text
  if (policy !== undefined && text === undefined) return policy
  throw new ScreeningError('BODY_INVALID', 'Exactly one of text and policy is needed.', {
    errors: [{ pointer: '/text', detail: 'The policy as YAML text; or send it as JSON in `policy`.' }],
  })
}

/** `"3"`, `3` or `*` (any version). Throws HEADER_INVALID. */
function expectedFrom(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined
  const version = /^\s*(?:W\/)?"?(\d{1,9})"?\s*$/.exec(header)?.[1]
  if (version === undefined) throw new ScreeningError('HEADER_INVALID', 'If-Match must be the ETag of GET /v1/policy.')
  return Number(version)
}

function withTag(reply: FastifyReply, policy: PolicyVersion): PolicyVersion {
  reply.header('etag', `"${policy.version}"`)
  return policy
}

function represent({ version, text, document, activatedMs, actor }: PolicyVersion) {
  return { version, name: document.name, activatedAt: formatTime(activatedMs), actor, text, policy: { ...document } }
}
