/**
 * States of everything a verdict is made from, drawn by chance: policies with any points and limits, lists, ranges, plans,
 * trunks, reputations, number blocks, and calls that went before. A dozen numbers, so that everything meets.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse as parseYaml } from 'yaml'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import {
  type Behaviour,
  DEFAULT_BEHAVIOUR,
  HARM_FEATURES,
  PATTERN_FEATURES,
  SCORECARDS,
} from '../../src/domain/behaviour.ts'
import { foldReport } from '../../src/domain/fold-report.ts'
import { ENTRY_ABSENT, ENTRY_EXPIRED, ENTRY_PRESENT, ENTRY_REMOVED, type EntryState } from '../../src/domain/lookup.ts'
import { LIST_KINDS, type ListKind } from '../../src/domain/number-list.ts'
import { parsePolicy } from '../../src/domain/parse-policy.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { type PolicyDocument, RULE_MODES, SIGNAL_NAMES } from '../../src/domain/policy.ts'
import { CALL_MATCHES, NUMBER_STANDINGS, SCENARIOS } from '../../src/domain/report.ts'
import { FAIL_MODES, SCREENING_MODES, type Trunk, UNKNOWN_TRUNK } from '../../src/domain/trunk.ts'
import type { ScreeningSnapshot, SnapshotNumbering } from '../../src/engine/snapshot.ts'
import { createFullGate } from '../../src/shm/gate.ts'
import { buildIntervals } from '../../src/shm/intervals.ts'

export const DAY_MS = 86_400_000
/** Neighbours in one number block, a foreign number, two short codes. */
export const NUMBERS: readonly number[] = [
  ...Array.from({ length: 12 }, (_, index) => 79_160_000_000 + index),
  442_079_460_018,
  1_611,
  1_112,
]
const FIRST = NUMBERS[0] ?? 0
const TRUNKS = 3
const REPUTATIONS = 64
const DEFAULT_POLICY = parsePolicy(parseYaml(readFileSync(path.join(PACKAGE_DIRECTORY, 'data/policy.yaml'), 'utf8')))

/** A whole number from `min` to `max`, both included. */
export type Draw = (min: number, max: number) => number

export function drawFrom(random: () => number): Draw {
  return (min, max) => min + Math.floor(random() * (max - min + 1))
}

export function oneOf<T>(draw: Draw, values: readonly T[]): T {
  return values[draw(0, values.length - 1)] as T
}

/** Any policy that parsePolicy would take; every fourth is the default one. */
export function drawPolicy(draw: Draw): PolicyDocument {
  if (draw(0, 3) === 0) return DEFAULT_POLICY
  const block = draw(1, 100)
  return {
    ...DEFAULT_POLICY,
    thresholds: { flag: draw(1, block), block },
    reviewAt: draw(1, 100),
    behaviour: drawBehaviour(draw),
    rules: SIGNAL_NAMES.map((signal) => ({
      signal,
      mode: oneOf(draw, ['enforce', 'enforce', ...RULE_MODES] as const),
      points: draw(0, 100),
    })),
  }
}

/** Limits from the least to a few dozen, any weights with the sign they must have. */
function drawBehaviour(draw: Draw): Behaviour {
  const limits = Object.entries(DEFAULT_BEHAVIOUR).filter(([name]) => name !== 'pattern' && name !== 'neighbour')
  const drawn = limits.map(([name, values]) => {
    const keys = Object.keys(values).map((key) => [key, key === 'incomingPercent' ? draw(0, 100) : draw(2, 40)])
    return [name, Object.fromEntries(keys)]
  })
  const scorecards = SCORECARDS.map((name) => {
    const weights = PATTERN_FEATURES.map((feature, index) => {
      return [feature, index < HARM_FEATURES.length ? draw(0, 5_000) : -draw(0, 500)]
    })
    return [name, { bias: -draw(0, 9_000), weights: Object.fromEntries(weights) }]
  })
  return {
    ...DEFAULT_BEHAVIOUR,
    ...Object.fromEntries(drawn),
    neighbour: { digits: draw(3, 14) },
    pattern: { ...DEFAULT_BEHAVIOUR.pattern, full: draw(1, 9_000), ...Object.fromEntries(scorecards) },
  }
}

/** What lists and reports say, redrawn for every state. */
export type RandomRecord = {
  readonly entry: (layerId: number, number: PhoneNumber) => EntryState
  readonly reputation: (number: PhoneNumber) => DataView | undefined
  /** Draws for every number on which lists it is, and what is reported of it. */
  redraw(nowMs: number): void
  /** Puts a number on the list of a kind, or takes it off. */
  put(number: number, kind: ListKind, isOn: boolean): void
}

/** One list of each kind, its layer has the index of the kind + 1 as id. */
export function createRandomRecord(draw: Draw, nowMs: number): RandomRecord {
  const entries = new Uint8Array(NUMBERS.length * LIST_KINDS.length)
  const reports = new Int16Array(NUMBERS.length).fill(-1)
  const reputations = Array.from({ length: REPUTATIONS }, () => drawReputation(draw, nowMs))
  const at = (number: number, kind: number) => NUMBERS.indexOf(number) * LIST_KINDS.length + kind
  return {
    entry: (layerId, number) => (entries[at(number, layerId - 1)] ?? ENTRY_ABSENT) as EntryState,
    reputation: (number) => reputations[reports[NUMBERS.indexOf(number)] ?? -1],
    redraw(atMs) {
      if (draw(0, 9) === 0) reputations[draw(0, REPUTATIONS - 1)] = drawReputation(draw, atMs)
      for (let index = 0; index < entries.length; index++) {
        entries[index] = draw(0, 4) === 0 ? oneOf(draw, [ENTRY_PRESENT, ENTRY_REMOVED, ENTRY_EXPIRED]) : ENTRY_ABSENT
      }
      for (let index = 0; index < reports.length; index++) reports[index] = draw(-REPUTATIONS, REPUTATIONS - 1)
    },
    put(number, kind, isOn) {
      entries[at(number, LIST_KINDS.indexOf(kind))] = isOn ? ENTRY_PRESENT : ENTRY_ABSENT
    },
  }
}

/** Up to two dozen reports, from old to new, from believed to not. */
function drawReputation(draw: Draw, nowMs: number): DataView | undefined {
  let record: DataView | undefined
  const isBurst = draw(0, 1) === 0
  const scenario = oneOf(draw, SCENARIOS)
  for (let left = draw(1, 24); left > 0; left--) {
    const receivedMs = nowMs - (isBurst ? draw(0, 600_000) : draw(0, 40) * DAY_MS)
    record = foldReport(record, {
      reportId: 'r',
      number: FIRST as PhoneNumber,
      channel: 'app',
      scenario,
      reporter: draw(1, 40).toString(16).padStart(32, '0'),
      ingress: draw(0, 3),
      atMs: receivedMs,
      receivedMs,
      weight: draw(0, 10) / 10,
      opinion: draw(0, 5) === 0 ? 'not-spam' : 'harm',
      callMatch: oneOf(draw, CALL_MATCHES),
      isProven: draw(0, 3) === 0,
      standing: oneOf(draw, NUMBER_STANDINGS),
    })
  }
  return record
}

/** A range of a list, as far as it matters who it covers. */
export type RandomRange = { readonly from: number; readonly to: number; readonly kind: ListKind }
export type RandomSnapshot = { readonly snapshot: ScreeningSnapshot; readonly ranges: readonly RandomRange[] }

/** Gates that always say "maybe": every question goes to the record. */
const GATE = createFullGate()

export function drawSnapshot(draw: Draw, generation: number, nowMs: number): RandomSnapshot {
  const ranges = Array.from({ length: draw(0, 3) }, () => ({ ...drawSpan(draw), kind: oneOf(draw, LIST_KINDS) }))
  const trunks = Array.from({ length: TRUNKS }, (_, index) => ({ ...drawTrunk(draw), name: `t${index}` }))
  const snapshot: ScreeningSnapshot = {
    generation,
    globalGate: GATE,
    reportedGate: GATE,
    lists: LIST_KINDS.map((kind, index) => ({
      listId: index + 1,
      name: kind,
      kind,
      version: 1,
      layers: [{ layerId: index + 1, gate: GATE }],
    })),
    ranges: intervalsOf(ranges, true),
    rangeList: Uint16Array.from(ranges, ({ kind }) => LIST_KINDS.indexOf(kind) + 1),
    rangeExpiresMs: Float64Array.from(ranges, () => oneOf(draw, [nowMs, Number.POSITIVE_INFINITY])),
    numbering: Array.from({ length: draw(0, 1) }, () => drawPlan(draw, nowMs)),
    policy: drawPolicy(draw),
    policyVersion: 1,
    trunks: [UNKNOWN_TRUNK, ...trunks],
  }
  return { snapshot, ranges }
}

function drawSpan(draw: Draw): { from: number; to: number } {
  const from = FIRST + draw(0, 11)
  return { from, to: from + draw(0, 4) }
}

function drawTrunk(draw: Draw): Omit<Trunk, 'name'> {
  return {
    kind: oneOf(draw, ['unknown', 'subscriber', 'national', 'international']),
    screening: oneOf(draw, ['enforce', 'enforce', ...SCREENING_MODES]),
    failMode: oneOf(draw, FAIL_MODES),
  }
}

function drawPlan(draw: Draw, nowMs: number): SnapshotNumbering {
  const allocated = draw(0, 1) === 0 ? [] : [drawSpan(draw)]
  const covered = intervalsOf([{ from: FIRST, to: FIRST + 99 }])
  return { name: 'plan', asOfMs: nowMs - draw(0, 60) * DAY_MS, covered, allocated: intervalsOf(allocated) }
}

function intervalsOf(ranges: readonly { from: number; to: number }[], isTagged = false): SharedArrayBuffer {
  return buildIntervals(
    Float64Array.from(ranges, ({ from }) => from),
    Float64Array.from(ranges, ({ to }) => to),
    Uint32Array.from(ranges, (_, index) => (isTagged ? index : 0)),
  )
}
