import { ScreeningError } from '../../domain/errors.ts'

/** First byte of every JSON value. Another byte would mean another encoding, not another shape: shapes are migrated. */
const JSON_FORMAT = 1

export function encodeJson(value: unknown): Buffer {
  const text = JSON.stringify(value)
  const bytes = Buffer.allocUnsafe(1 + Buffer.byteLength(text))
  bytes[0] = JSON_FORMAT
  bytes.write(text, 1)
  return bytes
}

/** The caller names the type because it named the key: what was written there is what is read. */
export function decodeJson<T>(bytes: Uint8Array): T {
  if (bytes[0] !== JSON_FORMAT) {
    throw new ScreeningError('STORAGE_FORMAT', `A stored value has format ${bytes[0]}, expected ${JSON_FORMAT}.`)
  }
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1).toString())
}
