/**
 * The last moment of which everything in the record in Redis is here, kept over restarts: a node that starts while Redis is
 * away then knows how old its state is. What is in the log stays in it, so an older moment stays true.
 */
import { rmSync } from 'node:fs'
import path from 'node:path'
import type { RecordView } from '../domain/record-view.ts'
import type { RecordDesk } from '../services/record-desk.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import { readMark, writeMark } from '../stores/mark-file.ts'

type FreshDirectory = Pick<DataDirectory, 'root'>
type FreshMark = { readonly recordId: string; readonly freshMs: number }

const markFile = (directory: FreshDirectory) => path.join(directory.root, 'fresh.json')

/** Epoch milliseconds; 0: not known. A moment that is yet to come says nothing: the clock was set. */
export function keptFreshMs(directory: FreshDirectory, nowMs: number): number {
  const { freshMs = 0 } = readFreshMark(directory) ?? {}
  return freshMs <= nowMs ? freshMs : 0
}

/** The desk with a view that goes on from the kept moment. `note` keeps the newest one; for control alone, each second. */
export function keepFreshMoment(
  directory: FreshDirectory,
  desk: RecordDesk,
  { now, onFault }: { readonly now: () => number; readonly onFault: (error: unknown) => void },
): { readonly desk: RecordDesk; note(): void } {
  const first = desk.view()
  const isOurs = first.kind === 'redis' && readFreshMark(directory)?.recordId === first.recordId
  // Verdict processes read it and do not know which record is followed.
  if (!isOurs) rmSync(markFile(directory), { force: true })
  const startMs = isOurs ? keptFreshMs(directory, now()) : 0
  let keptMs = startMs
  function view(): RecordView {
    const found = desk.view()
    return found.kind === 'redis' && found.freshMs === 0 ? { ...found, freshMs: startMs } : found
  }
  return {
    desk: { ...desk, view },
    note() {
      const found = desk.view()
      if (found.kind !== 'redis' || found.freshMs === 0 || found.freshMs === keptMs) return
      keptMs = found.freshMs
      try {
        // After a power cut an older moment, or none, is true as well.
        writeMark(markFile(directory), { recordId: found.recordId, freshMs: found.freshMs } satisfies FreshMark)
      } catch (error) {
        onFault(error)
      }
    },
  }
}

function readFreshMark(directory: FreshDirectory): FreshMark | undefined {
  const { recordId, freshMs } = readMark(markFile(directory))
  return typeof recordId === 'string' && typeof freshMs === 'number' && Number.isSafeInteger(freshMs)
    ? { recordId, freshMs }
    : undefined
}
