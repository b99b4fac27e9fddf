import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { EntryDetails } from '../../src/domain/number-list.ts'
import { IMPORT_LIMITS, type ImportLimits } from '../../src/jobs/list-jobs.ts'
import { readList } from '../../src/jobs/read-list.ts'

export type ReadText = {
  rows: number
  accepted: number
  duplicates: number
  numbers: number[]
  ranges: [number, number][]
  /** By number, or by `from-to`. */
  details: Record<string, EntryDetails>
  rejected: { line: number; text: string; reason: string }[]
  rejectedCsv: string
}

/** Reads an upload the way the job does, from bytes. */
export function readText(
  content: string | Uint8Array,
  options: { country?: string; timeZone?: string; limits?: Partial<ImportLimits> } = {},
): ReadText {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'zaslon-read-'))
  const file = path.join(folder, 'upload.csv')
  const rejectedPath = path.join(folder, 'rejected.csv')
  try {
    writeFileSync(file, content)
    const read = readList(
      {
        path: file,
        rejectedPath,
        country: options.country ?? 'RU',
        timeZone: options.timeZone ?? 'Europe/Moscow',
        limits: { ...IMPORT_LIMITS, ...options.limits },
      },
      { control: { check() {}, report() {} }, onProgress() {} },
    )
    const { numbers, numberIds, ranges, dictionary } = read.entries
    const details: Record<string, EntryDetails> = {}
    numbers.forEach((number, i) => {
      const id = numberIds?.[i] ?? 0
      if (id > 0) details[number] = dictionary[id - 1] ?? {}
    })
    ranges.ids.forEach((id, i) => {
      if (id > 0) details[`${ranges.from[i]}-${ranges.to[i]}`] = dictionary[id - 1] ?? {}
    })
    return {
      rows: read.rows,
      accepted: read.accepted,
      duplicates: read.duplicates,
      numbers: [...numbers],
      ranges: Array.from(ranges.from, (from, i) => [from, ranges.to[i] ?? 0]),
      details,
      rejected: read.rejected.sample,
      rejectedCsv: read.rejected.count > 0 ? readFileSync(rejectedPath, 'utf8') : '',
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
