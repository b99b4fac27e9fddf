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
  /** Has a write under way end at its next step, the part it is at left as it was on disk. Never rejects. */
  abandon(): Promise<void>
}

/** One write of all parts. */
type Work = { readonly rest: Rest; isAbandoned: boolean }

const ENDING = '.snapshot'
const DRAFT = '.draft'

export function createSnapshotFiles(
  { directory, owner, ageMsMax }: SnapshotFilesOptions,
  { parts, now, beginRests, onFault }: SnapshotFilesDependencies,
): SnapshotFiles {
  const fileOf = (part: SnapshotPart) => path.join(directory, `${owner}-${part.name}${ENDING}`)
  const written = new Map<SnapshotPart, string>()
  let writing: Promise<void> | undefined
  let work: Work | undefined

  async function restorePart(part: SnapshotPart): Promise<boolean> {
    const file = fileOf(part)
    try {
      if (!existsSync(file) || now() - statSync(file).mtimeMs > ageMsMax) return false
      if (!part.fromBytes(await readFile(file))) return false
      const mark = part.mark?.()
      if (mark !== undefined) written.set(part, mark)
      return true
    } catch (error) {
      onFault({ part: part.name, isWrite: false, error })
      return false
    }
  }

  async function writePart(part: SnapshotPart, work: Work): Promise<void> {
    const mark = part.mark?.()
    if (mark !== undefined && mark === written.get(part)) return
    try {
      const isWritten = await replaceFile(fileOf(part), part.steps(), work)
      if (isWritten && mark !== undefined) written.set(part, mark)
    } catch (error) {
      onFault({ part: part.name, isWrite: true, error })
    }
  }

  async function writeParts(work: Work): Promise<void> {
    for (const part of parts) if (!work.isAbandoned) await writePart(part, work)
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
      if (writing === undefined) {
        work = { rest: beginRests(), isAbandoned: false }
        writing = writeParts(work).finally(() => {
          writing = undefined
        })
      }
      return writing
    },
    async abandon() {
      if (work !== undefined) work.isAbandoned = true
      await writing
    },
  }
}

/**
 * Readers see the old file or the new one: written beside, synced, renamed. The directory is synced by the caller. False: there was nothing
 * to keep, or the work is abandoned, and the old file stays. Nothing else of it stays, whatever fails.
 */
async function replaceFile(name: string, steps: SnapshotSteps, work: Work): Promise<boolean> {
  const first = steps.next()
  if (first.done && first.value === undefined) return false
  const draft = `${name}.${process.pid}${DRAFT}`
  try {
    const isWhole = await writeDraft(draft, first, steps, work)
    if (isWhole) await rename(draft, name)
    else await rm(draft, { force: true })
    return isWhole
  } catch (error) {
    // On a full disk it would hold what the next one needs. The first error is the one to tell.
    await rm(draft, { force: true }).catch(() => undefined)
    throw error
  }
}

async function writeDraft(
  draft: string,
  first: ReturnType<SnapshotSteps['next']>,
  steps: SnapshotSteps,
  work: Work,
): Promise<boolean> {
  const file = await open(draft, 'w', 0o600)
  try {
    const isWhole = await writeSteps(file, first, steps, work)
    if (isWhole) await file.sync()
    return isWhole
  } finally {
    await file.close()
  }
}

async function writeSteps(
  file: FileHandle,
  first: ReturnType<SnapshotSteps['next']>,
  steps: SnapshotSteps,
  work: Work,
): Promise<boolean> {
  let step = first
  let position = SNAPSHOT_HEAD_BYTES
  while (!step.done) {
    if (step.value !== undefined) {
      await writeAll(file, step.value, position)
      position += step.value.byteLength
    }
    const pause = work.rest()
    if (pause !== undefined) await pause
    if (work.isAbandoned) return false
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

/** What a process left that was killed while it wrote: this owner, or one that is not started any more. */
function removeDrafts(directory: string, owner: string): void {
  for (const name of readdirSync(directory)) {
    if (!name.endsWith(DRAFT)) continue
    const pid = Number(name.split('.').at(-2))
    if (name.startsWith(`${owner}-`) || !isThere(pid)) rmSync(path.join(directory, name), { force: true })
  }
}

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
