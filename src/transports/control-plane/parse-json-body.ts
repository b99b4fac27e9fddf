import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ScreeningError } from '../../domain/errors.ts'

/** Our deepest body (a policy) has 4 levels; recursion over hostile depths is what this keeps out. */
export const JSON_DEPTH_MAX = 32

/**
 * Replaces fastify's JSON parser by one that also refuses bytes that are not UTF-8 (RFC 8259 8.1), another charset, and
 * nesting beyond JSON_DEPTH_MAX. Plain text is no longer a body either. `__proto__` and `constructor.prototype` keys are refused as before.
 */
export function installJsonParser(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  const decoder = new TextDecoder('utf-8', { fatal: true })
  app.removeContentTypeParser(['application/json', 'text/plain'])
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request: FastifyRequest, body: Buffer, done) => {
    // Clients that always name JSON send actions without a body too; a route that needs one says so itself.
    if (body.length === 0) return done(null, undefined)
    try {
      checkCharset(request.headers['content-type'] ?? '')
      const text = decode(decoder, body)
      checkDepth(text)
      parseJson(request, text, done)
    } catch (error) {
      done(error as Error)
    }
  })
}

/** Reads JSON that is no body of its own by the same rules. Rejects with JSON_MALFORMED or what fastify's parser throws. */
export function jsonReader(app: FastifyInstance): (request: FastifyRequest, text: string) => Promise<unknown> {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  return async (request, text) => {
    checkDepth(text)
    return new Promise((resolve, reject) => {
      parseJson(request, text, (error, value) => (error ? reject(error) : resolve(value)))
    })
  }
}

function checkCharset(contentType: string): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new ScreeningError('MEDIA_TYPE_UNSUPPORTED', 'JSON is read as UTF-8 only, another charset was named.')
  }
}

function decode(decoder: InstanceType<typeof TextDecoder>, body: Buffer): string {
  try {
    return decoder.decode(body)
  } catch (cause) {
    throw new ScreeningError('JSON_MALFORMED', 'The body is not valid UTF-8.', {}, { cause })
  }
}

/** Counts brackets outside of strings: one pass, no recursion, before anything recursive sees the text. */
function checkDepth(text: string): void {
  let depth = 0
  let inString = false
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    if (inString) {
      if (unit === 0x5c) i++
      else if (unit === 0x22) inString = false
    } else if (unit === 0x22) inString = true
    else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > JSON_DEPTH_MAX) {
        throw new ScreeningError('JSON_MALFORMED', `The body is nested more than ${JSON_DEPTH_MAX} levels deep.`)
      }
    } else if (unit === 0x5d || unit === 0x7d) depth--
  }
}
