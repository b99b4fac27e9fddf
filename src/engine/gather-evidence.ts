/**
 * Looks the caller up, from cheap to dear:
 *
 * ```
 *   ranges ─▶ one bisection in shared memory
 *   numbers ─▶ global gate ── no ─▶ done: nothing is known (most calls end here, one cache line)
 *                  └─ maybe ─▶ reported gate ── maybe ─▶ reputation record
 *                         └──▶ per list, newest layer first: layer gate ── maybe ─▶ number table, or the store
 * ```
 * A gate only ever says "certainly not": what counts is what the table or the store confirms.
 */
import type { Call } from '../domain/call-event.ts'
import { ENTRY_ABSENT, ENTRY_PRESENT, type EntryState, type NumberLookup } from '../domain/lookup.ts'
import { isPhoneNumber, type PhoneNumber } from '../domain/phone-number.ts'
import { burstIsSuspicious, dominantScenario, reportsAreContested } from '../domain/report-doubts.ts'
import { countReporters, harmLowerBound } from '../domain/reputation.ts'
import { STRENGTH_FULL } from '../domain/signal.ts'
import { type Counters, count, counterIndex } from '../shm/counters.ts'
import { gateHas } from '../shm/gate.ts'
import { findSegment, segmentTagsEnd, segmentTagsStart } from '../shm/intervals.ts'
import { numberTableState } from '../shm/number-table.ts'
import type { CompiledPolicy } from './compiled-policy.ts'
import type { CompiledList, CompiledRanges, CompiledState } from './compiled-state.ts'
import { DOUBT, type Evidence } from './evidence.ts'

/** A single report may be a mistake: what it tells is not yet what the number is known for. */
const REPORTERS_TOLD = 2

const GATE_MISSES = counterIndex('gate.misses')
const GATE_HITS = counterIndex('gate.hits')
const GATE_FALSE_HITS = counterIndex('gate.false-hits')
const RANGE_HITS = counterIndex('range.hits')
const STORE_LOOKUPS = counterIndex('store.lookups')

/** Fills `evidence`, which was cleared for this call, with what the record knows of the caller. No allocation. */
export function gatherEvidence(
  call: Call,
  state: CompiledState,
  lookup: NumberLookup,
  counters: Counters,
  evidence: Evidence,
): void {
  const caller = call.caller
  if (!isPhoneNumber(caller)) return
  const nowMs = call.nowMs
  if (!gateHas(state.globalGate, caller)) {
    count(counters, GATE_MISSES)
  } else {
    count(counters, GATE_HITS)
    const isReported = gateHas(state.reportedGate, caller)
    let isKnown = false
    for (let index = 0; index < state.lists.length; index++) {
      const list = state.lists[index] as CompiledList
      if (!isOnList(list, caller, isReported, nowMs, lookup, counters)) continue
      isKnown = true
      if (evidence.listByKind[list.kind] === 0) evidence.listByKind[list.kind] = list.listId
    }
    let reputation: DataView | undefined
    if (isReported) {
      count(counters, STORE_LOOKUPS)
      reputation = lookup.reputation(caller)
    }
    if (reputation !== undefined) readReputation(reputation, nowMs, state.policy, evidence)
    else if (!isKnown) count(counters, GATE_FALSE_HITS)
  }
  if (findInRanges(caller, nowMs, state.ranges, evidence)) count(counters, RANGE_HITS)
}

/** How the call came in, as the switch says, else as its trunk is registered. */
export function ingressOf(call: Call, state: Pick<CompiledState, 'trunks'>): number {
  return call.ingress !== 0 ? call.ingress : (state.trunks.ingress[call.trunk] ?? 0)
}

/** What subscribers reported, as two numbers. */
export function readReputation(reputation: DataView, nowMs: number, policy: CompiledPolicy, evidence: Evidence): void {
  const { windowDays, weightMin, blockReporters } = policy
  evidence.reporters = countReporters(reputation, evidence.ingress, nowMs, windowDays, weightMin, blockReporters)
  evidence.harmShare = Math.floor(harmLowerBound(reputation, evidence.ingress, nowMs) * STRENGTH_FULL)
  readDoubts(reputation, nowMs, policy, evidence)
}

/** What is told of the caller, and whether it should be believed, once `evidence.reporters` is known. */
export function readDoubts(reputation: DataView, nowMs: number, policy: CompiledPolicy, evidence: Evidence): void {
  const { ingress, reporters } = evidence
  const { windowDays, weightMin } = policy
  if (reporters >= REPORTERS_TOLD) {
    evidence.scenario = dominantScenario(reputation, ingress, nowMs, windowDays, weightMin) + 1
  }
  if (reporters < policy.blockReporters) return
  if (burstIsSuspicious(reputation, ingress, nowMs, policy)) evidence.doubt = DOUBT.burst
  else if (reportsAreContested(reputation, ingress, nowMs, policy)) evidence.doubt = DOUBT.contested
}

/** Notes the lists whose ranges cover the caller, where no list of that kind has the number itself. True: any does. */
export function findInRanges(caller: PhoneNumber, nowMs: number, ranges: CompiledRanges, evidence: Evidence): boolean {
  const segment = findSegment(ranges.intervals, caller)
  if (segment < 0) return false
  let isCovered = false
  const end = segmentTagsEnd(ranges.intervals, segment)
  for (let at = segmentTagsStart(ranges.intervals, segment); at < end; at++) {
    const tag = ranges.intervals.tags[at] as number
    if ((ranges.expiresMs[tag] as number) < nowMs) continue
    const listId = ranges.listId[tag] as number
    const kind = ranges.kindByListId[listId] as number
    isCovered = true
    if (evidence.listByKind[kind] === 0) evidence.listByKind[kind] = listId
  }
  return isCovered
}

/** The newest layer that knows the number has the last word: it may have taken it off, or its time may be over. */
function isOnList(
  list: CompiledList,
  caller: PhoneNumber,
  isReported: boolean,
  nowMs: number,
  lookup: NumberLookup,
  counters: Counters,
): boolean {
  for (let index = 0; index < list.layers.length; index++) {
    const layer = list.layers[index]
    if (layer === undefined) continue
    // Who has passed the global gate and was not reported is on some list: its gate would only say "maybe", and cost one more cold line.
    if ((isReported || layer.numbers === undefined) && !gateHas(layer.gate, caller)) continue
    let entry: EntryState
    if (layer.numbers !== undefined) entry = numberTableState(layer.numbers, caller, nowMs)
    else {
      count(counters, STORE_LOOKUPS)
      entry = lookup.entry(layer.layerId, caller, nowMs)
    }
    if (entry !== ENTRY_ABSENT) return entry === ENTRY_PRESENT
  }
  return false
}
