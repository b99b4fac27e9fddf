import { type Call, INGRESS_KINDS, type IngressKind } from '../domain/call-event.ts'
import { ENTRY_ABSENT, ENTRY_PRESENT, type NumberLookup } from '../domain/lookup.ts'
import type { EntryDetails } from '../domain/number-list.ts'
import type { DiallingRules } from '../domain/parse-phone-number.ts'
import { isPhoneNumber, type PhoneNumber } from '../domain/phone-number.ts'
import type { Reason } from '../domain/reason.ts'
import {
  countReporters,
  decayedGood,
  decayedHarm,
  describeReputation,
  REPORTERS_KEPT,
  type ReputationDescription,
} from '../domain/reputation.ts'
import { findSegment, openIntervals, segmentTagsEnd, segmentTagsStart } from '../shm/intervals.ts'
import { compilePolicy } from './compiled-policy.ts'
import { compilePlans } from './compiled-state.ts'
import { type Change, findChanges } from './counterfactuals.ts'
import { createEvidence, type Evidence } from './evidence.ts'
import { readDoubts } from './gather-evidence.ts'
import { type JudgeContext, type Judgement, judge } from './judge.ts'
import { type Coverage, evidenceFrom, type Known } from './known.ts'
import { odditiesOf } from './oddities.ts'
import type { ScreeningSnapshot } from './snapshot.ts'

/** Gates are not looked at: everything is asked exactly. */
export type ExplainSnapshot = Omit<ScreeningSnapshot, 'globalGate' | 'reportedGate'>

export type ExplainDependencies = {
  readonly lookup: NumberLookup
  readonly home: DiallingRules
  /** What is written beside a number in a layer; undefined when it is not there. */
  readonly entryDetails: (layerId: number, number: PhoneNumber) => EntryDetails | undefined
  /** Fills the behaviour of the evidence, `contact` included (gatherBehaviour); absent: nothing is known of it. */
  readonly gatherBehaviour?: (call: Call, evidence: Evidence) => void
}

export type Explanation = Omit<Judgement, 'reasons'> & {
  readonly reasons: readonly Reason[]
  readonly policy: string
  readonly thresholds: { readonly flag: number; readonly block: number; readonly reviewAt: number }
  readonly ingress: IngressKind
  readonly lists: readonly Coverage[]
  /** Absent when nobody ever reported the caller. */
  readonly reputation?: ReputationDescription & { readonly reportersCounted: number }
  /** The smallest changes, one by one, that would lead to another verdict. */
  readonly changes: readonly Change[]
}

/**
 * Everything about a decision: the slow twin of screen. Same verdict, score and reasons as screen gives the same call in
 * time, for the same snapshot. Reads only; no gate, no memory of recent calls, no counters.
 */
export function explain(call: Call, snapshot: ExplainSnapshot, dependencies: ExplainDependencies): Explanation {
  const trunk = snapshot.trunks[call.trunk]
  const context: JudgeContext = {
    policy: compilePolicy(snapshot.policy, snapshot.policyVersion, dependencies.home),
    plans: compilePlans(snapshot.numbering),
    home: dependencies.home,
    screening: trunk?.screening ?? 'enforce',
  }
  const ingress = call.ingress !== 0 ? call.ingress : INGRESS_KINDS.indexOf(trunk?.kind ?? 'unknown')
  const coverage = isPhoneNumber(call.caller) ? coverageOf(call.caller, call.nowMs, snapshot, dependencies) : []
  const record = isPhoneNumber(call.caller) ? dependencies.lookup.reputation(call.caller) : undefined
  const { windowDays, weightMin } = context.policy
  const nothing = { ingress, reporters: 0, harm: 0, good: 0, behaviour: createEvidence() }
  const behaviour = evidenceFrom({ ...nothing, coverage })
  behaviour.oddities = isPhoneNumber(call.caller) ? odditiesOf(call, behaviour, context) : 0
  behaviour.contact = 0
  dependencies.gatherBehaviour?.(call, behaviour)
  if (record) {
    behaviour.reporters = countReporters(record, ingress, call.nowMs, windowDays, weightMin, REPORTERS_KEPT)
    readDoubts(record, call.nowMs, context.policy, behaviour)
  }
  const known: Known = {
    behaviour,
    coverage,
    ingress,
    reporters: behaviour.reporters,
    harm: record ? decayedHarm(record, ingress, call.nowMs) : 0,
    good: record ? decayedGood(record, ingress, call.nowMs) : 0,
  }
  const reputation = record && {
    ...describeReputation(record, call.nowMs, windowDays, weightMin),
    reportersCounted: known.reporters,
  }
  const judgement = judge(call, evidenceFrom(known), context)
  return {
    ...judgement,
    reasons: judgement.reasons.map(({ listId, ...reason }) => {
      const list = snapshot.lists.find((candidate) => candidate.listId === listId)
      return list ? { ...reason, list: list.name, kind: list.kind } : reason
    }),
    policy: context.policy.label,
    thresholds: { flag: context.policy.flagAt, block: context.policy.blockAt, reviewAt: context.policy.reviewAt },
    ingress: INGRESS_KINDS[ingress] ?? 'unknown',
    lists: coverage,
    ...(reputation ? { reputation } : {}),
    changes: findChanges(call, known, context, judgement),
  }
}

/** Lists that have the number itself in their order, then those with a range around it. */
function coverageOf(
  caller: PhoneNumber,
  nowMs: number,
  snapshot: ExplainSnapshot,
  { lookup, entryDetails }: ExplainDependencies,
): Coverage[] {
  const found: Coverage[] = []
  for (const { listId, name, kind, layers } of snapshot.lists) {
    const known = layers
      .map(({ layerId }) => ({ layerId, state: lookup.entry(layerId, caller, nowMs) }))
      .find((layer) => layer.state !== ENTRY_ABSENT)
    if (known?.state !== ENTRY_PRESENT) continue
    found.push({ listId, list: name, kind, match: 'number', details: entryDetails(known.layerId, caller) ?? {} })
  }
  const ranges = openIntervals(snapshot.ranges)
  const segment = findSegment(ranges, caller)
  if (segment < 0) return found
  for (const tag of ranges.tags.subarray(segmentTagsStart(ranges, segment), segmentTagsEnd(ranges, segment))) {
    const expiresMs = snapshot.rangeExpiresMs[tag] ?? Number.POSITIVE_INFINITY
    const list = snapshot.lists.find((candidate) => candidate.listId === snapshot.rangeList[tag])
    if (list === undefined || expiresMs < nowMs) continue
    const details = Number.isFinite(expiresMs) ? { expiresMs } : {}
    found.push({ listId: list.listId, list: list.name, kind: list.kind, match: 'range', details })
  }
  return found
}
