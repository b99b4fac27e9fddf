import { open, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ScreeningError } from '../../domain/errors.ts'
import { CANDIDATE_TYPE } from '../../services/rehearsal-desk.ts'
import { jsonReader } from './parse-json-body.ts'
import { createSpool, type SpoolOptions } from './spool-upload.ts'

/** NDJSON under each of its names. */
export const EVENT_TYPES = ['application/x-ndjson', 'application/jsonl', 'application/x-jsonlines', 'text/jsonl']

const LINE_FEED = 10

/**
 * Takes bodies of events, one a line, in this scope: they go to a file, and what its first line says about the candidate becomes
 * the body, as if it had been sent as JSON. Returns the file of a request; it is removed when the request is answered.
 */
export function acceptEvents(
  scope: FastifyInstance,
  options: SpoolOptions & { readonly candidateBytesMax: number },
): (request: FastifyRequest) => string | undefined {
  const spool = createSpool(options)
  const readJson = jsonReader(scope)
  const files = new WeakMap<FastifyRequest, string>()
  scope.addContentTypeParser(EVENT_TYPES, async (request: FastifyRequest, payload: Readable) => {
    const { path } = await spool(request, payload).catch(refuseTooLarge)
    files.set(request, path)
    return candidateIn(await firstLine(path, options.candidateBytesMax), (text) => readJson(request, text))
  })
  scope.addHook('onResponse', async (request) => {
    const file = files.get(request)
    // What cannot be removed now is found at the next start.
    if (file !== undefined) await rm(file, { force: true }).catch(() => {})
  })
  return (request) => files.get(request)
}

/** The limit of events is not that of lists. */
function refuseTooLarge(error: unknown): never {
  if (!(error instanceof ScreeningError) || error.code !== 'IMPORT_TOO_LARGE') throw error
  throw new ScreeningError('EVENTS_TOO_MANY', error.message, { bytesMax: error.details.bytesMax }, { cause: error })
}

/** The candidate without its type; nothing when the first line is an event already. */
async function candidateIn(line: string, readJson: (text: string) => Promise<unknown>): Promise<object> {
  if (!line.includes(CANDIDATE_TYPE)) return {}
  const value = await readJson(line).catch((cause: unknown) => {
    const detail = 'Line 1 is not JSON.'
    throw new ScreeningError('EVENTS_INVALID', detail, { errors: [{ pointer: '', detail }] }, { cause })
  })
  if (typeof value !== 'object' || value === null || !('type' in value) || value.type !== CANDIDATE_TYPE) return {}
  const { type: _, ...candidate } = value
  return candidate
}

/** Throws BODY_TOO_LARGE when a candidate does not end within `bytesMax`. */
async function firstLine(path: string, bytesMax: number): Promise<string> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytesMax + 1), 0, bytesMax + 1, 0)
    const feed = buffer.subarray(0, bytesRead).indexOf(LINE_FEED)
    if (feed < 0 && bytesRead > bytesMax) {
      throw new ScreeningError('BODY_TOO_LARGE', `The first line has more than ${bytesMax} bytes.`)
    }
    return buffer.toString('utf8', 0, feed < 0 ? bytesRead : feed)
  } finally {
    await file.close()
  }
}
