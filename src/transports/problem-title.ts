import type { ErrorCode } from '../domain/errors.ts'

/** The title of a problem document on either port: its code as words, LIST_UNKNOWN is "List unknown". */
export function problemTitle(code: ErrorCode): string {
  const words = code.toLowerCase().replaceAll('_', ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}
