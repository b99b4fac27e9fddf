import { closeSync, fstatSync, fsyncSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { gateFileName } from '../stores/data-directory.ts'
import type { JobDependencies } from './job-dependencies.ts'
import type { CleanListsJob, CleanListsResult, KeepSpoolJob, KeepSpoolResult } from './list-jobs.ts'

const GATE_FILE = /^layer-(\d+)\.gate((?:\.\d+)?\.draft)?$/

/** Removes layers nobody points to, their gate files, and what is left of imports nobody remembers. */
export function cleanLists(job: CleanListsJob, { contents, directory }: JobDependencies): CleanListsResult {
  const keep = new Set(job.keepLayers)
  let layersDropped = 0
  let filesRemoved = 0
  const remove = (name: string): void => {
    rmSync(name, { force: true })
    filesRemoved++
  }
  for (const layerId of contents.layerIds()) {
    if (keep.has(layerId) || layerId > job.layerIdMax) continue
    // The gate goes last: without it a reader would rebuild it from a layer that is being dropped.
    contents.dropLayer(layerId)
    rmSync(gateFileName(directory, layerId), { force: true })
    layersDropped++
  }
  for (const name of readdirSync(directory.gates)) {
    const [, layerText, draft] = GATE_FILE.exec(name) ?? []
    const layerId = Number(layerText)
    const isGarbage = layerText !== undefined && layerId <= job.layerIdMax && !keep.has(layerId)
    const isLeftover = draft !== undefined && layerId <= job.layerIdMax && job.keepFiles !== undefined
    if (isGarbage || isLeftover) remove(path.join(directory.gates, name))
  }
  for (const name of job.removeFiles ?? []) remove(path.join(directory.imports, path.basename(name)))
  if (job.keepFiles !== undefined) {
    const kept = new Set(job.keepFiles)
    for (const name of readdirSync(directory.imports)) if (!kept.has(name)) remove(path.join(directory.imports, name))
  }
  const files = readdirSync(directory.imports).map((name) => ({
    name,
    bytes: statSync(path.join(directory.imports, name)).size,
  }))
  return { layersDropped, filesRemoved, files }
}

/** Syncs the file and its directory entry; its size tells later whether it is whole. */
export function keepSpool({ spoolPath }: KeepSpoolJob): KeepSpoolResult {
  const file = openSync(spoolPath, 'r')
  const folder = openSync(path.dirname(spoolPath), 'r')
  try {
    fsyncSync(file)
    fsyncSync(folder)
    return { bytes: fstatSync(file).size }
  } finally {
    closeSync(file)
    closeSync(folder)
  }
}
