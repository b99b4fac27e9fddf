import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import path from 'node:path'
import { ScreeningError } from '../../domain/errors.ts'
import { openVerdictStore } from '../../stores/lmdb/verdict-store.ts'
import { counted } from '../output.ts'
import type { Finding } from './finding.ts'

/** 10 M numbers need 310 MB, their import twice that, the decision log up to 4 GB: below this it gets tight. */
const FREE_BYTES_WANTED = 2 * 1024 ** 3
/** An import of a few thousand rows still fits. */
const FREE_BYTES_MIN = 64 * 1024 ** 2

export function checkWritable(directory: string): Finding {
  const name = 'data directory'
  if (!existsSync(directory)) {
    const parent = nearestExisting(directory)
    if (isWritable(parent)) return { name, status: 'ok', detail: `${directory} will be created` }
    const hint = `Let this user write ${parent}, or set ZASLON_DATA_DIR.`
    return { name, status: 'fail', detail: `${directory} cannot be created`, hint }
  }
  if (!statSync(directory).isDirectory())
    return { name, status: 'fail', detail: `${directory} is a file`, hint: 'Set ZASLON_DATA_DIR.' }
  if (isWritable(directory)) return { name, status: 'ok', detail: `${directory} is writable` }
  return {
    name,
    status: 'fail',
    detail: `${directory} is not writable for this user`,
    hint: 'Give it to the user of the service.',
  }
}

/** Opens the data read-only, which the running service does not notice. */
export async function checkFormat(directory: string): Promise<Finding> {
  const name = 'data format'
  if (!existsSync(path.join(directory, 'live.mdb'))) return { name, status: 'ok', detail: 'no data yet' }
  try {
    const store = await openVerdictStore({ directory })
    const lists = store.lists()
    const entries = lists.reduce((sum, list) => sum + list.active.entryCount, 0)
    await store.close()
    return {
      name,
      status: 'ok',
      detail: `readable: ${counted(lists.length, 'list')}, ${counted(entries, 'entry', 'entries')}`,
    }
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    const hint = error instanceof ScreeningError ? error.details.hint : undefined
    return { name, status: 'fail', detail, ...(hint ? { hint } : {}) }
  }
}

export function checkDiskSpace(directory: string): Finding {
  const name = 'disk space'
  const { bavail, bsize } = statfsSync(nearestExisting(directory))
  const free = bavail * bsize
  const detail = `${(free / 1024 ** 3).toFixed(1)} GiB free`
  if (free >= FREE_BYTES_WANTED) return { name, status: 'ok', detail }
  const status = free < FREE_BYTES_MIN ? 'fail' : 'warn'
  return { name, status, detail, hint: 'Ten million numbers and a full decision log take about 5 GiB.' }
}

function nearestExisting(directory: string): string {
  let at = path.resolve(directory)
  while (!existsSync(at) && path.dirname(at) !== at) at = path.dirname(at)
  return at
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}
