import { ScreeningError } from '../../domain/errors.ts'

/** The disk or its quota is full, or the memory map is (MDB_MAP_FULL, -30792). */
const FULL = /MDB_MAP_FULL|ENOSPC|EDQUOT|No space left|quota exceeded/i

/** What LMDB or the file system threw, as an operating error with a next step. ScreeningErrors pass unchanged. */
export function storageError(cause: unknown, doing: string): ScreeningError {
  if (cause instanceof ScreeningError) return cause
  const text = cause instanceof Error ? cause.message : String(cause)
  if (FULL.test(text) || codeOf(cause) === 28 || codeOf(cause) === 'ENOSPC') {
    return new ScreeningError(
      'STORAGE_FULL',
      `The data directory is full: ${doing} was not done, nothing was changed.`,
      { hint: 'Free disk space or move the data directory; reading goes on, writing resumes by itself.' },
      { cause },
    )
  }
  return new ScreeningError('STORAGE_FAILED', `The storage failed: ${doing} was not done: ${text}.`, {}, { cause })
}

function codeOf(cause: unknown): unknown {
  return typeof cause === 'object' && cause !== null && 'code' in cause ? cause.code : undefined
}
