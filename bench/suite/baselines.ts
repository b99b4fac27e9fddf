/**
 * Ratios that later runs are compared with: bench/baselines/measures[-quick].json, a measure's id and value. A command of its
 * own and no test, because a busy machine would fail it.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { printTable } from '../lib/print-table.ts'
import { isFigure, MEASURES, type Measure, type MeasureId, PART_NAMES } from './measures.ts'
import { plain } from './print-result.ts'
import { keptResult } from './results.ts'

/** Medians of ratios differ by so much from run to run on two shared cores without any change. */
export const TOLERANCE = 0.15

type Figures = { [id in MeasureId]?: number }

function fileOf(quick: boolean): string {
  return path.join(PACKAGE_DIRECTORY, 'bench', 'baselines', `measures${quick ? '-quick' : ''}.json`)
}

function lastFigures(quick: boolean): Figures {
  const figures: Figures = {}
  for (const name of PART_NAMES) {
    for (const [id, measured] of Object.entries(keptResult(name, quick)?.measured ?? {})) {
      if (isFigure(measured?.value)) figures[id as MeasureId] = measured.value
    }
  }
  return figures
}

/** `npm run bench -- baseline`: what was measured last is what later runs are compared with. */
export function keepBaseline(quick: boolean): number {
  const file = fileOf(quick)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, `${JSON.stringify(lastFigures(quick), undefined, 2)}\n`)
  process.stdout.write(`${path.relative(PACKAGE_DIRECTORY, file)} is written.\n`)
  return 0
}

/** Of these nought and less are good figures: a share of them says nothing. */
const BY_DIFFERENCE: readonly string[] = ['MB/h', 'MiB', 's']

/**
 * How much worse a figure is than its baseline, as a share of the baseline, or of what must be reached where figures may be
 * nought: 0.2 is a fifth worse, negative is better.
 */
export function worseBy({ better, unit, pass }: Measure, value: number, baseline: number): number {
  if (value === baseline) return 0
  if (BY_DIFFERENCE.includes(unit)) return (value - baseline) / pass
  return better === 'higher' ? 1 - value / baseline : value / baseline - 1
}

/** `npm run bench -- compare`: 1 when any measure is worse than its baseline by more than the tolerance, 2 when none was compared. */
export function compareWithBaseline(quick: boolean): number {
  const file = fileOf(quick)
  if (!existsSync(file)) {
    process.stderr.write(`There is no baseline yet: npm run bench -- baseline${quick ? ' --quick' : ''}\n`)
    return 2
  }
  const baseline = JSON.parse(readFileSync(file, 'utf8')) as Figures
  const last = lastFigures(quick)
  let compared = 0
  let regressions = 0
  const rows = (Object.keys(MEASURES) as MeasureId[]).map((id) => {
    const [before, now] = [baseline[id], last[id]]
    if (before === undefined || now === undefined) return [MEASURES[id].text, show(before), show(now), 'not compared']
    compared++
    const isWorse = worseBy(MEASURES[id], now, before) > TOLERANCE
    if (isWorse) regressions++
    return [MEASURES[id].text, show(before), show(now), isWorse ? 'worse' : 'ok']
  })
  printTable(['measure', 'baseline', 'last', ''], rows)
  process.stdout.write(`${regressions} worse by more than ${TOLERANCE * 100} %\n`)
  if (compared === 0) return 2
  return regressions > 0 ? 1 : 0
}

function show(value: number | undefined): string {
  return value === undefined ? '' : plain(value)
}
