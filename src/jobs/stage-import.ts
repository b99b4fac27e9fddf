/**
 * The import job: an uploaded file becomes the layer of a new version. It changes nothing that is in force: until the
 * version is activated, a crash at any point leaves a layer nobody points to.
 */
import type { ImportCounts, ImportImpact } from '../domain/import.ts'
import { NO_TRAFFIC, type TrafficImpact } from '../stores/traffic-log/traffic-impact.ts'
import { type AppliedChange, applyChange } from './apply-change.ts'
import { assertSize } from './assert-size.ts'
import { assertWidth } from './assert-width.ts'
import { coveredBefore } from './covered-before.ts'
import { findClashes } from './find-clashes.ts'
import { createJobControl } from './job-control.ts'
import type { JobDependencies } from './job-dependencies.ts'
import type { LayerAccess } from './layer-rows.ts'
import type { StageImportJob, StageImportResult } from './list-jobs.ts'
import { type ReadList, readList } from './read-list.ts'
import type { SortedEntries } from './sorted-entries.ts'
import { writeLayer } from './write-layer.ts'

/** Where the progress bar stands after each step; measured on 10 M plain rows. */
const PROGRESS = { read: 0.25, sorted: 0.4, compared: 0.5, written: 1 } as const

/** Throws IMPORT_EMPTY, IMPORT_FORMAT, IMPORT_TOO_LARGE, IMPORT_TOO_WIDE, storage errors, JobCancelled. */
export async function stageImport(job: StageImportJob, dependencies: JobDependencies): Promise<StageImportResult> {
  const { contents, traffic, now } = dependencies
  const control = createJobControl(job, { now })
  const upload = readList(
    { path: job.spoolPath, ...job },
    {
      control,
      onProgress: (share, rows, rejected) =>
        control.report(share * PROGRESS.read, { rows, accepted: rows - rejected, rejected }),
    },
  )
  control.report(PROGRESS.sorted, rowCounts(upload))
  const clashes = job.mode === 'remove' ? { count: 0, protectedCount: 0, sample: [] } : findIn(upload.entries)
  const access: LayerAccess = { contents, dictionary: upload.dictionary, onBlock: control.check }
  const change = applyChange({ active: job.active, change: upload.entries, mode: job.mode }, access)
  if (job.mode !== 'remove') assertSize(change, job.limits.entriesMax)
  if (job.mode !== 'remove' && upload.entries.ranges.from.length > 0) {
    assertWidth(change, access, job.limits.listShareMax)
  }
  control.report(PROGRESS.compared, countsOf(upload, change))
  const hits = job.mode === 'remove' ? NO_TRAFFIC : await impactOf(upload.entries)
  control.check()
  const layers = writeChange(change)
  return {
    counts: countsOf(upload, change),
    rejected: upload.rejected.sample,
    impact: { ...hits, clashes },
    layers,
    entryCount: change.entryCount,
    written: change.layer !== undefined,
  }

  function findIn(entries: SortedEntries): ImportImpact['clashes'] {
    return findClashes(entries, job.heldAgainst, { contents, onBlock: control.check })
  }

  function impactOf(entries: SortedEntries): Promise<TrafficImpact> {
    const isCovered = coveredBefore(job.active, { contents, nowMs: job.nowMs, onBlock: control.check })
    return traffic.impactOf({ numbers: entries.numbers, ranges: entries.ranges, isCovered }, job.nowMs)
  }

  function writeChange({ layer, below }: AppliedChange): StageImportResult['layers'] {
    if (layer === undefined) return below
    const written = writeLayer(job.layerId, layer, dependencies, (share) =>
      control.report(PROGRESS.compared + share * (PROGRESS.written - PROGRESS.compared)),
    )
    return [written, ...below]
  }
}

function rowCounts({ rows, accepted, rejected, duplicates }: ReadList) {
  return { rows, accepted, rejected: rejected.count, duplicates }
}

function countsOf(upload: ReadList, { added, removed, unchanged, updated }: AppliedChange): ImportCounts {
  return { ...rowCounts(upload), added, removed, unchanged, updated }
}
