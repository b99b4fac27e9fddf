/**
 * One call, decided: what happens between the parsed request and the answer, in the order it happens.
 *
 * Synchronous, makes no object per call (V8 boxes the few doubles that cross a function call: tens of bytes, gone with the
 * next scavenge; bench/micro/screen.ts shows them), cannot fail: whatever goes wrong around it, a call gets an answer,
 * and an answer without evidence says so. Its slow twin (explain.ts) is written independently and held to the same verdict,
 * score and reasons by a property test.
 */
import { type Call, TREATMENTS } from '../domain/call-event.ts'
import { DECISION_FLAG } from '../domain/decision-record.ts'
import type { NumberLookup } from '../domain/lookup.ts'
import type { DiallingRules } from '../domain/parse-phone-number.ts'
import { SIGNAL_NAMES } from '../domain/policy.ts'
import { scoreOf } from '../domain/score.ts'
import { ANALYTICS, DETERMINISTIC, reasonIndex, signalBits } from '../domain/signal.ts'
import { SCREENING_MODES } from '../domain/trunk.ts'
import { ALLOW, BLOCK, FLAG } from '../domain/verdict.ts'
import { type Counters, count, counterIndex } from '../shm/counters.ts'
import type { DecisionRing } from '../shm/decision-ring.ts'
import { noteCall } from '../shm/pairs.ts'
import { countCall } from '../shm/traffic.ts'
import { addSignalReasons } from './add-signal-reasons.ts'
import { askContact, type CallEnd, countBehaviour, gatherBehaviour, noteCallEnd, READ_AND_COUNT } from './behaviour.ts'
import { createCallHasher } from './call-hasher.ts'
import { type CompiledPolicy, includesCallee } from './compiled-policy.ts'
import { type CompiledState, compileState, LIST_KIND_CODE } from './compiled-state.ts'
import { countDecision } from './count-decision.ts'
import { addReason, clearDecision, type Decision } from './decision.ts'
import { createDecisionJournal, type DecisionJournalOptions, noteStrengths } from './decision-journal.ts'
import { createDecisionTimer } from './decision-timer.ts'
import { doubtOf, isService } from './doubt.ts'
import { CONTACT_NOT_ASKED, clearEvidence, createEvidence, DOUBT } from './evidence.ts'
import { createExpected } from './expected.ts'
import type { FetchedMemory } from './fetch-memory.ts'
import { gatherEvidence, ingressOf } from './gather-evidence.ts'
import { odditiesOf } from './oddities.ts'
import { offerLongTalk } from './offer-long-talk.ts'
import { createRecentAnswers } from './recent-answers.ts'
import type { Screener } from './screener.ts'
import {
  isContradicted,
  isHarmSeen,
  measureMitigation,
  measureSignals,
  NOTHING_SEEN,
  REPORT_SIGNALS,
  weighSignals,
} from './signals/measure-signals.ts'
import { createVerdictIds, type FillRandom } from './verdict-ids.ts'

export type ScreenerOptions = DecisionJournalOptions & {
  readonly home: DiallingRules
  /** Two secret words for call hashes; the same in all threads that share a memory of recent calls. */
  readonly callKey: Uint32Array
}

export type ScreenerDependencies = FetchedMemory & {
  readonly lookup: NumberLookup
  /** Single-writer regions of this thread. */
  readonly counters: Counters
  readonly ring: DecisionRing
  readonly fillRandom: FillRandom
  /** A clock for measuring, in nanoseconds. */
  readonly nowNs: () => number
  /** Told when evidence could not be read; the call has been answered without it and counted. Must not throw. */
  readonly onFailure: (error: unknown) => void
}

const REASON = {
  noEvidence: reasonIndex('no-evidence'),
  emergencyCallee: reasonIndex('emergency-callee'),
  serviceCallee: reasonIndex('service-callee'),
  allowListed: reasonIndex('allow-listed'),
  protected: reasonIndex('protected'),
  overloaded: reasonIndex('overloaded'),
  notReady: reasonIndex('not-ready'),
  treatment: reasonIndex('treatment'),
  reportBurst: reasonIndex('report-burst'),
  reportsContested: reasonIndex('reports-contested'),
} as const
const COUNTER = {
  recentHits: counterIndex('recent-calls.hits'),
  callEnds: counterIndex('call-ends'),
  internalErrors: counterIndex('internal-errors'),
} as const
const DENY_LISTED = signalBits('deny-listed')
const SCREENING_OFF = SCREENING_MODES.indexOf('off')
const SCREENING_SHADOW = SCREENING_MODES.indexOf('shadow')
const TREATMENT_OFF = TREATMENTS.indexOf('off')
const TREATMENT_FLAG = TREATMENTS.indexOf('flag')

export function createScreener(options: ScreenerOptions, dependencies: ScreenerDependencies): Screener {
  const { lookup, counters, traffic, behaviour } = dependencies
  const verdictIds = createVerdictIds(dependencies.fillRandom)
  const journal = createDecisionJournal(options, dependencies)
  const recentAnswers = createRecentAnswers(dependencies.recent)
  const evidence = createEvidence()
  const strengths = new Uint16Array(SIGNAL_NAMES.length)
  const contributions = new Float64Array(SIGNAL_NAMES.length)
  let state: CompiledState | undefined
  const expected = createExpected(dependencies)
  const timer = createDecisionTimer(counters, dependencies.nowNs)

  function expect(calls: readonly Call[], callCount: number, ends: readonly CallEnd[], endCount: number): void {
    timer.beginGroup(callCount)
    expected.expect(calls, callCount, ends, endCount, state)
    timer.endGroup(callCount)
  }

  function screenTimed(call: Call, decision: Decision): void {
    timer.begin()
    screen(call, decision)
    timer.end()
  }

  function screen(call: Call, decision: Decision): void {
    clearDecision(decision, state?.policy.version ?? 0)
    if (state === undefined) {
      finish(call, decision, decideUnready(decision))
      return
    }
    expected.beginCall(call, state)
    if (recentAnswers.recall(call, decision)) {
      // Even when late: the answer is there, and a block must not turn into an allow.
      count(counters, COUNTER.recentHits)
    } else if (call.nowMs > call.deadlineMs) {
      finish(call, decision, decideTooLate(call, decision, state))
    } else {
      screenAfresh(call, decision, state)
    }
  }

  /** A store that fails must not take the call down with it: the call is answered as one that came too late. */
  function screenAfresh(call: Call, decision: Decision, current: CompiledState): void {
    try {
      clearEvidence(evidence, ingressOf(call, current))
      finish(call, decision, decide(call, decision, current))
      countCall(traffic, call.caller, call.nowMs)
      if (!evidence.isCounted) countBehaviour(call, evidence.ingress, behaviour)
      recentAnswers.remember(call, decision)
    } catch (error) {
      count(counters, COUNTER.internalErrors)
      dependencies.onFailure(error)
      clearDecision(decision, current.policy.version)
      finish(call, decision, decideTooLate(call, decision, current))
    }
  }

  /** The precedence: each step is final. Returns the verdict before the callee's and the trunk's own wishes. */
  function decide(call: Call, decision: Decision, current: CompiledState): number {
    const { policy, trunks } = current
    if (trunks.screening[call.trunk] === SCREENING_OFF) return ALLOW

    // 1. Emergency and operator services are always reachable.
    if (includesCallee(policy.emergencyCallees, call.callee))
      return allowBecause(decision, REASON.emergencyCallee, 0, DETERMINISTIC)
    if (includesCallee(policy.serviceCallees, call.callee))
      return allowBecause(decision, REASON.serviceCallee, 0, DETERMINISTIC)

    gatherEvidence(call, current, lookup, counters, evidence)
    evidence.oddities = odditiesOf(call, evidence, current)
    gatherBehaviour(call, evidence, behaviour, READ_AND_COUNT)
    let seen = measureSignals(call, evidence, current, strengths)
    const allowList = evidence.listByKind[LIST_KIND_CODE.allow] ?? 0
    // Most calls. A score of 0 reaches no threshold: they are 1 and more.
    if (seen === NOTHING_SEEN && allowList === 0) return ALLOW
    if (isHarmSeen(seen, policy)) {
      if (evidence.contact === CONTACT_NOT_ASKED) evidence.contact = askContact(call, behaviour)
      seen |= measureMitigation(call, evidence, current, strengths)
    }
    noteStrengths(decision, strengths, seen)

    // 2. Whoever borrows a number gets none of its favours: steps 3 and 5 and good evidence do not count for him.
    const contradicted = isContradicted(policy, strengths, seen)

    // 3. Allow lists have the last word.
    if (allowList !== 0 && !contradicted) return allowBecause(decision, REASON.allowListed, allowList, ANALYTICS)

    const onlyFlags = weighSignals(policy, strengths, contradicted, contributions, seen)
    decision.score = scoreOf(contributions, onlyFlags, policy.blockAt, seen)
    addSignalReasons(decision, seen & policy.enforced, policy.points, strengths, contributions, evidence)

    // 4. Deny lists block, whatever the score. Their signal is full or not there.
    if ((seen & policy.enforced & DENY_LISTED) !== 0) {
      decision.basis = ANALYTICS
      return BLOCK
    }

    // 6. The score decides,
    let verdict = ALLOW
    if (decision.score >= policy.blockAt) verdict = BLOCK
    else if (decision.score >= policy.flagAt) verdict = FLAG

    // 5. but never blocks a protected caller: people look at him instead.
    const protectedList = evidence.listByKind[LIST_KIND_CODE.protected] ?? 0
    const isProtected = protectedList !== 0 || (verdict !== ALLOW && isService(call.caller, policy))
    if (isProtected && !contradicted) {
      const isReviewWanted = decision.score >= policy.reviewAt
      if (isReviewWanted) decision.flags |= DECISION_FLAG.reviewWanted
      if (isReviewWanted || verdict === BLOCK) addReason(decision, REASON.protected, 0, protectedList, ANALYTICS)
      if (verdict === BLOCK) verdict = FLAG
    }
    if (verdict === BLOCK && !contradicted) return spareFromReports(decision, policy, onlyFlags, seen)
    return verdict
  }

  /**
   * Reports alone do not block where they may be a concerted lie: people look at the number, and callees are warned. What
   * else is known of the call decides as ever.
   */
  function spareFromReports(decision: Decision, policy: CompiledPolicy, onlyFlags: number, seen: number): number {
    const doubt = doubtOf(evidence)
    if (doubt === DOUBT.none) return BLOCK
    if (scoreOf(contributions, onlyFlags | REPORT_SIGNALS, policy.blockAt, seen) >= policy.blockAt) return BLOCK
    decision.flags |= DECISION_FLAG.reviewWanted
    addReason(decision, doubt === DOUBT.burst ? REASON.reportBurst : REASON.reportsContested, 0, 0, ANALYTICS)
    return FLAG
  }

  function decideUnready(decision: Decision): number {
    decision.flags |= DECISION_FLAG.failOpen
    return allowBecause(decision, REASON.notReady, 0, ANALYTICS)
  }

  /** Later than the deadline nobody waits for evidence: the trunk says whether to let the call through without any. */
  function decideTooLate(call: Call, decision: Decision, { policy, trunks }: CompiledState): number {
    addReason(decision, REASON.overloaded, 0, 0, ANALYTICS)
    const isReachable =
      includesCallee(policy.emergencyCallees, call.callee) || includesCallee(policy.serviceCallees, call.callee)
    const isScreened = trunks.screening[call.trunk] !== SCREENING_OFF
    if (trunks.failsClosed[call.trunk] === 1 && isScreened && !isReachable) return BLOCK
    decision.flags |= DECISION_FLAG.failOpen
    return ALLOW
  }

  /** What the callee and the trunk make of a verdict; then its id, the log, the counters. */
  function finish(call: Call, decision: Decision, decided: number): void {
    if (decision.reasonCount === 0) addReason(decision, REASON.noEvidence, 0, 0, ANALYTICS)
    const verdict = Math.min(decided, mostSevereFor(call.treatment))
    if (verdict < decided) {
      decision.flags |= DECISION_FLAG.capped
      addReason(decision, REASON.treatment, 0, 0, ANALYTICS)
    }
    const isShadow = state?.trunks.screening[call.trunk] === SCREENING_SHADOW
    if (isShadow) decision.flags |= DECISION_FLAG.shadow
    decision.verdict = isShadow ? ALLOW : verdict
    verdictIds.next(decision.verdictId)
    journal.record(call, decision, verdict)
    // However it was decided: a call that is not noted would be denied to whoever reports it.
    noteCall(behaviour.pairs, call.caller, call.callee, call.nowMs)
    countDecision(counters, decision, verdict)
  }

  return {
    screen: screenTimed,
    expect,
    install(snapshot) {
      state = compileState(snapshot, options.home)
    },
    ...createCallHasher(options.callKey),
    endCall(end) {
      count(counters, COUNTER.callEnds)
      expected.beginEnd(end)
      offerLongTalk(end, noteCallEnd(end, behaviour), state, behaviour)
    },
    get generation() {
      return state?.snapshot.generation ?? 0
    },
    get snapshot() {
      return state?.snapshot
    },
    get policyLabel() {
      return state?.policy.label ?? 'none@0'
    },
    trunkIndex: (name) => (name === undefined ? 0 : (state?.trunks.indexByName.get(name) ?? 0)),
    trunkIngress: (trunk) => state?.trunks.ingress[trunk] ?? 0,
  }
}

/** Allows the call for a reason that no signal has a say in. */
function allowBecause(decision: Decision, reason: number, listId: number, basis: number): number {
  addReason(decision, reason, 0, listId, basis)
  decision.basis = basis
  return ALLOW
}

/** A subscriber may ask for less than we would do, never for more. */
function mostSevereFor(treatment: number): number {
  return treatment === TREATMENT_OFF ? ALLOW : treatment === TREATMENT_FLAG ? FLAG : BLOCK
}
