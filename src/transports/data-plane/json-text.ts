import { isAscii, isUtf8 } from 'node:buffer'

/**
 * The text of a body, or undefined when it is not UTF-8 (RFC 8259 allows nothing else). Nearly every body is ASCII, and
 * a Latin-1 copy of it makes a one-byte string, which JSON.parse reads fastest.
 */
export function decodeBody(bytes: Uint8Array): string | undefined {
  const buffer = asBuffer(bytes)
  if (isAscii(buffer)) return buffer.toString('latin1')
  return isUtf8(buffer) ? buffer.toString('utf8') : undefined
}

/** The same bytes with the methods of a Buffer. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** What parseJson answers for a text that is not JSON; no JSON text parses to a symbol. */
export const MALFORMED = Symbol('malformed JSON')

/** JSON.parse without the throw: its message quotes the text, and a text may hold a phone number. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return MALFORMED
  }
}

/** A JSON object as a client sent it: any field may be missing or of any type. */
export type JsonObject = { readonly [field: string]: unknown }

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
