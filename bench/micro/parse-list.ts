/**
 * From a file of numbers to one sorted array: our reader, and `csv-parse` in front of the same number parser and sort.
 * Rows a second, interleaved so that a slow moment of the machine hits both; and what reading adds to the process.
 *
 *   npx tsc && node dist/bench/micro/parse-list.js [--large]     1 M rows; with --large 10 M for ours, 1 M for csv-parse
 *
 * Three files of the same numbers: one a line, with a reason and an expiry in every row, and both quoted. Prints one JSON
 * object.
 */
import { execFileSync } from 'node:child_process'
import { createReadStream, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'csv-parse'
import { diallingRules, parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'
import { IMPORT_LIMITS } from '../../src/jobs/list-jobs.ts'
import { readList } from '../../src/jobs/read-list.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { machine } from '../lib/record-result.ts'
import { round, summarize } from '../lib/stats.ts'

const ROUNDS = 5
const MEASURE = '--measure'
const rows = process.argv.includes('--large') ? 10_000_000 : 1_000_000
const slowRows = 1_000_000

/** RssAnon + RssShmem: what the kernel must keep for us; mapped files do not count. */
function privateMiB(): number {
  const status = readFileSync('/proc/self/status', 'utf8')
  const kib = ['RssAnon', 'RssShmem'].map((name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0))
  return kib.reduce((sum, value) => sum + value, 0) / 1024
}

function readOurs(file: string): { numbers: number; peakMiB: number } {
  let peakMiB = 0
  const watch = () => {
    peakMiB = Math.max(peakMiB, privateMiB())
  }
  const read = readList(
    { path: file, rejectedPath: undefined, country: 'RU', timeZone: 'Europe/Moscow', limits: IMPORT_LIMITS },
    { control: { check: watch, report: watch }, onProgress: watch },
  )
  watch()
  return { numbers: read.entries.numbers.length, peakMiB }
}

async function readWithCsvParse(file: string): Promise<{ numbers: number; peakMiB: number }> {
  const rules = diallingRules('RU')
  const numbers = new Float64Array(slowRows)
  let count = 0
  for await (const record of createReadStream(file).pipe(parse({ relax_column_count: true, skip_empty_lines: true }))) {
    const number = parsePhoneNumber((record as string[])[0], rules, 'list')
    if (number > 0) numbers[count++] = number
  }
  const sorted = numbers.subarray(0, count).sort()
  let distinct = 0
  for (let i = 0; i < count; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++
  return { numbers: distinct, peakMiB: privateMiB() }
}

function writeTable(file: string, count: number, quote: string): void {
  const cell = (text: string) => quote + text + quote
  const lines: string[] = []
  for (let i = 0; i < count; i++) {
    lines.push([generatedNumber(i), `case ${i % 100}`, '2030-01-31'].map(cell).join(','))
  }
  writeFileSync(file, `number,reason,expires\n${lines.join('\n')}\n`)
}

/** What one reading adds to a fresh process. */
function measureGrowth(file: string): number {
  return Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), MEASURE, file], { encoding: 'utf8' }))
}

if (process.argv[2] === MEASURE) {
  const startMiB = privateMiB()
  process.stdout.write(String(Math.round(readOurs(process.argv[3] ?? '').peakMiB - startMiB)))
} else await compare()

async function compare(): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-parse-'))
  try {
    const at = (name: string) => path.join(directory, name)
    writeNumbersFile(at('plain'), rows)
    writeNumbersFile(at('plain-slow'), slowRows)
    writeTable(at('details'), slowRows, '')
    writeTable(at('quoted'), slowRows, '"')
    const cases = [
      { name: 'plain', ours: 'plain', count: rows, theirs: 'plain-slow' },
      { name: 'details', ours: 'details', count: slowRows, theirs: 'details' },
      { name: 'quoted', ours: 'quoted', count: slowRows, theirs: 'quoted' },
    ]
    const results: Record<string, unknown> = {}
    for (const { name, ours, count, theirs } of cases) {
      const seconds: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] }
      let numbers = 0
      for (let i = 0; i < ROUNDS; i++) {
        let startedMs = performance.now()
        const read = readOurs(at(ours))
        seconds.ours.push((performance.now() - startedMs) / 1000)
        numbers = read.numbers
        startedMs = performance.now()
        await readWithCsvParse(at(theirs))
        seconds.theirs.push((performance.now() - startedMs) / 1000)
      }
      const perSecond = (list: readonly number[], n: number) => Math.round(n / summarize(list).median)
      results[name] = {
        rows: count,
        numbers,
        seconds: summarize(seconds.ours.map(round)),
        rowsPerSecond: perSecond(seconds.ours, count),
        csvParseRowsPerSecond: perSecond(seconds.theirs, slowRows),
        growthMiB: measureGrowth(at(ours)),
      }
    }
    process.stdout.write(
      `${JSON.stringify({ name: 'parse-list', ...machine(), rounds: ROUNDS, ...results }, undefined, 2)}\n`,
    )
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
