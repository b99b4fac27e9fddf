/**
 * One LMDB environment (one file and its `-lock`), opened the same way by everybody.
 *
 * Durability: `overlappingSync` is off. A commit writes its pages, syncs them, and only then writes the meta page through
 * a synchronous descriptor (lmdb 3.5.6, mdb_txn_commit): when a transaction's promise resolves, or transactionSync
 * returns, it survives kill -9 and a power cut, and a power cut in the middle leaves the commit before. With
 * `overlappingSync` (the default of lmdb-js) the promise resolves before the sync.
 *
 * Freshness: lmdb-js keeps one read transaction until a timer of the event loop runs, so a reader may not see what
 * another process committed a moment ago. refresh() drops it: the next read sees the newest commit.
 *
 * Threads of one process that open the same file share one environment inside lmdb-js, with the flags of the first one:
 * never open a file read-only first and writable later in the same process.
 */
import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { ScreeningError } from '../../domain/errors.ts'
import { keyAfterPrefix } from './keys.ts'
import { storageError } from './storage-error.ts'
import { decodeJson } from './values.ts'

/**
 * Address space, not memory or disk: the file grows as rows come, and lmdb-js maps more when that is not enough. 64 GiB hold 60 million reports at 1 KiB with all their
 * rows, or fifteen thousand million listed numbers.
 */
const MAP_BYTES = 64 * 2 ** 30

/** One slot of 64 bytes per reading thread and environment; a verdict thread takes two in each. */
const READERS_MAX = 1_024

export type Database = RootDatabase<Buffer, Buffer>

export type EnvironmentOptions = {
  readonly path: string
  readonly readOnly: boolean
}

type ScanOptions = {
  readonly prefix: Buffer
  /** Start behind this key (before it, when reverse). */
  readonly beyond?: Buffer
  readonly reverse?: boolean
  readonly limit: number
}

export type Environment = {
  readonly db: Database
  readonly path: string
  readonly readOnly: boolean
  /** Makes the next read see the newest commit of every process. */
  refresh(): void
  bytes(key: Buffer): Buffer | undefined
  json<T>(key: Buffer): T | undefined
  /** Visits keys and values in order; `value` is valid during the visit only. */
  scan(options: ScanOptions, visit: (key: Buffer, value: Buffer) => void): void
  close(): Promise<void>
}

/** Rejects with UNAVAILABLE when it is read-only and not there yet, STORAGE_FAILED or STORAGE_FULL when LMDB refuses. */
export function openEnvironment(options: EnvironmentOptions): Environment {
  if (options.readOnly && !existsSync(options.path)) {
    throw new ScreeningError('UNAVAILABLE', 'The data directory holds no data yet.', {
      path: options.path,
      hint: 'Start the control process first: it creates the files.',
    })
  }
  const db = openDatabase(options)
  return {
    db,
    path: options.path,
    readOnly: options.readOnly,
    refresh: () => db.resetReadTxn(),
    bytes: (key) => db.getBinary(key),
    json<T>(key: Buffer): T | undefined {
      const bytes = db.getBinary(key)
      return bytes === undefined ? undefined : decodeJson<T>(bytes)
    },
    scan: (scan, visit) => scanDatabase(db, scan, visit),
    close: () => db.close(),
  }
}

function openDatabase(options: EnvironmentOptions): Database {
  try {
    mkdirSync(dirname(options.path), { recursive: true })
    return open<Buffer, Buffer>({
      path: options.path,
      noSubdir: true,
      readOnly: options.readOnly,
      encoding: 'binary',
      keyEncoding: 'binary',
      mapSize: MAP_BYTES,
      maxReaders: READERS_MAX,
      overlappingSync: false,
      eventTurnBatching: false,
    })
  } catch (error) {
    throw storageError(error, 'opening it', dirname(options.path))
  }
}

function scanDatabase(db: Database, options: ScanOptions, visit: (key: Buffer, value: Buffer) => void): void {
  const { prefix, beyond, reverse = false } = options
  const first = beyond ?? (reverse ? keyAfterPrefix(prefix) : prefix)
  const last = reverse ? prefix : keyAfterPrefix(prefix)
  let left = options.limit
  if (left <= 0) return
  // One row more than asked for: the row at `beyond` itself is skipped.
  for (const { key, value } of db.getRange({ start: first, end: last, reverse, limit: left + 1 })) {
    if (beyond?.equals(key)) continue
    visit(key, value)
    if (--left === 0) return
  }
}
