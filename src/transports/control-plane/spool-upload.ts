import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fastifyMultipart from '@fastify/multipart'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ScreeningError } from '../../domain/errors.ts'

/** A complete upload on disk. */
export type SpooledUpload = {
  readonly path: string
  readonly bytes: number
  /** What the client calls the file; multipart only. */
  readonly fileName?: string
  /** SHA-256 of the content, hexadecimal. */
  readonly digest: string
}

export type SpoolOptions = { readonly directory: string; readonly bytesMax: number; readonly uploadsMax: number }

/** Text is text: what is in it decides, not what the client calls it. */
const UPLOAD_TYPES = ['text/csv', 'text/plain', 'application/csv', 'application/octet-stream']

/** RFC 2046 section 5.1.1. */
const BOUNDARY_CHARS_MAX = 70

/** Made ready in a scope of its own: bodies of its routes are streams that nobody has touched. */
export async function acceptUploads(scope: FastifyInstance, options: SpoolOptions): Promise<void> {
  scope.removeAllContentTypeParsers()
  await scope.register(fastifyMultipart, {
    throwFileSizeLimit: false,
    limits: { fileSize: options.bytesMax, files: 1, fields: 0, parts: 1, headerPairs: 32 },
  })
  scope.addContentTypeParser(UPLOAD_TYPES, (_request, payload, done) => done(null, payload))
}

/**
 * Writes uploads to files, never holding more than a chunk in memory. An upload that breaks off, is too large or does not
 * fit on the disk leaves nothing behind. A content type parser hands over the `body` it was given.
 */
export function createSpool(
  options: SpoolOptions,
): (request: FastifyRequest, body?: Readable) => Promise<SpooledUpload> {
  let uploads = 0
  return async (request, body) => {
    refuseEncoded(request)
    const isMultipart = body === undefined && request.isMultipart()
    refuseAnnounced(request, options.bytesMax, isMultipart)
    if (uploads >= options.uploadsMax) {
      throw new ScreeningError('QUEUE_FULL', `${uploads} uploads are arriving already.`, { retryAfterSeconds: 5 })
    }
    uploads++
    const file = path.join(options.directory, `upload-${randomUUID()}.spool`)
    try {
      await mkdir(options.directory, { recursive: true })
      if (body !== undefined) return await write(body, file, options.bytesMax)
      return isMultipart ? await spoolPart(request, file, options) : await spoolBody(request, file, options)
    } catch (error) {
      // What failed first is what the client is told; a rest that cannot be removed is found at the next start.
      await rm(file, { force: true }).catch(() => {})
      throw storageError(error)
    } finally {
      uploads--
    }
  }
}

async function spoolBody(request: FastifyRequest, file: string, { bytesMax }: SpoolOptions): Promise<SpooledUpload> {
  if (!isReadable(request.body)) {
    throw new ScreeningError('MEDIA_TYPE_UNSUPPORTED', 'An upload needs a body with a content type.', {
      hint: 'Send the file as text/csv, or as the one file of a multipart/form-data body.',
    })
  }
  return await write(request.body, file, bytesMax)
}

async function spoolPart(request: FastifyRequest, file: string, { bytesMax }: SpoolOptions): Promise<SpooledUpload> {
  const boundary = /boundary="?([^";]*)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? ''
  if (boundary.length < 1 || boundary.length > BOUNDARY_CHARS_MAX) {
    throw new ScreeningError('BODY_INVALID', 'The multipart body names no boundary of 1 to 70 characters.', {
      hint: 'Name it in the content type, as in multipart/form-data; boundary=XX.',
    })
  }
  let upload: SpooledUpload | undefined
  for await (const part of request.parts()) {
    if (part.type !== 'file')
      throw new ScreeningError('BODY_INVALID', 'The multipart body has fields besides the file.')
    upload = await write(part.file, file, bytesMax)
    // The parser cuts a file off at the limit without an error: what was written is not what was sent.
    if (part.file.truncated) throw tooLarge(bytesMax)
    upload = { ...upload, fileName: part.filename }
  }
  if (upload === undefined) throw new ScreeningError('BODY_INVALID', 'The multipart body has no file.')
  return upload
}

async function write(source: Readable, file: string, bytesMax: number): Promise<SpooledUpload> {
  const hash = createHash('sha256')
  let bytes = 0
  const measure = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.byteLength
      if (bytes > bytesMax) {
        done(tooLarge(bytesMax))
        return
      }
      hash.update(chunk)
      done(null, chunk)
    },
  })
  // Opened first: a stream that fails while its file is being opened would make it after it was removed. What fails meanwhile is
  // told by the pipeline.
  source.on('error', () => {})
  const opened = await open(file, 'wx', 0o600)
  await pipeline(source, measure, opened.createWriteStream())
  return { path: file, bytes, digest: hash.digest('hex') }
}

function refuseEncoded(request: FastifyRequest): void {
  const encoding = request.headers['content-encoding']
  if (encoding === undefined || encoding === 'identity') return
  throw new ScreeningError('MEDIA_TYPE_UNSUPPORTED', 'Compressed uploads are not supported.', {
    hint: 'Send the file as it is, without Content-Encoding.',
  })
}

function refuseAnnounced(request: FastifyRequest, bytesMax: number, isMultipart: boolean): void {
  const announced = Number(request.headers['content-length'] ?? 0)
  // A multipart body has a few hundred bytes around its file; the exact check follows while it arrives.
  if (announced > bytesMax + (isMultipart ? 65_536 : 0)) throw tooLarge(bytesMax)
}

function tooLarge(bytesMax: number): ScreeningError {
  return new ScreeningError('IMPORT_TOO_LARGE', `The upload is larger than ${bytesMax} bytes.`, { bytesMax })
}

function isReadable(body: unknown): body is Readable {
  return typeof body === 'object' && body !== null && 'pipe' in body
}

function storageError(error: unknown): unknown {
  if (error instanceof ScreeningError || !(error instanceof Error)) return error
  // The multipart parser gives its errors no code.
  if (/unexpected end of multipart data/i.test(error.message)) return brokenOff(error)
  if (!('code' in error)) return error
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    return new ScreeningError('STORAGE_FULL', 'The upload does not fit on the data disk.', {}, { cause: error })
  }
  const isClientGone = error.code === 'ECONNRESET' || error.code === 'ERR_STREAM_PREMATURE_CLOSE'
  if (isClientGone) return brokenOff(error)
  // A system call on the spool file: the disk is read-only (EROFS) or broken (EIO).
  return 'path' in error || error.code === 'EIO' || error.code === 'EROFS'
    ? new ScreeningError('STORAGE_FAILED', `The upload cannot be kept: ${error.code}.`, {}, { cause: error })
    : error
}

function brokenOff(cause: Error): ScreeningError {
  return new ScreeningError('BODY_INVALID', 'The upload broke off before its end; nothing was changed.', {}, { cause })
}
