import { closeSync, mkdirSync, openSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { Cleanup } from './cleanup.ts'
import { run, succeeds } from './shell.ts'

/** A file system of its own in a file, so that a disk can be filled, broken and cut off without touching the machine's. */
export type LoopDisk = {
  /** Where it is mounted. */
  readonly directory: string
  /** What was not synced is lost from now on, as with the power; every access fails until it is mounted again. */
  cutPower(): void
  /** Mounts it anew, replaying its journal. Whoever held files on it must have ended. */
  mountAgain(): void
  /** As the kernel does after a disk error: every write fails, reading goes on. Ends with mountAgain(). */
  becomeReadOnly(): void
}

type DiskOptions = { readonly folder: string; readonly mebibytes: number }

export function makeLoopDisk(cleanup: Cleanup, { folder, mebibytes }: DiskOptions): LoopDisk {
  const image = path.join(folder, 'disk.img')
  const directory = path.join(folder, 'disk')
  mkdirSync(directory, { recursive: true })
  writeFileSync(image, '')
  truncateSync(image, mebibytes * 2 ** 20)
  run('mkfs.ext4', '-q', '-F', image)
  const mount = () => run('mount', '-o', 'loop,errors=remount-ro', image, directory)
  mount()
  cleanup.defer(() => void succeeds('umount', '-l', directory))
  return {
    directory,
    cutPower: () => void run('xfs_io', '-x', '-c', 'shutdown', directory),
    mountAgain() {
      run('umount', directory)
      mount()
    },
    becomeReadOnly: () => void run('mount', '-o', 'remount,abort', directory),
  }
}

/** A small disk in memory; returns where it is mounted. */
export function mountTmpfs(cleanup: Cleanup, { folder, mebibytes }: DiskOptions): string {
  const directory = path.join(folder, 'disk')
  mkdirSync(directory, { recursive: true })
  run('mount', '-t', 'tmpfs', '-o', `size=${mebibytes}m`, 'tmpfs', directory)
  cleanup.defer(() => void succeeds('umount', '-l', directory))
  return directory
}

/** Takes the last page that is free; returns how to give them all back. */
export function fillDisk(directory: string): () => void {
  const name = path.join(directory, 'filler')
  const file = openSync(name, 'w')
  for (const bytes of [2 ** 20, 4_096, 1]) {
    const block = Buffer.alloc(bytes)
    try {
      while (writeSync(file, block) === bytes);
    } catch {}
  }
  closeSync(file)
  return () => rmSync(name, { force: true })
}
