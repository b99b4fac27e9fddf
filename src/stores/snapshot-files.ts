import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { type FileHandle, open, readFile, rename, rm } from 'node:fs/promises'
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
  /** Made as it is written, so that it need not be in memory as a whole. */
  readonly steps: () => SnapshotSteps
  /** False: not wanted any more. Throws when the bytes are damaged or something else. */
  readonly fromBytes: (bytes: Uint8Array) => boolean
}

/**
 * Yields what follows the head, chunk by chunk, each good until the next step; undefined is a step without a chunk. Returns the
 * head, of SNAPSHOT_HEAD_BYTES, which is known last; undefined: nothing to keep.
 */
export type SnapshotSteps = Generator<Uint8Array | undefined, Uint8Array | undefined>

export const SNAPSHOT_HEAD_BYTES = 64

type Rest = () => Promise<void> | undefined

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
  /** Called as a write of all parts begins. What it returns is awaited after each step of a part. */
  readonly beginRests: () => Rest
  /** A part that could not be read or written. */
  readonly onFault: (fault: { part: string; isWrite: boolean; error: unknown }) => void
}

export type SnapshotFiles = {
  /** Takes up every part that is there; returns the names of those. Once, before the first write. */
  restore(): Promise<string[]>
  /**
   * Writes every part that has changed, one after the other. A write under way is joined: a second one then finds what came
   * in meanwhile. Never rejects.
   */
  write(): Promise<void>
}

const ENDING = '.snapshot'
const DRAFT = '.draft'

export function createSnapshotFiles(
  { directory, owner, ageMsMax }: SnapshotFilesOptions,
  { parts, now, beginRests, onFault }: SnapshotFilesDependencies,
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

  async function writePart(part: SnapshotPart, rest: Rest): Promise<void> {
    const mark = part.mark?.()
    if (mark !== undefined && mark === written.get(part)) return
    try {
      const isWritten = await replaceFile(fileOf(part), part.steps(), rest)
      if (isWritten && mark !== undefined) written.set(part, mark)
    } catch (error) {
      onFault({ part: part.name, isWrite: true, error })
    }
  }

  async function writeParts(): Promise<void> {
    const rest = beginRests()
    for (const part of parts) await writePart(part, rest)
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
      writing ??= writeParts().finally(() => {
        writing = undefined
      })
      return writing
    },
  }
}

/**
 * Readers see the old file or the new one: written beside, synced, renamed. The directory is synced by the caller. False: there was nothing
 * to keep, and the old file stays.
 */
async function replaceFile(name: string, steps: SnapshotSteps, rest: Rest): Promise<boolean> {
  const first = steps.next()
  if (first.done && first.value === undefined) return false
  const draft = `${name}.${process.pid}${DRAFT}`
  const file = await open(draft, 'w', 0o600)
  let isWhole = false
  try {
    isWhole = await writeSteps(file, first, steps, rest)
    if (isWhole) await file.sync()
  } finally {
    await file.close()
  }
  if (isWhole) await rename(draft, name)
  else await rm(draft, { force: true })
  return isWhole
}

async function writeSteps(
  file: FileHandle,
  first: ReturnType<SnapshotSteps['next']>,
  steps: SnapshotSteps,
  rest: Rest,
): Promise<boolean> {
  let step = first
  let position = SNAPSHOT_HEAD_BYTES
  while (!step.done) {
    if (step.value !== undefined) {
      await writeAll(file, step.value, position)
      position += step.value.byteLength
    }
    const pause = rest()
    if (pause !== undefined) await pause
    step = steps.next()
  }
  if (step.value === undefined) return false
  await writeAll(file, step.value, 0)
  return true
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, position + done)
    done += bytesWritten
  }
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
