import { ScreeningError } from '../domain/errors.ts'
import type { ImportImpact } from '../domain/import.ts'
import { NO_TRAFFIC } from '../stores/traffic-log/traffic-impact.ts'
import { type AppliedChange, applyChange } from './apply-change.ts'
import { applyDelta, pickRows } from './apply-delta.ts'
import { assertSize } from './assert-size.ts'
import { assertWidth } from './assert-width.ts'
import { coveredBefore } from './covered-before.ts'
import { createDetailsDictionary } from './details-dictionary.ts'
import { createEntryCollector } from './entry-collector.ts'
import { compareRows, type EntryRows } from './entry-rows.ts'
import { findClashes } from './find-clashes.ts'
import type { JobDependencies } from './job-dependencies.ts'
import { type LayerAccess, readLayerNumbers, readLayerRanges } from './layer-rows.ts'
import { type ChangeEntriesJob, type ChangeEntriesResult, IMPORT_LIMITS, type RebaseImportJob } from './list-jobs.ts'
import type { SortedEntries } from './sorted-entries.ts'
import { writeLayer } from './write-layer.ts'

/** Adds or takes away a few entries of a list. Throws IMPORT_TOO_WIDE, IMPORT_TOO_LARGE. */
export async function changeEntries(
  job: ChangeEntriesJob,
  dependencies: JobDependencies,
): Promise<ChangeEntriesResult> {
  const collector = createEntryCollector(job.entries.length)
  for (const { from, to, details } of job.entries) {
    const id = collector.dictionary.idOf(details)
    if (from === to) collector.addNumber(from, id)
    else collector.addRange(from, to, id)
  }
  const { entries } = collector.finish()
  const access: LayerAccess = { contents: dependencies.contents, dictionary: collector.dictionary, onBlock() {} }
  const change = applyChange({ active: job.active, change: entries, mode: job.mode }, access)
  if (job.mode === 'append') assertSize(change, IMPORT_LIMITS.entriesMax)
  if (job.mode === 'append' && entries.ranges.from.length > 0) assertWidth(change, access, IMPORT_LIMITS.listShareMax)
  const impact = await impactOf(job, entries, dependencies)
  return { ...write(change, job.layerId, dependencies), ...(impact === undefined ? {} : { impact }) }
}

/** Calls are counted for ranges only: a number is what its caller is, and a day of calls is not read for every one. */
async function impactOf(
  { active, heldAgainst, nowMs }: ChangeEntriesJob,
  entries: SortedEntries,
  { contents, traffic }: JobDependencies,
): Promise<ImportImpact | undefined> {
  if (heldAgainst === undefined) return undefined
  const clashes = findClashes(entries, heldAgainst, { contents, onBlock() {} })
  if (entries.ranges.from.length === 0) return { ...NO_TRAFFIC, clashes }
  const isCovered = coveredBefore(active, { contents, nowMs, onBlock() {} })
  const { numbers, ranges } = entries
  return { ...(await traffic.impactOf({ numbers, ranges, isCovered }, nowMs)), clashes }
}

/**
 * Entries that were added or taken away while an import was being built lie in the active delta. Their rows that the
 * import did not see yet go into a delta above what it built: they are the later word.
 *
 * A delta never loses a row to a later entry, which only changes it. One that lacks a row the import has seen was put in
 * force by a restore, and what was built holds that row: LIST_CHANGED, build again. Any other restore is a later word too. Throws IMPORT_TOO_WIDE.
 */
export function rebaseImport(job: RebaseImportJob, dependencies: JobDependencies): ChangeEntriesResult {
  const access: LayerAccess = {
    contents: dependencies.contents,
    dictionary: createDetailsDictionary(),
    onBlock() {},
  }
  const delta = job.active.layers.length > 1 ? job.active.layers[0] : undefined
  const seen = job.builtOn.layers.length > 1 ? job.builtOn.layers[0] : undefined
  const numbers = rowsSince(readLayerNumbers(access, delta), readLayerNumbers(access, seen))
  const ranges = rowsSince(readLayerRanges(access, delta), readLayerRanges(access, seen))
  const change = applyDelta(job.built, { numbers, ranges }, access)
  if (ranges.from.length > 0) assertWidth(change, access, IMPORT_LIMITS.listShareMax)
  return write(change, job.layerId, dependencies)
}

function write(change: AppliedChange, layerId: number, dependencies: JobDependencies): ChangeEntriesResult {
  const { layer, below, entryCount, added, removed, unchanged, updated } = change
  const layers = layer === undefined ? below : [writeLayer(layerId, layer, dependencies, () => {}), ...below]
  return { layers, entryCount, added, removed, unchanged, updated, written: layer !== undefined }
}

/** Rows of `rows` that `seen` lacks or has with other details. Throws LIST_CHANGED when `rows` lacks one of `seen`. */
function rowsSince(rows: EntryRows, seen: EntryRows): EntryRows {
  const kept: number[] = []
  let s = 0
  for (let i = 0; i < rows.from.length; i++) {
    const isInBoth = s < seen.from.length && compareRows(seen, s, rows, i) === 0
    if (!isInBoth || seen.ids[s] !== rows.ids[i]) kept.push(i)
    if (isInBoth) s++
  }
  // Both are sorted: a row of `seen` that `rows` lacks stops `s` for good.
  if (s < seen.from.length) {
    throw new ScreeningError('LIST_CHANGED', 'An older version was restored while the import was built.')
  }
  return pickRows(rows, kept)
}
