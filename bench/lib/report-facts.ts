import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { FactOf } from '../../src/stores/fact.ts'
import { generatedNumber } from './generate-numbers.ts'

export type ReportFacts = { readonly facts: Iterable<FactOf<'report'>>; readonly source: string }

const COMPLAINTS = path.join(PACKAGE_DIRECTORY, '../shared/data/complaints/us-complaints-train.csv')
const DAY_MS = 86_400_000
/** As many numbers as the complaints name, about. */
const ZIPF_NUMBERS = 100_000

/**
 * Report facts as nodes would write them, every one of another reporter, spread evenly over the ten days before `endMs`.
 * Reported numbers are those of real complaints in the order of their arrival, again from the start when they run out;
 * where the data is not there, a Zipf mix (s = 1) of generated numbers.
 */
export function reportFacts(count: number, endMs = Date.now()): ReportFacts {
  const complaints = existsSync(COMPLAINTS) ? readComplaints() : undefined
  const numberAt = complaints === undefined ? zipfNumber : (index: number) => complaints[index % complaints.length]!
  const source =
    complaints === undefined
      ? `Zipf mix (s = 1) of ${ZIPF_NUMBERS} generated numbers`
      : `${complaints.length} real complaints (FTC) in their order, ${(count / complaints.length).toFixed(1)} times`
  return { facts: make(count, endMs, numberAt), source }
}

/** Report number `index` of one number; deterministic, so that a second run appends what the first one did. */
export function reportFact(number: PhoneNumber, index: number, atMs: number): FactOf<'report'> {
  const digest = createHash('md5').update(`bench-${index}`).digest('hex')
  const parts = [digest.slice(0, 8), digest.slice(8, 12), digest.slice(12, 16), digest.slice(16, 20), digest.slice(20)]
  const report = {
    reportId: parts.join('-'),
    number,
    channel: 'app',
    scenario: 'bank',
    reporter: digest,
    ingress: 0,
    atMs,
    receivedMs: atMs,
    weight: 0.8,
  } as const
  return { kind: 'report', report, actor: 'key:hotline', atMs }
}

function* make(count: number, endMs: number, numberAt: (index: number) => number): Generator<FactOf<'report'>> {
  const beginMs = endMs - 10 * DAY_MS
  for (let index = 0; index < count; index++) {
    const atMs = Math.floor(beginMs + (index / count) * 10 * DAY_MS)
    yield reportFact(numberAt(index) as PhoneNumber, index, atMs)
  }
}

function readComplaints(): number[] {
  const [, ...lines] = readFileSync(COMPLAINTS, 'utf8').split('\n')
  return lines.filter((line) => /^\d{10}\r?$/.test(line)).map((line) => 10_000_000_000 + Number(line))
}

/** P(rank) ~ 1/rank: the inverse of the logarithmic distribution, with a fixed hash in the place of chance. */
function zipfNumber(index: number): number {
  const chance = (Math.imul(index + 1, 0x9e3779b1) >>> 0) / 2 ** 32
  const rank = Math.floor(ZIPF_NUMBERS ** chance)
  return Number(generatedNumber(rank, 2e8).slice(1))
}
