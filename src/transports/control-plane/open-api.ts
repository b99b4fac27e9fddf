import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { ControlPlaneOptions } from './dependencies.ts'

const TAGS = [
  { name: 'reports', description: 'What subscribers say.' },
  { name: 'lists', description: 'Numbers, prefixes and ranges, and what being on them means.' },
  { name: 'imports', description: 'Uploads of lists: preview, activate, cancel.' },
  { name: 'numbers', description: 'Everything known about one number.' },
  { name: 'reviews', description: 'Numbers a person should look at.' },
  { name: 'policy', description: 'Which signals count, how much, and where the thresholds lie.' },
  { name: 'decisions', description: 'Recorded verdicts, and explanations.' },
  { name: 'numbering', description: 'Which numbers exist.' },
  { name: 'service', description: 'Health, metrics, the audit log, and how the node stands to its record.' },
] as const

/** The OpenAPI 3.1 document at /docs/json: made from the same schemas that validate requests. */
export function openApiOptions(options: ControlPlaneOptions): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Zaslon control plane',
        version: options.version,
        description:
          'Reports, lists, reviews, policy and explanations. Failures are problem documents (RFC 9457) with a stable `code`. ' +
          'Unknown fields are refused on writes. Times are RFC 3339 or epoch milliseconds in, RFC 3339 out.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      tags: [...TAGS],
      components: {
        securitySchemes: {
          key: { type: 'http', scheme: 'bearer', description: 'An API key; not needed while none are configured.' },
        },
      },
    },
    refResolver: {
      buildLocalReference: (json, _baseUri, _fragment, index) =>
        typeof json.$id === 'string' ? json.$id : `schema-${index}`,
    },
  }
}
