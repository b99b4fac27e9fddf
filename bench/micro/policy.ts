/**
 * Policy: what it takes to measure and weigh all signals of a call whose evidence is gathered, and a whole decision with everything
 * around it. Nanoseconds; the score is the same as that of the slow twin (engine/judge.ts), which is written independently.
 */
import type { Call } from '../../src/domain/call-event.ts'
import { diallingRules } from '../../src/domain/parse-phone-number.ts'
import { SIGNAL_NAMES } from '../../src/domain/policy.ts'
import { scoreOf } from '../../src/domain/score.ts'
import { BLOCK } from '../../src/domain/verdict.ts'
import { type CompiledState, compileState, LIST_KIND_CODE } from '../../src/engine/compiled-state.ts'
import { createDecision } from '../../src/engine/decision.ts'
import { createEvidence, type Evidence } from '../../src/engine/evidence.ts'
import { judge } from '../../src/engine/judge.ts'
import {
  isContradicted,
  isHarmSeen,
  measureMitigation,
  measureSignals,
  weighSignals,
} from '../../src/engine/signals/measure-signals.ts'
import { drainRecords } from '../../src/shm/decision-ring.ts'
import { rotatePairs } from '../../src/shm/pairs.ts'
import { seededRandom } from '../lib/seeded-random.ts'
import type { PartResult, ResultTable } from '../suite/part.ts'
import { numbersOf, openScreeningLoad, type Scale, type ScreeningLoad, trunkOf } from './screening-load.ts'
import { cell, type Side, timeSides } from './sides.ts'

const NATIONAL = 2
/** The ring of decisions holds four times as many. */
const SLICE = 2_000
/** From one call of a caller to his next, on average: about two an hour. */
const CALLER_PAUSE_MS = 2_000_000

export type PolicyOptions = {
  readonly scale: Scale
  readonly rounds: number
  readonly evaluations: number
  readonly decisions: number
}

/** `directory`: a store filled by fillStore with this scale. */
export async function measurePolicy(directory: string, options: PolicyOptions): Promise<PartResult> {
  const nowMs = Date.now()
  const load = await openScreeningLoad(directory, options.scale, nowMs, false)
  try {
    const { snapshot } = load.screener
    if (snapshot === undefined) throw new Error('The screener has no snapshot.')
    const state = compileState(snapshot, diallingRules('RU'))
    const signals = await timeSides(signalSides(state, nowMs, options.evaluations), options.rounds)
    const decisions = await timeSides(decisionSides(load, nowMs, options), options.rounds)
    const ns = (results: Record<string, { readonly ns: number[] }>) =>
      Object.fromEntries(Object.entries(results).map(([name, result]) => [name, result.ns]))
    const raw = { ...options, signalNs: ns(signals), decisionNs: ns(decisions) }
    return { measured: {}, tables: [tableOf(raw)], raw }
  } finally {
    await load.close()
  }
}

type Raw = PolicyOptions & Readonly<Record<'signalNs' | 'decisionNs', Readonly<Record<string, number[]>>>>

function tableOf({ scale, rounds, signalNs, decisionNs }: Raw): ResultTable {
  const { listed, reported, active } = scale
  return {
    title: `Policy and decision, ns, by caller, ${rounds} rounds in turn`,
    head: ['', 'signals measured and weighed', 'whole decision'],
    rows: Object.keys(signalNs).map((name) => [name, cell(signalNs[name] ?? []), cell(decisionNs[name] ?? [])]),
    note:
      'Median and range. Signals: of the default policy, from evidence in the cache. Decision: with all that is gathered, counted and logged, ' +
      `every call of another caller to another callee, so that its memory is cold; ${countText(listed)} listed, ${countText(reported)} reported, ` +
      `${countText(active)} active numbers. \`node dist/bench/micro/screen.js --full\` has the large world.`,
  }
}

function countText(count: number): string {
  return count.toLocaleString('en-US')
}

/** Evidence as it is gathered of an unlisted caller, one on a deny list, and one with as many reporters as block. */
function signalSides(state: CompiledState, nowMs: number, count: number): Record<string, Side> {
  const plain = createEvidence()
  plain.ingress = NATIONAL
  const listed = { ...createEvidence(), ingress: NATIONAL }
  listed.listByKind[LIST_KIND_CODE.deny] = 1
  const reported = { ...createEvidence(), ingress: NATIONAL }
  Object.assign(reported, { reporters: state.policy.blockReporters, harmShare: 900, scenario: 1, contact: 0 })
  const kinds = { 'no evidence': plain, listed, reported }
  return Object.fromEntries(
    Object.entries(kinds).map(([name, evidence]) => {
      const call = callAt(nowMs)
      const evaluate = createEvaluation(state)
      const judged = judge(call, evidence, { ...state, screening: 'enforce' }).score
      if (evaluate(call, evidence) !== judged) throw new Error(`${name}: the score differs from that of judge.`)
      return [
        name,
        {
          count,
          work() {
            let sum = 0
            for (let i = 0; i < count; i++) sum += evaluate(call, evidence)
            if (sum !== judged * count) throw new Error(`${name}: the score has changed.`)
            return sum
          },
        },
      ]
    }),
  )
}

/** As decide in engine/screen.ts does between evidence and verdict. Returns the score. */
function createEvaluation(state: CompiledState): (call: Call, evidence: Evidence) => number {
  const { policy } = state
  const strengths = new Uint16Array(SIGNAL_NAMES.length)
  const contributions = new Float64Array(SIGNAL_NAMES.length)
  return (call, evidence) => {
    let seen = measureSignals(call, evidence, state, strengths)
    if (isHarmSeen(seen, policy)) seen |= measureMitigation(call, evidence, state, strengths)
    const onlyFlags = weighSignals(policy, strengths, isContradicted(policy, strengths, seen), contributions, seen)
    return scoreOf(contributions, onlyFlags, policy.blockAt, seen)
  }
}

function decisionSides(load: ScreeningLoad, startMs: number, options: PolicyOptions): Record<string, Side> {
  const { screener, behaviour, ring } = load
  const { scale, decisions } = options
  const numbers = numbersOf(scale)
  const random = seededRandom(1)
  const callers = new Float64Array(decisions)
  const callees = new Float64Array(decisions)
  const call = callAt(startMs)
  const decision = createDecision()
  const drained = new Uint8Array(SLICE * 128)
  const kinds = { 'no evidence': numbers.unlisted, listed: numbers.listed, reported: numbers.reported }
  const screenAll = () => {
    let blocks = 0
    for (let index = 0; index < decisions; index++) {
      call.caller = callers[index]!
      call.callee = callees[index]!
      call.trunk = trunkOf(callers[index]!)
      call.nowMs += CALLER_PAUSE_MS / scale.active
      call.deadlineMs = call.nowMs + 50
      screener.screen(call, decision)
      if (decision.verdict === BLOCK) blocks++
      if (index % SLICE === SLICE - 1) drainRecords(ring, drained)
    }
    return blocks
  }
  return Object.fromEntries(
    Object.entries(kinds).map(([name, numberOf]) => [
      name,
      {
        count: decisions,
        prepare() {
          rotatePairs(behaviour.pairs, call.nowMs)
          for (let index = 0; index < decisions; index++) {
            callers[index] = numberOf(Math.floor(random() * scale.active))
            callees[index] = numbers.subscriber(Math.floor(random() * scale.active))
          }
        },
        work() {
          const blocks = screenAll()
          if (name === 'listed' && blocks !== decisions)
            throw new Error(`${blocks} of ${decisions} listed were blocked.`)
          return blocks
        },
      },
    ]),
  )
}

function callAt(nowMs: number): Call {
  return {
    caller: 79_160_000_002,
    callee: 79_031_112_233,
    redirecting: -1,
    trunk: 0,
    ingress: NATIONAL,
    attestation: 0,
    verstat: 0,
    originating: 0,
    roaming: 0,
    treatment: 0,
    callHashLow: 0,
    callHashHigh: 0,
    nowMs,
    deadlineMs: nowMs + 50,
  }
}
