import { printTable } from '../lib/print-table.ts'
import { isFigure, MEASURES, type Measure, type MeasureId, type PartName, standingOf } from './measures.ts'
import type { Measured, PartResult } from './part.ts'

export const MEASURE_HEAD = ['measure', 'must', 'aim', 'measured', 'rounds', 'standing'] as const

/** For people, below whatever a short form has measured. */
export const QUICK_NOTE =
  'A short form: smaller tables and fewer rounds, so these standings are not those of a full run.'

export function measureRow(id: MeasureId, measured: Measured | undefined): string[] {
  const measure: Measure = MEASURES[id]
  const sign = measure.better === 'higher' ? '≥' : '≤'
  const limit = (value: number) => `${sign} ${figure(value, measure.unit)}`
  return [
    measure.text,
    limit(measure.pass),
    limit(measure.aim),
    isFigure(measured?.value) ? describe(measured, measure.unit) : '',
    measured?.rounds === undefined ? '' : String(measured.rounds),
    standingOf(measure, measured?.value),
  ]
}

function describe({ value, range, note }: Measured, unit: string): string {
  const spread = range === undefined ? '' : ` (${plain(range[0])}-${plain(range[1])})`
  return `${figure(value, unit)}${spread}${note === undefined ? '' : `; ${note}`}`
}

function figure(value: number, unit: string): string {
  return unit === 'x' || unit === '/s' ? `${plain(value)}${unit}` : `${plain(value)} ${unit}`
}

/** Three significant digits, thousands parted. */
export function plain(value: number): string {
  const rounded = Number(value.toPrecision(3))
  return Math.abs(rounded) >= 10_000 ? rounded.toLocaleString('en-US') : String(rounded)
}

/** The tables of a part and its rows of the table of measures, those that were not run too, for people at a terminal. */
export function printResult(name: PartName, { measured, tables }: Pick<PartResult, 'measured' | 'tables'>): void {
  for (const { title, head, rows, note } of tables) {
    process.stdout.write(`\n${title}\n`)
    printTable(head, rows)
    if (note !== undefined) process.stdout.write(`${note}\n`)
  }
  const ids = (Object.keys(MEASURES) as MeasureId[]).filter((id) => MEASURES[id].part === name)
  printTable(
    MEASURE_HEAD,
    ids.map((id) => measureRow(id, measured[id])),
  )
}
