import { createSnapshotFiles, type SnapshotPart } from '../stores/snapshot-files.ts'
import { createPace } from './pace.ts'

/** What a verdict process remembers over a restart: read at start, written every 30 s and on stop. */
export type Snapshots = {
  /** Stops the timer and writes what has changed since. After the threads are closed. */
  close(): Promise<void>
}

export type SnapshotsDependencies = {
  readonly parts: readonly SnapshotPart[]
  readonly now: () => number
  readonly log: Readonly<Record<'info' | 'warn', (fields: object, text: string) => void>>
}

/** What a crash may forget, and the time of one write: about a second, and some more than RESTS_MS_MAX where every core is busy. */
const WRITE_EVERY_MS = 30_000
/** As long as anything in them is remembered. */
const AGE_MS_MAX = 7 * 24 * 3_600_000

export async function startSnapshots(
  { directory, label }: { readonly directory: string; readonly label: string },
  { parts, now, log }: SnapshotsDependencies,
): Promise<Snapshots> {
  const pace = createPace()
  const files = createSnapshotFiles(
    { directory, owner: label, ageMsMax: AGE_MS_MAX },
    {
      parts,
      now,
      beginRests: pace.begin,
      onFault: ({ part, isWrite, error }) =>
        log.warn({ part, err: error }, isWrite ? 'a snapshot was not written' : 'a snapshot was not read: begun empty'),
    },
  )
  const restored = await files.restore()
  if (restored.length > 0) log.info({ parts: restored }, 'remembered from before the restart')
  const timer = setInterval(() => void files.write(), WRITE_EVERY_MS)
  return {
    async close() {
      clearInterval(timer)
      pace.hurry()
      // A write under way may have passed what came in last, and there is time for one, not two (STOP_MS in child.ts).
      await files.abandon()
      await files.write()
    },
  }
}
