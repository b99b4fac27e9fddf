import { createHmac } from 'node:crypto'
import { isPhoneNumber, isShortCode, type ParsedNumber } from '../domain/phone-number.ts'

/**
 * Keyed pseudonyms. A phone number has so few values that a bare hash is reversed in minutes, so every pseudonym is an
 * HMAC-SHA-256 (RFC 2104) with a key that never leaves the node; the same key on all nodes gives the same pseudonyms.
 */
export type Pseudonyms = {
  /**
   * The pseudonym of who reported: 32 hexadecimal digits. A phone number gives the same one in whatever form it was
   * written; anything else is an opaque id, compared after trimming and Unicode normalisation (NFC).
   */
  reporter(text: string): string
  /** The pseudonym of a household, an opaque id read likewise: never that of a reporter. */
  household(text: string): string
}

export type PseudonymOptions = {
  /** At least PSEUDONYM_KEY_BYTES_MIN bytes. */
  readonly key: Uint8Array
}

export type PseudonymDependencies = {
  /** parsePhoneNumber in mode `call` with the rules of the home country. */
  readonly parse: (text: string) => ParsedNumber
}

/** 128 bits: what an attacker cannot try. The key file holds 256. */
export const PSEUDONYM_KEY_BYTES_MIN = 16

/** 128 bits: two of 2^32 reporters meet with a chance of 2^-65. */
const PSEUDONYM_HEX_DIGITS = 32

export function createPseudonyms(options: PseudonymOptions, { parse }: PseudonymDependencies): Pseudonyms {
  if (options.key.byteLength < PSEUDONYM_KEY_BYTES_MIN) {
    throw new RangeError(
      `The pseudonym key has ${options.key.byteLength} bytes, at least ${PSEUDONYM_KEY_BYTES_MIN} are needed.`,
    )
  }
  const hmac = (kind: string, value: string) =>
    createHmac('sha256', options.key).update(`${kind}\0${value}`).digest('hex').slice(0, PSEUDONYM_HEX_DIGITS)
  const opaque = (text: string) => text.trim().normalize('NFC')
  return {
    reporter(text) {
      const parsed = parse(text)
      const isSubscriber = isPhoneNumber(parsed) && !isShortCode(parsed)
      return isSubscriber ? hmac('reporter-number', String(parsed)) : hmac('reporter-id', opaque(text))
    },
    household: (text) => hmac('household', opaque(text)),
  }
}
