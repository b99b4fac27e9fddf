/** From what the runs counted to what is printed and kept: plain data, the same bytes for the same seeds and files. */
import type { Attack } from './attack-schema.ts'
import { FIRST_ATTACK_KIND } from './call-pool.ts'
import type { ReportCounts, SimulationResult } from './run-simulation.ts'
import { blockedShareAt, type CurvePoint, createTally, curveOf, type Tally, timeQuantile } from './tally.ts'
import { BENIGN_KINDS } from './world/kinds.ts'

/** What the issue asks for: at most so many benign calls of 100,000 wrongly blocked. */
export const BENIGN_BLOCKED_MAX = 5

export type TypeRow = {
  readonly type: string
  readonly calls: number
  readonly blocked: number
  readonly flagged: number
  readonly blockedShare: number
  readonly flaggedShare: number
  /** Blocked share at the block threshold that keeps to BENIGN_BLOCKED_MAX. */
  readonly blockedShareWithin: number
}

export type KindRow = {
  readonly kind: string
  readonly calls: number
  readonly blocked: number
  readonly flagged: number
  readonly blockedPerMillion: number
  readonly flaggedPerMillion: number
}

/** Calls and minutes until the first block; null: not even that share of the sources was ever blocked. */
export type DetectionRow = {
  readonly attack: string
  readonly sources: number
  readonly detectedShare: number
  readonly callsMedian: number | null
  readonly calls95: number | null
  readonly minutesMedian: number | null
  readonly minutes95: number | null
}

/** Sources that called this often at least: of a number used twice nothing can be learned from its own calls. */
export const SOURCE_CALLS_MIN = 20

export type Findings = {
  readonly malicious: TypeRow
  readonly types: readonly TypeRow[]
  /** One row an attack file: variants of a type apart. */
  readonly attacks: readonly TypeRow[]
  readonly benign: KindRow
  readonly kinds: readonly KindRow[]
  readonly within: {
    readonly threshold: number
    readonly maliciousBlockedShare: number
    readonly benignBlockedPer100000: number
  }
  readonly detection: readonly DetectionRow[]
  readonly fraudShare: number
  readonly reports: ReportCounts
  readonly refusedReports: number
  readonly bombed: SimulationResult['bombed']
  readonly curve: readonly CurvePoint[]
  /** How far seeds lie apart, in the order they were given. */
  readonly bySeed: readonly { readonly maliciousBlockedShare: number; readonly benignBlockedPer100000: number }[]
}

export type Timing = {
  readonly decisions: number
  readonly meanMicroseconds: number
  readonly medianMicroseconds: number
  readonly p99Microseconds: number
  readonly seconds: number
  readonly screened: number
}

export function describeResults(results: readonly SimulationResult[], attacks: readonly Attack[]): Findings {
  const tally = createTally()
  for (const result of results) tally.merge(result.tally)
  const curve = curveOf(tally)
  const allowed = curve.filter(({ benignBlockedPer100000 }) => benignBlockedPer100000 <= BENIGN_BLOCKED_MAX).at(-1)
  const within = allowed ?? { threshold: 101, maliciousBlockedShare: 0, benignBlockedPer100000: 0 }
  const benignKinds = BENIGN_KINDS.map((_, kind) => kind)
  const calling = attacks.flatMap(({ calling }, index) => (calling === undefined ? [] : [FIRST_ATTACK_KIND + index]))
  const types = groupByType(attacks).map(([type, kinds]) => typeRow(tally, type, kinds, within.threshold))
  const malicious = typeRow(tally, 'all', calling, within.threshold)
  const benign = kindRow(tally, 'all', benignKinds)
  const reports: ReportCounts = { genuine: 0, wrong: 0, annoyed: 0, bombing: 0 }
  const bombed = { numbers: 0, everBlocked: 0, calls: 0, blocked: 0, flagged: 0 }
  for (const result of results) {
    addUp(reports, result.reports)
    addUp(bombed, result.bombed)
  }
  return {
    malicious,
    types,
    attacks: calling.map((kind) => typeRow(tally, attacks[kind - FIRST_ATTACK_KIND]!.name, [kind], within.threshold)),
    benign,
    kinds: benignKinds.map((kind) => kindRow(tally, BENIGN_KINDS[kind]!, [kind])),
    within,
    detection: detectionRows(results, attacks),
    fraudShare: malicious.calls / Math.max(1, malicious.calls + benign.calls),
    reports,
    refusedReports: results.reduce((sum, result) => sum + result.refusedReports, 0),
    bombed,
    curve,
    bySeed: results.map((result) => ({
      maliciousBlockedShare: typeRow(result.tally, '', calling, 101).blockedShare,
      benignBlockedPer100000: kindRow(result.tally, '', benignKinds).blockedPerMillion / 10,
    })),
  }
}

export function describeTiming(results: readonly SimulationResult[]): Timing {
  const tally = createTally()
  for (const result of results) tally.merge(result.tally)
  return {
    decisions: tally.time.count,
    meanMicroseconds: tally.time.sumNs / tally.time.count / 1_000,
    medianMicroseconds: timeQuantile(tally, 0.5) / 1_000,
    p99Microseconds: timeQuantile(tally, 0.99) / 1_000,
    seconds: results.reduce((sum, result) => sum + result.seconds, 0),
    screened: results.reduce((sum, result) => sum + result.screened, 0),
  }
}

function groupByType(attacks: readonly Attack[]): [type: string, kinds: number[]][] {
  const groups = new Map<string, number[]>()
  for (const [index, { type, calling }] of attacks.entries()) {
    if (calling === undefined) continue
    groups.set(type, [...(groups.get(type) ?? []), FIRST_ATTACK_KIND + index])
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1))
}

function typeRow(tally: Tally, type: string, kinds: readonly number[], threshold: number): TypeRow {
  const calls = total(tally.calls, kinds)
  const blocked = total(tally.blocked, kinds)
  const flagged = total(tally.flagged, kinds)
  const within = kinds.reduce((sum, kind) => sum + blockedShareAt(tally, kind, threshold) * (tally.calls[kind] ?? 0), 0)
  const of = Math.max(1, calls)
  return {
    type,
    calls,
    blocked,
    flagged,
    blockedShare: blocked / of,
    flaggedShare: flagged / of,
    blockedShareWithin: within / of,
  }
}

function kindRow(tally: Tally, kind: string, kinds: readonly number[]): KindRow {
  const calls = total(tally.calls, kinds)
  const blocked = total(tally.blocked, kinds)
  const flagged = total(tally.flagged, kinds)
  const perMillion = (count: number) => (count / Math.max(1, calls)) * 1e6
  return {
    kind,
    calls,
    blocked,
    flagged,
    blockedPerMillion: perMillion(blocked),
    flaggedPerMillion: perMillion(flagged),
  }
}

function detectionRows(results: readonly SimulationResult[], attacks: readonly Attack[]): DetectionRow[] {
  const found = new Map<string, { calls: number[]; minutes: number[] }>()
  for (const { sources, countFromMs } of results) {
    sources.visit(countFromMs, ({ attack: index, calls, callsBefore, minutesBefore }) => {
      if (calls < SOURCE_CALLS_MIN) return
      const attack = attacks[index]?.name ?? ''
      const rows = found.get(attack) ?? { calls: [], minutes: [] }
      rows.calls.push(callsBefore)
      rows.minutes.push(minutesBefore)
      found.set(attack, rows)
    })
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([attack, { calls, minutes }]) => ({
      attack,
      sources: calls.length,
      detectedShare: calls.filter(Number.isFinite).length / calls.length,
      callsMedian: quantileOrNull(calls, 0.5),
      calls95: quantileOrNull(calls, 0.95),
      minutesMedian: quantileOrNull(minutes, 0.5),
      minutes95: quantileOrNull(minutes, 0.95),
    }))
}

/** By nearest rank. */
function quantileOrNull(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b)
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
  return value === undefined || !Number.isFinite(value) ? null : Math.round(value * 100) / 100
}

function total(values: Float64Array, kinds: readonly number[]): number {
  return kinds.reduce((sum, kind) => sum + (values[kind] ?? 0), 0)
}

function addUp<T extends Record<string, number>>(into: T, from: T): void {
  for (const key of Object.keys(from) as (keyof T)[]) into[key] = ((into[key] ?? 0) + (from[key] ?? 0)) as T[keyof T]
}
