/**
 * The production decision path, put together as the verdict and control processes do (processes/verdict.ts,
 * processes/control.ts), over the memory store and a clock that the simulation moves. No copy of any logic: what is
 * measured here is what answers a switch.
 */
import type { Call } from '../../src/domain/call-event.ts'
import { DECISION_RECORD_BYTES } from '../../src/domain/decision-record.ts'
import type { ListKind } from '../../src/domain/number-list.ts'
import { diallingRules, parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'
import type { PolicyDocument } from '../../src/domain/policy.ts'
import { CALL_MATCHES } from '../../src/domain/report.ts'
import { type Trunk, UNKNOWN_TRUNK } from '../../src/domain/trunk.ts'
import { askContact, createCallEnd, gatherBehaviour, READ } from '../../src/engine/behaviour.ts'
import { createBehaviourRegions, openBehaviour } from '../../src/engine/behaviour-memory.ts'
import { type CompiledState, compileState } from '../../src/engine/compiled-state.ts'
import { createDecision, type Decision } from '../../src/engine/decision.ts'
import { CONTACT_NOT_ASKED, clearEvidence, createEvidence, type Evidence } from '../../src/engine/evidence.ts'
import { gatherEvidence, ingressOf } from '../../src/engine/gather-evidence.ts'
import { numberStanding } from '../../src/engine/number-standing.ts'
import { odditiesOf } from '../../src/engine/oddities.ts'
import { createScreener } from '../../src/engine/screen.ts'
import { type CallMatches, createCallMatches } from '../../src/processes/ask-call-match.ts'
import { createReportIntake, REPORT_INTAKE_DEFAULTS } from '../../src/services/accept-report.ts'
import { createBlockBuilder } from '../../src/services/build-blocks.ts'
import { createSnapshotBuilder } from '../../src/services/build-snapshot.ts'
import { createListMembership } from '../../src/services/list-membership.ts'
import { createPseudonyms } from '../../src/services/pseudonym.ts'
import { createCounters, openCounters } from '../../src/shm/counters.ts'
import { createDecisionRing, drainRecords, openDecisionRing } from '../../src/shm/decision-ring.ts'
import { matchHash, rotatePairs } from '../../src/shm/pairs.ts'
import { createRecentCalls, openRecentCalls } from '../../src/shm/recent-calls.ts'
import { createTraffic, openTraffic } from '../../src/shm/traffic.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'
import { createCall } from '../../src/transports/data-plane/read-call.ts'
import type { CallPool } from './call-pool.ts'
import type { Random } from './random.ts'
import type { PlannedReport } from './victims.ts'
import type { Range } from './world/numbering.ts'
import { TRUNKS } from './world/parameters.ts'

export type ProductionPathOptions = {
  readonly policy: { readonly text: string; readonly document: PolicyDocument }
  /** Exact numbers of the list of each kind. */
  readonly lists: Partial<Readonly<Record<ListKind, readonly number[]>>>
  readonly numbering: { readonly covered: readonly Range[]; readonly allocated: readonly Range[] }
  readonly startMs: number
  /** Gather evidence once more before every decision, into `evidence`. */
  readonly observe: boolean
  /** What the memories must have room for. */
  readonly callsPerDay: number
}

export type ProductionPath = {
  /** The decision about the call just screened; overwritten by the next. */
  readonly decision: Decision
  readonly call: Call
  /** What was known before that call, when observed. */
  readonly evidence: Evidence
  /**
   * Decides the call in this slot. `again` is a second question about the same call; `withIngressKind` whether the switch
   * names the kind of ingress. Returns the nanoseconds it took.
   */
  screen(pool: CallPool, slot: number, nowMs: number, withIngressKind: boolean): number
  /** Once a minute: what timers of the processes do. */
  tick(nowMs: number): void
  /** The end of a call, as the switch tells it. */
  end(pool: CallPool, slot: number, nowMs: number): void
  /** Through the service that takes reports; resolves when the next call is judged by it. */
  report(report: PlannedReport, nowMs: number): Promise<void>
}

const ACTOR = 'simulator'
const PROCESS = 'verdict-1'
const PAIRS_MIN = 65_536
const RING_RECORDS = 8_192
const DRAIN_EVERY = 4_096
const DEADLINE_MS = 50

export async function openProductionPath(options: ProductionPathOptions, random: Random): Promise<ProductionPath> {
  let nowMs = options.startMs
  const now = () => nowMs
  const home = diallingRules('RU')
  const store = createMemoryStore({}, { now })
  await fill(store, options)

  const trunks = trunkRegistry()
  const builder = createSnapshotBuilder(
    { trunks, withGates: true },
    {
      store,
      contents: store.contents,
      readGateFile: async () => undefined,
      onGateRebuilt: () => undefined,
      onRangesRefused: rethrow,
    },
  )
  const pairsKey = words(random, 2)
  const ring = createDecisionRing(RING_RECORDS)
  const reader = openDecisionRing(ring)
  const drained = new Uint8Array(RING_RECORDS * DECISION_RECORD_BYTES)
  const behaviour = openBehaviour(createBehaviourRegions(sizesFor(options.callsPerDay), pairsKey, nowMs))
  rotatePairs(behaviour.pairs, nowMs)
  const blocks = createBlockBuilder({ store, table: behaviour.blocks, onFailure: rethrow })
  const screener = createScreener(
    { home, callKey: words(random, 2), logKey: words(random, 2), sampleOneIn: 100 },
    {
      lookup: store.lookup,
      counters: openCounters(createCounters(1), 0),
      ring: openDecisionRing(ring),
      recent: openRecentCalls(createRecentCalls(65_536)),
      traffic: openTraffic(createTraffic(262_144)),
      behaviour,
      fillRandom: random.fill,
      nowNs: () => performance.now() * 1e6,
      onFailure: rethrow,
    },
  )
  const snapshot = await builder.build()
  screener.install(snapshot)
  builder.acknowledged()

  let seen = store.lastSequence()
  /** What the follower of the change log does in a verdict process (processes/follow-changes.ts); only reports change here. */
  const follow = async () => {
    for (const change of store.changesAfter(seen, 1_000)) {
      if (change.kind === 'report') {
        builder.addReported(change.number)
        blocks.changed(change.number)
      }
      seen = change.sequence
    }
  }
  // One verdict process, which answers at once (processes/verdict.ts).
  const callMatches: CallMatches = createCallMatches(
    { key: pairsKey, processes: 1, seesAllCalls: true },
    {
      ask({ id, low, high, sinceMs }) {
        const match = CALL_MATCHES[matchHash(behaviour.pairs, low, high, sinceMs, nowMs)] ?? 'unknown'
        callMatches.onAnswer({ type: 'call-match', id, label: PROCESS, match })
      },
      now,
    },
  )
  callMatches.onPeers([PROCESS])
  const parse = (text: string) => parsePhoneNumber(text, home, 'call')
  const key = new Uint8Array(words(random, 8).buffer)
  const intake = createReportIntake(REPORT_INTAKE_DEFAULTS, {
    store,
    pseudonyms: createPseudonyms({ key }, { parse }),
    membership: createListMembership({ store, contents: store.contents }),
    parse,
    callMatch: callMatches.match,
    standingOf: async (number) => numberStanding(number, nowMs, behaviour),
    notify: follow,
    now,
    metrics: { accepted: () => undefined },
  })

  const decision = createDecision()
  const call: Call = createCall()
  const ended = createCallEnd()
  const evidence = createEvidence()
  /** The same rows the decision reads, a moment before it. */
  const observe = () => {
    const state = observed ?? compileState(snapshot, home)
    observed = state
    clearEvidence(evidence, ingressOf(call, state))
    gatherEvidence(call, state, store.lookup, unread, evidence)
    evidence.oddities = odditiesOf(call, evidence, state)
    gatherBehaviour(call, evidence, behaviour, READ)
    if (evidence.contact === CONTACT_NOT_ASKED) evidence.contact = askContact(call, behaviour)
  }
  const unread = openCounters(createCounters(1), 0)
  let observed: CompiledState | undefined
  let screened = 0
  let reports = 0

  return {
    decision,
    call,
    evidence,
    screen(pool, slot, atMs, withIngressKind) {
      nowMs = Math.max(nowMs, atMs)
      call.caller = pool.caller[slot]!
      call.callee = pool.callee[slot]!
      call.redirecting = pool.redirecting[slot] === 0 ? -1 : pool.redirecting[slot]!
      call.trunk = pool.trunk[slot]!
      call.ingress = withIngressKind ? pool.ingress[slot]! : 0
      call.originating = pool.originating[slot]!
      call.roaming = pool.roaming[slot]!
      call.nowMs = Math.floor(atMs)
      call.deadlineMs = call.nowMs + DEADLINE_MS
      const isFirst = pool.hashLow[slot] === 0 && pool.hashHigh[slot] === 0
      if (options.observe) observe()
      const startMs = performance.now()
      if (isFirst) screener.hashCall(call, `${screened}@192.0.2.1`)
      else {
        call.callHashLow = pool.hashLow[slot]!
        call.callHashHigh = pool.hashHigh[slot]!
      }
      screener.screen(call, decision)
      const tookMs = performance.now() - startMs
      pool.hashLow[slot] = call.callHashLow
      pool.hashHigh[slot] = call.callHashHigh
      if (++screened % DRAIN_EVERY === 0) drainRecords(reader, drained)
      return tookMs * 1e6
    },
    tick(atMs) {
      nowMs = Math.max(nowMs, atMs)
      rotatePairs(behaviour.pairs, nowMs)
    },
    end(pool, slot, atMs) {
      ended.caller = pool.caller[slot]!
      ended.callee = pool.callee[slot]!
      ended.answered = pool.answered[slot] === 1
      ended.ringMs = pool.ringMs[slot]!
      ended.talkMs = pool.talkMs[slot]!
      ended.nowMs = Math.floor(atMs)
      ended.callHashLow = pool.hashLow[slot]!
      ended.callHashHigh = pool.hashHigh[slot]!
      screener.endCall(ended)
    },
    async report({ number, reporter, channel, scenario, ingress, atMs }, reportedMs) {
      nowMs = Math.max(nowMs, reportedMs)
      const kinds = ['unknown', 'subscriber', 'national', 'international'] as const
      const body = {
        reportId: `s${++reports}`,
        number: `+${number}`,
        channel,
        scenario,
        reporter,
        at: Math.floor(Math.min(atMs, nowMs)),
        ...(ingress === 0 ? {} : { ingress: { kind: kinds[ingress] ?? 'unknown' } }),
      }
      await intake.accept(body, ACTOR)
    },
  }
}

/** Room for everybody who calls in these days. */
function sizesFor(callsPerDay: number) {
  const pairsPerDay = Math.max(PAIRS_MIN, Math.ceil(callsPerDay * 2))
  return { activeNumbers: Math.max(1_048_576, pairsPerDay), pairsPerDay, blocks: 65_536, recentEnds: 65_536 }
}

async function fill(store: ReturnType<typeof createMemoryStore>, options: ProductionPathOptions): Promise<void> {
  await store.putPolicy(options.policy, {}, ACTOR)
  for (const [kind, numbers] of Object.entries(options.lists) as [ListKind, readonly number[]][]) {
    const ascending = Float64Array.from(new Set(numbers)).sort()
    if (ascending.length === 0) continue
    await store.putList({ name: kind, kind, title: '' }, ACTOR)
    const layerId = await store.allocateLayer()
    const none = new Float64Array(0)
    store.contents.putLayer(layerId, { numbers: ascending, rangesFrom: none, rangesTo: none, dictionary: [] })
    const layers = [{ layerId, numberCount: ascending.length, rangeCount: 0 }]
    const { version } = await store.stageVersion(kind, { layers, entryCount: ascending.length }, ACTOR)
    await store.activateVersion(kind, version, {}, ACTOR)
  }
  const { covered, allocated } = options.numbering
  const layerId = await store.allocateLayer()
  const rangesFrom = Float64Array.from(allocated, ({ from }) => from)
  const rangesTo = Float64Array.from(allocated, ({ to }) => to)
  store.contents.putLayer(layerId, { numbers: new Float64Array(0), rangesFrom, rangesTo, dictionary: [] })
  const dates = { asOfMs: options.startMs, importedMs: options.startMs }
  await store.putNumberingPlan(
    { name: 'mobile', covers: covered, layerId, rangeCount: allocated.length, ...dates },
    ACTOR,
  )
}

/** In the order of trunkFor (world/people.ts): trunk 0 is the unknown one. */
function trunkRegistry(): Trunk[] {
  const kinds = ['subscriber', 'national', 'international'] as const
  const named = kinds.flatMap((kind) =>
    Array.from({ length: TRUNKS[kind] }, (_, at): Trunk => {
      return { name: `${kind}-${at + 1}`, kind, screening: 'enforce', failMode: 'open' }
    }),
  )
  return [UNKNOWN_TRUNK, ...named]
}

function words(random: Random, count: number): Uint32Array {
  const filled = new Uint32Array(count)
  random.fill(filled)
  return filled
}

function rethrow(error: unknown): void {
  throw error
}
