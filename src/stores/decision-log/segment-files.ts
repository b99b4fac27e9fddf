import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { SegmentFile } from './retention.ts'

/** The few file operations of the writer, so that tests can make the disk full. All throw what node:fs throws. */
export type SegmentFiles = {
  /** Creates the file; EEXIST when there is one of that name. */
  create(name: string): number
  /** Returns how many bytes were written, which may be fewer. */
  write(file: number, bytes: Uint8Array, position: number): number
  close(file: number): void
  list(): SegmentFile[]
  remove(name: string): void
}

/** In a directory that only its owner may read: records name callers. Created when it is missing. */
export function openSegmentFiles(directory: string): SegmentFiles {
  return {
    create(name) {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      return openSync(path.join(directory, name), 'wx', 0o600)
    },
    write: (file, bytes, position) => writeSync(file, bytes, 0, bytes.byteLength, position),
    close: (file) => closeSync(file),
    list: () =>
      readdirSync(directory).flatMap((name) => {
        const stats = statSync(path.join(directory, name), { throwIfNoEntry: false })
        return stats?.isFile() ? [{ name, bytes: stats.size }] : []
      }),
    remove: (name) => rmSync(path.join(directory, name), { force: true }),
  }
}
