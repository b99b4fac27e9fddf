import { closeSync, fstatSync, fsyncSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { ScreeningError } from '../domain/errors.ts'
import { gateFileName } from '../stores/data-directory.ts'
import type { LayerId } from '../stores/ports.ts'
import type { JobDependencies } from './job-dependencies.ts'
import type { CleanListsJob, CleanListsResult, KeepSpoolJob, KeepSpoolResult } from './list-jobs.ts'

const GATE_FILE = /^layer-(\d+)\.gate((?:\.\d+)?\.draft)?$/

type Place = Pick<JobDependencies, 'contents' | 'directory'>

/**
 * Removes what is left of imports nobody remembers, layers nobody points to, and their gate files. Plain files go first:
 * dropping a layer needs room in lists.mdb, and on a full disk it is our own spools that give it back.
 */
export function cleanLists(job: CleanListsJob, place: Place): CleanListsResult {
  const spoolsRemoved = removeSpools(job, place)
  const { dropped, left } = dropLayers(job, place)
  const gatesRemoved = removeGates(job, place, left)
  const { imports } = place.directory
  const files = readdirSync(imports).map((name) => ({ name, bytes: statSync(path.join(imports, name)).size }))
  return { layersDropped: dropped, layersLeft: left.size, filesRemoved: spoolsRemoved + gatesRemoved, files }
}

function removeSpools({ removeFiles = [], keepFiles }: CleanListsJob, { directory: { imports } }: Place): number {
  const names = new Set(removeFiles.map((name) => path.basename(name)))
  if (keepFiles !== undefined) {
    const kept = new Set(keepFiles)
    for (const name of readdirSync(imports)) if (!kept.has(name)) names.add(name)
  }
  for (const name of names) rmSync(path.join(imports, name), { force: true })
  return names.size
}

/** What a full disk does not let go stays for the next cleaning. */
function dropLayers(job: CleanListsJob, { contents, directory }: Place): { dropped: number; left: Set<LayerId> } {
  const keep = new Set(job.keepLayers)
  const left = new Set(contents.layerIds().filter((layerId) => !keep.has(layerId) && layerId <= job.layerIdMax))
  let dropped = 0
  try {
    for (const layerId of left) {
      // The gate goes last: without it a reader would rebuild it from a layer that is being dropped.
      contents.dropLayer(layerId)
      rmSync(gateFileName(directory, layerId), { force: true })
      left.delete(layerId)
      dropped++
    }
  } catch (error) {
    if (!(error instanceof ScreeningError && error.code === 'STORAGE_FULL')) throw error
  }
  return { dropped, left }
}

function removeGates(job: CleanListsJob, { directory: { gates } }: Place, left: ReadonlySet<LayerId>): number {
  const keep = new Set([...job.keepLayers, ...left])
  let removed = 0
  for (const name of readdirSync(gates)) {
    const [, layerText, draft] = GATE_FILE.exec(name) ?? []
    const layerId = Number(layerText)
    const isGarbage = layerText !== undefined && layerId <= job.layerIdMax && !keep.has(layerId)
    const isLeftover = draft !== undefined && layerId <= job.layerIdMax && job.keepFiles !== undefined
    if (!isGarbage && !isLeftover) continue
    rmSync(path.join(gates, name), { force: true })
    removed++
  }
  return removed
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
