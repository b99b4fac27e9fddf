import { spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { printTable } from '../lib/print-table.ts'
import type { Say } from '../lib/run-bench.ts'
import { writeDocument } from './document.ts'
import { MEASURES, type MeasureId, PART_NAMES, type PartName, standingOf } from './measures.ts'
import { MEASURE_HEAD, measureRow, QUICK_NOTE } from './print-result.ts'
import { keptResult } from './results.ts'

/**
 * Every part in a process of its own, so that one that fails takes nothing from the others; then the table of measures.
 * Returns the exit code: 1 when a part failed. A figure that falls short is no failure of the bench.
 */
export async function runAll(quick: boolean, say: Say): Promise<number> {
  const startMs = Date.now()
  const failed: PartName[] = []
  for (const name of PART_NAMES) {
    say(`${name} (${PART_NAMES.indexOf(name) + 1} of ${PART_NAMES.length})`)
    if ((await runPart(name, quick)) !== 0) failed.push(name)
  }
  printMeasures(quick, startMs)
  if (!quick) writeDocument()
  if (failed.length > 0) say(`failed, so their rows are "not run": ${failed.join(', ')}`)
  return failed.length > 0 ? 1 : 0
}

async function runPart(name: PartName, quick: boolean): Promise<number> {
  const main = path.join(import.meta.dirname, '..', 'main.js')
  const child = spawn(process.execPath, [main, name, ...(quick ? ['--quick'] : [])], { stdio: 'inherit' })
  const [code] = (await once(child, 'exit')) as [number | null]
  return code ?? 1
}

/** The table of measures from what is kept since a time, with a line that counts its standings. */
export function printMeasures(quick: boolean, sinceMs: number): void {
  const ids = Object.keys(MEASURES) as MeasureId[]
  const kept = new Map(PART_NAMES.map((name) => [name, keptResult(name, quick, sinceMs)]))
  const measuredOf = (id: MeasureId) => kept.get(MEASURES[id].part)?.measured[id]
  printTable(
    MEASURE_HEAD,
    ids.map((id) => measureRow(id, measuredOf(id))),
  )
  const standings = ids.map((id) => standingOf(MEASURES[id], measuredOf(id)?.value))
  const count = (...wanted: string[]) => standings.filter((standing) => wanted.includes(standing)).length
  process.stdout.write(
    `${count('pass', 'aim')} pass (${count('aim')} of them reach the aim), ${count('short')} short, ${count('not run')} not run\n`,
  )
  if (quick) process.stdout.write(`${QUICK_NOTE}\n`)
}
