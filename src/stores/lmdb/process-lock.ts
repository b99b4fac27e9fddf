/**
 * One writer process per data directory. The lock is the kernel's (flock on an open file): it goes away with the process
 * however that ends, and it holds between containers that share the directory, where process ids mean nothing.
 *
 * Node cannot call flock itself, so the `flock` program does (util-linux or busybox, part of every Linux): it locks the
 * file it inherited from us and exits, the lock stays with our open file. Where there is no such program, the process id
 * in the file must be dead.
 */
import { spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { ScreeningError } from '../../domain/errors.ts'
import { storageError } from './storage-error.ts'

export const LOCK_FILE = 'control.lock'

export type ProcessLock = { release(): void }

/** Throws STORAGE_LOCKED when another process (or another store of this one) holds the directory. */
export function lockDirectory(directory: string): ProcessLock {
  const path = join(directory, LOCK_FILE)
  let file: number
  try {
    mkdirSync(directory, { recursive: true })
    // Appending never truncates: until we hold the lock the text is the holder's.
    file = openSync(path, 'a+', 0o644)
  } catch (error) {
    throw storageError(error, 'locking the data directory', directory)
  }
  const holder = readFileSync(path, 'utf8').trim()
  if (!tryLock(file, holder)) {
    closeSync(file)
    throw new ScreeningError(
      'STORAGE_LOCKED',
      `The data directory is in use by another control process${holder === '' ? '' : ` (process ${holder})`}.`,
      { hint: 'Stop that process, or give this one a data directory of its own (ZASLON_DATA_DIR).' },
    )
  }
  try {
    ftruncateSync(file)
    writeSync(file, `${process.pid}\n`)
  } catch {
    // A full disk: the lock holds without the process id, which only makes the message of the next one shorter.
  }
  return { release: () => closeSync(file) }
}

function tryLock(file: number, holder: string): boolean {
  const flock = spawnSync('flock', ['-n', '-x', '3'], { stdio: ['ignore', 'ignore', 'ignore', file] })
  if (flock.status === 0) return true
  if (flock.status === 1) return false
  return !isAlive(Number.parseInt(holder, 10))
}

function isAlive(processId: number): boolean {
  if (!(processId > 0)) return false
  try {
    process.kill(processId, 0)
    return true
  } catch (error) {
    // EPERM: it lives and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
