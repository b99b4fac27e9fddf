/** Writes what the suite measured into docs/PERFORMANCE.md, between its marks, and the charts beside it. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { MEASURES, type MeasureId, PART_NAMES, type PartName } from './measures.ts'
import type { ResultTable } from './part.ts'
import { MEASURE_HEAD, measureRow } from './print-result.ts'
import { type KeptResult, keptResult } from './results.ts'

const DOCUMENT = path.join(PACKAGE_DIRECTORY, 'docs', 'PERFORMANCE.md')
const CHARTS = path.join(PACKAGE_DIRECTORY, 'docs', 'charts')

/** Of full runs alone: quick ones are for people at a terminal. Returns the parts that have no full result yet. */
export function writeDocument(): PartName[] {
  const kept = new Map(PART_NAMES.map((name) => [name, keptResult(name, false)]))
  let text = replaceBetweenMarks(readFileSync(DOCUMENT, 'utf8'), 'measures', measuresText(kept))
  for (const [name, result] of kept) text = replaceBetweenMarks(text, name, partText(name, result))
  writeFileSync(DOCUMENT, text)
  for (const chart of [...kept.values()].flatMap((result) => result?.charts ?? [])) {
    mkdirSync(CHARTS, { recursive: true })
    writeFileSync(path.join(CHARTS, `${chart.name}.svg`), chart.svg)
  }
  return PART_NAMES.filter((name) => kept.get(name) === undefined)
}

/** Throws when the document has lost the marks: it would not show what was measured. */
export function replaceBetweenMarks(text: string, name: string, body: string): string {
  const [start, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const from = text.indexOf(start)
  const to = text.indexOf(end)
  if (from < 0 || to < from) throw new Error(`docs/PERFORMANCE.md lacks the marks ${start} and ${end}`)
  return `${text.slice(0, from + start.length)}\n${body}\n${text.slice(to)}`
}

function measuresText(kept: ReadonlyMap<PartName, KeptResult | undefined>): string {
  const ids = Object.keys(MEASURES) as MeasureId[]
  const sources = [...kept].flatMap(([name, result]) =>
    result === undefined
      ? []
      : [`${name} of ${result.at.slice(0, 10)}, commit ${result.commit}${result.dirty ? ' with changes' : ''}`],
  )
  return markdown({
    title: '',
    note: `Parts run at: ${sources.join('; ')}.`,
    head: [...MEASURE_HEAD, 'part'],
    rows: ids.map((id) => {
      const { part } = MEASURES[id]
      const row = measureRow(id, kept.get(part)?.measured[id])
      const standing = row.at(-1) ?? ''
      return [...row.slice(0, -1), standing === 'short' ? '**short**' : standing, part]
    }),
  })
}

function partText(name: PartName, kept: KeptResult | undefined): string {
  const command = `npm run bench -- ${name}`
  if (kept === undefined) return `\`${command}\` has not been run in full here yet.`
  const dirty = kept.dirty ? ' with changes' : ''
  const lines = [
    `\`${command}\`: ${kept.at.slice(0, 10)}, commit ${kept.commit}${dirty}, ${kept.cpu}, ${kept.cores} cores, ` +
      `Node ${kept.node.slice(1)}, ${kept.platform}, load ${kept.loadAtStart} at the start, ${Math.ceil(kept.seconds / 60)} min.`,
  ]
  for (const { name: chart, alt } of kept.charts ?? []) lines.push(`![${alt}](charts/${chart}.svg)`)
  for (const table of kept.tables) lines.push(markdown(table))
  return lines.join('\n\n')
}

function markdown({ title, head, rows, note }: ResultTable): string {
  const line = (cells: readonly (string | number)[]) =>
    `| ${cells.map((cell) => escapeCell(String(cell))).join(' | ')} |`
  const table = [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n')
  return [title === '' ? '' : `**${title}**`, table, note ?? ''].filter((part) => part !== '').join('\n\n')
}

function escapeCell(cell: string): string {
  return cell.replaceAll('|', '\\|')
}
