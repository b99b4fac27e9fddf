import type { Call } from '../../src/domain/call-event.ts'
import { createThousandSums, THOUSAND_AT, weightAt } from '../../src/domain/number-block.ts'
import { diallingRules } from '../../src/domain/parse-phone-number.ts'
import { REASON_CODES } from '../../src/domain/reason.ts'
import { BLOCK } from '../../src/domain/verdict.ts'
import { createCallEnd } from '../../src/engine/behaviour.ts'
import { type BehaviourMemory, createBehaviourRegions, openBehaviour } from '../../src/engine/behaviour-memory.ts'
import { createDecision } from '../../src/engine/decision.ts'
import { createScreener } from '../../src/engine/screen.ts'
import type { Screener } from '../../src/engine/screener.ts'
import type { BlockTable } from '../../src/shm/block-table.ts'
import { writeThousand } from '../../src/shm/block-table-writer.ts'
import { createCounters, openCounters } from '../../src/shm/counters.ts'
import { createDecisionRing, openDecisionRing } from '../../src/shm/decision-ring.ts'
import { rotatePairs } from '../../src/shm/pairs.ts'
import { createRecentCalls, openRecentCalls } from '../../src/shm/recent-calls.ts'
import { createTraffic, openTraffic } from '../../src/shm/traffic.ts'
import { seededRandom } from '../lib/seeded-random.ts'
import {
  createRandomRecord,
  DAY_MS,
  type Draw,
  drawFrom,
  drawSnapshot,
  NUMBERS,
  oneOf,
  type RandomRecord,
  type RandomSnapshot,
} from './random-state.ts'

/** What calls were made, and how many of them were blocked. Nothing of the first three ever may be. */
export type Blocked = { calls: number; blocked: number }
export type NeverBlockResult = {
  readonly states: number
  /** Calls to emergency numbers and to operator services, from anybody, late ones included. */
  readonly emergency: Blocked
  readonly service: Blocked
  /** Calls from protected numbers that are on no deny list, and whose number nothing contradicts. */
  readonly protected: Blocked
  /** Calls from emergency numbers and operator services, neither on a deny list nor contradicted. */
  readonly calledBack: Blocked
  /** Of protected numbers: calls that would have been blocked, were the number not protected, or that a review was asked for. */
  readonly protectedSpared: number
  /** All other calls in the same states: that many are blocked shows what the states are made of. */
  readonly others: Blocked
  /** Decisions that failed. Must be none: what fails is let through. */
  readonly failures: number
}

const HOME = diallingRules('RU')
const START_MS = Date.parse('2026-03-01T12:00:00Z')
const EMERGENCY = [1_112, 1_101, 1_102, 1_103, 1_104]
const SERVICE = [1_611, 1_122, 1_123]
/** Of both, those that lists and reports of the states are about. */
const CALLING_BACK = [1_112, 1_611]
const CALLEE = 79_031_112_233
/** A policy, ranges, plans and trunks hold for so many states; lists, reports and behaviour change with every one. */
const STATES_PER_SNAPSHOT = 20
const PROTECTED = REASON_CODES.indexOf('protected') + 1

/** Draws `states` states and asks in each for verdicts that may not be a block. The same for the same seed. */
export function runStates(states: number, seed: number): NeverBlockResult {
  const draw = drawFrom(seededRandom(seed))
  const record = createRandomRecord(draw, START_MS)
  const failures = { count: 0 }
  const behaviour = openMemory(START_MS)
  const screener = openScreener(record, behaviour, draw, failures)
  const decision = createDecision()
  const result = { emergency: none(), service: none(), protected: none(), calledBack: none(), others: none() }
  let protectedSpared = 0
  let nowMs = START_MS
  let current = drawSnapshot(draw, 1, nowMs)

  function ask(call: Call, into: Blocked): void {
    screener.screen(call, decision)
    into.calls++
    if (decision.verdict === BLOCK) into.blocked++
  }

  for (let state = 0; state < states; state++) {
    nowMs += stepMs(draw)
    if (state % STATES_PER_SNAPSHOT === 0) {
      current = drawSnapshot(draw, state + 1, nowMs)
      screener.install(current.snapshot)
      writeBlock(draw, behaviour.blocks, nowMs)
    }
    rotatePairs(behaviour.pairs, nowMs)
    record.redraw(nowMs)
    result.others.calls += traffic(draw, screener, nowMs, (blocked) => {
      if (blocked) result.others.blocked++
    })
    ask({ ...drawCall(draw, nowMs, true), callee: oneOf(draw, EMERGENCY) }, result.emergency)
    ask({ ...drawCall(draw, nowMs, true), callee: oneOf(draw, SERVICE) }, result.service)
    const back = { ...drawCall(draw, nowMs, false), caller: oneOf(draw, CALLING_BACK) }
    if (takeNothingAgainst(back, record, current)) ask(back, result.calledBack)
    const spared = drawCall(draw, nowMs, false)
    if (!takeNothingAgainst(spared, record, current)) continue
    record.put(spared.caller, 'protected', true)
    ask(spared, result.protected)
    if (decision.reasonCodes.subarray(0, decision.reasonCount).includes(PROTECTED)) protectedSpared++
  }
  return { states, ...result, protectedSpared, failures: failures.count }
}

function none(): Blocked {
  return { calls: 0, blocked: 0 }
}

/** Sees to it that no list speaks for or against the caller, and nothing contradicts his number. False: a range does. */
function takeNothingAgainst(call: Call, record: RandomRecord, { ranges }: RandomSnapshot): boolean {
  const { caller } = call
  if (caller <= 0) return false
  const isAgainst = (kind: string) => kind === 'deny' || kind === 'do-not-originate'
  if (ranges.some(({ from, to, kind }) => isAgainst(kind) && from <= caller && caller <= to)) return false
  record.put(caller, 'deny', false)
  record.put(caller, 'do-not-originate', false)
  record.put(caller, 'allow', false)
  // What contradicts the number: its owner denies the call or the roaming, the signature is wrong.
  if (call.originating === 2) call.originating = 0
  if (call.roaming === 2) call.roaming = 0
  if (call.verstat === 2) call.verstat = 0
  return true
}

/** Mostly seconds to minutes; now and then a day goes by, or the clock is set back. */
function stepMs(draw: Draw): number {
  const rare = draw(0, 999)
  if (rare === 0) return DAY_MS
  if (rare === 1) return -7_200_000
  return oneOf(draw, [0, 1_000, 10_000, 60_000])
}

/** What goes before: single calls and their ends, in any order, or one number that calls dozens. Returns the calls. */
function traffic(draw: Draw, screener: Screener, nowMs: number, onVerdict: (blocked: boolean) => void): number {
  const decision = createDecision()
  const end = createCallEnd()
  const isRush = draw(0, 19) === 0
  const call = drawCall(draw, nowMs, false)
  const calls = isRush ? draw(5, 40) : draw(0, 2)
  for (let index = 0; index < calls; index++) {
    if (isRush) call.callee = CALLEE + draw(1, 50)
    else Object.assign(call, drawCall(draw, nowMs, false))
    screener.screen(call, decision)
    onVerdict(decision.verdict === BLOCK)
    end.caller = call.caller
    end.callee = call.callee
    end.answered = draw(0, isRush ? 9 : 1) === 0
    end.ringMs = draw(0, 9_000)
    end.talkMs = end.answered ? draw(0, 120_000) : 0
    end.nowMs = nowMs
    if (draw(0, 4) > 0) screener.endCall(end)
  }
  return calls
}

function drawCall(draw: Draw, nowMs: number, mayBeLate: boolean): Call {
  return {
    caller: draw(0, 9) === 0 ? -draw(1, 5) : oneOf(draw, NUMBERS),
    callee: draw(0, 3) === 0 ? oneOf(draw, NUMBERS) : CALLEE,
    redirecting: oneOf(draw, [-1, -1, -5, CALLEE + 1]),
    trunk: draw(0, 3),
    ingress: draw(0, 3),
    attestation: draw(0, 3),
    verstat: draw(0, 3),
    originating: draw(0, 2),
    roaming: draw(0, 2),
    treatment: draw(0, 3),
    callHashLow: 0,
    callHashHigh: 0,
    nowMs,
    deadlineMs: mayBeLate && draw(0, 4) === 0 ? nowMs - 1 : nowMs + 50,
  }
}

/** Harm around the numbers, from none to nothing but harm. */
function writeBlock(draw: Draw, table: BlockTable, nowMs: number): void {
  const thousand = createThousandSums()
  const weight = draw(0, 40) * weightAt(nowMs, table.base)
  for (const at of [0, 400, THOUSAND_AT]) thousand.sums.fill(weight, at, at + 4)
  thousand.newestMs = nowMs
  writeThousand(table, Math.floor((NUMBERS[0] ?? 0) / 1_000) * 1_000, thousand)
}

function openMemory(nowMs: number): BehaviourMemory {
  const sizes = { activeNumbers: 1_024, pairsPerDay: 1_024, blocks: 256, recentEnds: 64 }
  return openBehaviour(createBehaviourRegions(sizes, Uint32Array.of(5, 6), nowMs))
}

function openScreener(
  record: RandomRecord,
  behaviour: BehaviourMemory,
  draw: Draw,
  failures: { count: number },
): Screener {
  const options = { home: HOME, callKey: Uint32Array.of(1, 2), logKey: Uint32Array.of(3, 4), sampleOneIn: 0 }
  return createScreener(options, {
    lookup: record,
    counters: openCounters(createCounters(1), 0),
    ring: openDecisionRing(createDecisionRing(64)),
    recent: openRecentCalls(createRecentCalls(64)),
    traffic: openTraffic(createTraffic(64)),
    behaviour,
    fillRandom: (words) => {
      words.fill(draw(0, 0x7fff_ffff))
    },
    nowNs: () => 0,
    onFailure: () => failures.count++,
  })
}
