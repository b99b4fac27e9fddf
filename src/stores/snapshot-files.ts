import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'

/**
 * Snapshots of memory that a restart should not forget: one file a part, replaced as a whole. Losing one costs knowledge,
 * never an answer, so whatever is wrong with a file is told and the part begins empty.
 */
export type SnapshotPart = {
  /** Part of a file name. */
  readonly name: string
  /** Changes when the contents do: what is on disk already is not written again. Left out: always written. */
  readonly mark?: () => string
  /** Undefined: nothing to keep. Later, for one that is made in slices. */
  readonly toBytes: () => Uint8Array | undefined | Promise<Uint8Array | undefined>
  /** False: not wanted any more. Throws when the bytes are damaged or something else. */
  readonly fromBytes: (bytes: Uint8Array) => boolean
}

export type SnapshotFilesOptions = {
  readonly directory: string
  /** Names whose files these are: two processes keep their own. */
  readonly owner: string
  /** An older file tells nothing any more. */
  readonly ageMsMax: number
}

export type SnapshotFilesDependencies = {
  readonly parts: readonly SnapshotPart[]
  readonly now: () => number
  /** A part that could not be read or written. */
  readonly onFault: (fault: { part: string; isWrite: boolean; error: unknown }) => void
}

export type SnapshotFiles = {
  /** Takes up every part that is there; returns the names of those. Once, before the first write. */
  restore(): Promise<string[]>
  /**
   * Writes every part that has changed, one after the other, so that no more than one copy is in memory. A write under way is
   * joined: a second one then finds what came in meanwhile. Never rejects.
   */
  write(): Promise<void>
}

const ENDING = '.snapshot'
const DRAFT = '.draft'

export function createSnapshotFiles(
  { directory, owner, ageMsMax }: SnapshotFilesOptions,
  { parts, now, onFault }: SnapshotFilesDependencies,
): SnapshotFiles {
  const fileOf = (part: SnapshotPart) => path.join(directory, `${owner}-${part.name}${ENDING}`)
  const written = new Map<SnapshotPart, string>()
  let writing: Promise<void> | undefined

  async function restorePart(part: SnapshotPart): Promise<boolean> {
    const file = fileOf(part)
    try {
      if (!existsSync(file) || now() - statSync(file).mtimeMs > ageMsMax) return false
      return part.fromBytes(await readFile(file))
    } catch (error) {
      onFault({ part: part.name, isWrite: false, error })
      return false
    }
  }

  async function writePart(part: SnapshotPart): Promise<void> {
    const mark = part.mark?.()
    if (mark !== undefined && mark === written.get(part)) return
    try {
      const bytes = await part.toBytes()
      if (bytes === undefined) return
      await replaceFile(fileOf(part), bytes)
      if (mark !== undefined) written.set(part, mark)
    } catch (error) {
      onFault({ part: part.name, isWrite: true, error })
    }
  }

  async function writeAll(): Promise<void> {
    for (const part of parts) await writePart(part)
    await syncDirectory(directory).catch((error) => onFault({ part: 'directory', isWrite: true, error }))
  }

  return {
    async restore() {
      removeDrafts(directory, owner)
      const restored: string[] = []
      for (const part of parts) if (await restorePart(part)) restored.push(part.name)
      return restored
    },
    write() {
      writing ??= writeAll().finally(() => {
        writing = undefined
      })
      return writing
    },
  }
}

/** Readers see the old file or the new one: written beside, synced, renamed. The directory is synced by the caller. */
async function replaceFile(name: string, bytes: Uint8Array): Promise<void> {
  const draft = `${name}.${process.pid}${DRAFT}`
  const file = await open(draft, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(draft, name)
}

async function syncDirectory(name: string): Promise<void> {
  const directory = await open(name, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** What a process left that was killed while it wrote. */
function removeDrafts(directory: string, owner: string): void {
  for (const name of readdirSync(directory)) {
    if (name.startsWith(`${owner}-`) && name.endsWith(DRAFT)) rmSync(path.join(directory, name), { force: true })
  }
}
