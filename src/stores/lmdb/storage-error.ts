import { statfsSync } from 'node:fs'
import { ScreeningError } from '../../domain/errors.ts'

/** Error numbers: no space left (28), quota exceeded (122), input/output error (5). */
const FULL_CODES: readonly unknown[] = [28, 122, 'ENOSPC', 'EDQUOT']
const FULL_TEXT = /MDB_MAP_FULL|ENOSPC|EDQUOT|No space left|quota exceeded/i
const INPUT_OUTPUT = 5

/** When a write came back short, less free space than this says why: a batch of blocks is about 1 MB. */
const FREE_BYTES_FULL = 4 * 2 ** 20

/**
 * What LMDB or the file system threw, as an operating error with a next step. ScreeningErrors pass unchanged. `path` is a file or
 * folder of the data directory.
 */
export function storageError(cause: unknown, doing: string, path: string): ScreeningError {
  if (cause instanceof ScreeningError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  if (isFull(cause, text, path)) {
    return new ScreeningError(
      'STORAGE_FULL',
      `The data directory is full: ${doing} was not done, nothing was changed.`,
      { hint: 'Free disk space or move the data directory; reading goes on, writing resumes by itself.' },
      { cause },
    )
  }
  return new ScreeningError('STORAGE_FAILED', `The storage failed: ${doing} was not done: ${text}.`, {}, { cause })
}

/** A disk that fills up in the middle of a write makes it short, which LMDB reports as an input/output error. */
function isFull(cause: unknown, text: string, path: string): boolean {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
  if (FULL_CODES.includes(code) || FULL_TEXT.test(text)) return true
  return code === INPUT_OUTPUT && freeBytes(path) < FREE_BYTES_FULL
}

function freeBytes(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
