/** The world of bench/micro/screen.ts: who is listed, reported and active, and a screener over a store and memory filled so. */
import { randomFillSync } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load-config.ts'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { Call } from '../../src/domain/call-event.ts'
import { diallingRules } from '../../src/domain/parse-phone-number.ts'
import { parsePolicy } from '../../src/domain/parse-policy.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { UNKNOWN_TRUNK } from '../../src/domain/trunk.ts'
import { countBehaviour, createCallEnd, noteCallEnd } from '../../src/engine/behaviour.ts'
import { type BehaviourMemory, createBehaviourRegions, openBehaviour } from '../../src/engine/behaviour-memory.ts'
import { createScreener } from '../../src/engine/screen.ts'
import type { Screener } from '../../src/engine/screener.ts'
import type { ScreeningSnapshot } from '../../src/engine/snapshot.ts'
import { createBlockBuilder } from '../../src/services/build-blocks.ts'
import { createSnapshotBuilder } from '../../src/services/build-snapshot.ts'
import { keepingReputations, withKeptReputations } from '../../src/services/kept-reputations.ts'
import { createCounters, openCounters } from '../../src/shm/counters.ts'
import { createDecisionRing, type DecisionRing, openDecisionRing } from '../../src/shm/decision-ring.ts'
import { createFullGate } from '../../src/shm/gate.ts'
import { noteCall, rotatePairs } from '../../src/shm/pairs.ts'
import { createRecentCalls, openRecentCalls } from '../../src/shm/recent-calls.ts'
import { createReputationTable, openReputationTable } from '../../src/shm/reputation-table.ts'
import { createTraffic, openTraffic } from '../../src/shm/traffic.ts'
import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { openVerdictStore } from '../../src/stores/lmdb/verdict-store.ts'
import { seededRandom } from '../lib/seeded-random.ts'

export type Scale = { readonly listed: number; readonly reported: number; readonly active: number }

const ACTOR = 'bench'
const FIRST = 79_000_000_000
/** Active callers share a block of 100 numbers in threes; blocks lie this far apart. */
const CALLERS_PER_BLOCK = 3
const BLOCK_STEP = 2_700
const LAST_DIGITS = [5, 37, 72] as const
const REPORTS_EACH = 3
const TRUNKS = 8
const NATIONAL = 2
/** As the configuration gives. */
const TABLE_BYTES_MAX = 2 ** 28
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

export type Numbers = {
  /** The active callers of the scale by index: one in ten listed, one in ten reported. */
  readonly active: (index: number) => PhoneNumber
  /** Of each kind by any integer. */
  readonly unlisted: (index: number) => PhoneNumber
  readonly listed: (index: number) => PhoneNumber
  readonly reported: (index: number) => PhoneNumber
  /** Never seen before, for integers from 0. */
  readonly fresh: (index: number) => PhoneNumber
  /** Half of the subscribers are active callers too. */
  readonly subscriber: (index: number) => PhoneNumber
}

/** A caller comes in through one of eight trunks, always the same. */
export function trunkOf(caller: number): number {
  return 1 + (Math.floor(caller / 100) % TRUNKS)
}

const UNLISTED_DIGITS = [0, 2, 4, 5, 6, 7, 8, 9] as const

export function numbersOf({ active: count }: Scale): Numbers {
  const blocks = Math.ceil(count / CALLERS_PER_BLOCK)
  const active = (index: number) => {
    const digits = LAST_DIGITS[Math.floor(index / blocks)] ?? 0
    return (FIRST + (index % blocks) * BLOCK_STEP + digits) as PhoneNumber
  }
  const tens = count / 10
  return {
    active,
    unlisted: (index) => active((index % tens) * 10 + (UNLISTED_DIGITS[index & 7] ?? 0)),
    listed: (index) => active((index % tens) * 10 + 1),
    reported: (index) => active((index % tens) * 10 + 3),
    fresh: (index) => (FIRST + 950_000_000 + index * 107) as PhoneNumber,
    subscriber(index) {
      const which = index % count
      return (which & 1) === 0 ? active(which) : ((FIRST + 1_000_000_000 + which * 37) as PhoneNumber)
    },
  }
}

export async function fillStore(directory: string, { listed: listedCount, ...scale }: Scale): Promise<void> {
  const store = await openRecordStore({ directory })
  const contents = openListContents({ directory, readOnly: false })
  const { listed, reported } = numbersOf({ listed: listedCount, ...scale })
  const text = readFileSync(path.join(PACKAGE_DIRECTORY, 'data', 'policy.yaml'), 'utf8')
  await store.putPolicy({ text, document: parsePolicy(parse(text)) }, {}, ACTOR)
  await store.putList({ name: 'deny', kind: 'deny', title: '' }, ACTOR)
  const callers = scale.active / 10
  // Those that do not call end in 1, so they are nobody else's.
  const numbers = Float64Array.from({ length: listedCount }, (_, index) =>
    index < callers ? listed(index) : FIRST + 91 + (index - callers) * 90,
  ).sort()
  const layerId = await store.allocateLayer()
  const none = new Float64Array(0)
  contents.putLayer(layerId, { numbers, rangesFrom: none, rangesTo: none, dictionary: [] })
  const layers = [{ layerId, numberCount: listedCount, rangeCount: 0 }]
  const { version } = await store.stageVersion('deny', { layers, entryCount: listedCount }, ACTOR)
  await store.activateVersion('deny', version, {}, ACTOR)
  const atMs = Date.now()
  for (let at = 0; at < scale.reported * REPORTS_EACH; at += 5_000) {
    const batch = Array.from({ length: Math.min(5_000, scale.reported * REPORTS_EACH - at) }, (_, index) =>
      store.appendReport(
        {
          reportId: `r${at + index}`,
          number: reported(Math.floor((at + index) / REPORTS_EACH)),
          channel: 'app',
          scenario: 'bank',
          reporter: (at + index).toString(16).padStart(32, '0'),
          ingress: 0,
          atMs,
          receivedMs: atMs,
          weight: 1,
        },
        ACTOR,
      ),
    )
    await Promise.all(batch)
  }
  await contents.close()
  await store.close()
}

export type ScreeningLoad = {
  readonly screener: Screener
  readonly behaviour: BehaviourMemory
  readonly ring: DecisionRing
  /** Look-ups as they were before docs/adr/0011: every one in LMDB. */
  askLmdb(isAsked: boolean): void
  close(): Promise<void>
}

/** For the full world. A row for each caller, subscriber and block, and those that are no longer active. */
const OPERATOR_SIZES = {
  recentCalls: 1_048_576,
  pairsPerDay: 16_777_216,
  callersPerHour: 2_097_152,
  activeNumbers: 4_194_304,
  blocks: 1_048_576,
  recentEnds: 131_072,
  reputations: 262_144,
}

/** A screener as a verdict thread has it, with `nowMs` as the present that the behaviour of the world ends with. */
export async function openScreeningLoad(
  directory: string,
  scale: Scale,
  nowMs: number,
  hasDefaultSizes: boolean,
): Promise<ScreeningLoad> {
  const sizes = hasDefaultSizes ? loadConfig({}).verdict : OPERATOR_SIZES
  const store = await openVerdictStore({ directory })
  const trunks = Array.from({ length: TRUNKS }, (_, index) => ({ ...UNKNOWN_TRUNK, name: `trunk-${index + 1}` }))
  const builder = createSnapshotBuilder(
    { trunks: [UNKNOWN_TRUNK, ...trunks], withGates: true, tableBytesMax: TABLE_BYTES_MAX },
    {
      store,
      contents: store.contents,
      readGateFile: async () => undefined,
      onGateRebuilt: () => undefined,
      onRangesRefused: () => undefined,
    },
  )
  const reputations = openReputationTable(createReputationTable(sizes.reputations))
  const kept = withKeptReputations(store.lookup, reputations)
  let isLmdbAsked = false
  const ring = createDecisionRing(8_192)
  const behaviour = openBehaviour(createBehaviourRegions(sizes, Uint32Array.of(5, 6), nowMs))
  const screener = createScreener(
    { home: diallingRules('RU'), callKey: Uint32Array.of(1, 2), logKey: Uint32Array.of(3, 4), sampleOneIn: 100 },
    {
      lookup: {
        entry: store.lookup.entry,
        reputation: (number) => (isLmdbAsked ? store.lookup : kept).reputation(number),
      },
      counters: openCounters(createCounters(1), 0),
      ring: openDecisionRing(ring),
      recent: openRecentCalls(createRecentCalls(sizes.recentCalls)),
      traffic: openTraffic(createTraffic(sizes.callersPerHour)),
      behaviour,
      fillRandom: (words) => void randomFillSync(words),
      nowNs: () => performance.now() * 1e6,
      onFailure(error) {
        throw error
      },
    },
  )
  const snapshot = await builder.build()
  const withoutTables: ScreeningSnapshot = {
    ...snapshot,
    reportedGate: createFullGate(),
    lists: snapshot.lists.map((list) => ({ ...list, layers: list.layers.map(({ numbers: _, ...layer }) => layer) })),
  }
  screener.install(snapshot)
  await createBlockBuilder({
    store: keepingReputations(store, reputations),
    table: behaviour.blocks,
    onFailure(error) {
      throw error
    },
  }).start()
  fillBehaviour(behaviour, scale, nowMs)
  return {
    screener,
    behaviour,
    ring: openDecisionRing(ring),
    askLmdb(isAsked) {
      isLmdbAsked = isAsked
      screener.install(isAsked ? withoutTables : snapshot)
    },
    close: () => store.close(),
  }
}

/** Who makes one more call: 70 % one of all, 20 % of a tenth, 7 % of a hundredth, 3 % of a thousandth of the callers. */
function callerIndex(random: () => number, count: number): number {
  const share = random()
  const group = share < 0.7 ? 1 : share < 0.9 ? 10 : share < 0.97 ? 100 : 1_000
  return Math.floor((random() * count) / group) * group
}

/** Nine in ten callers call two days before; everybody within the last hour, twice on average; of half the end is told. */
function fillBehaviour(behaviour: BehaviourMemory, scale: Scale, nowMs: number): void {
  const numbers = numbersOf(scale)
  const random = seededRandom(20_261_127)
  const past = nowMs - 2 * DAY_MS - HOUR_MS
  rotatePairs(behaviour.pairs, past)
  const called = { nowMs: past, trunk: 0, caller: 0, callee: 0 } as Call
  const end = createCallEnd()
  const oneCall = (caller: number) => {
    called.caller = caller
    called.callee = numbers.subscriber(Math.floor(random() * scale.active))
    called.trunk = trunkOf(caller)
    countBehaviour(called, NATIONAL, behaviour)
    noteCall(behaviour.pairs, called.caller, called.callee, called.nowMs)
  }
  for (let index = 0; index < scale.active; index++) if (index % 10 !== 9) oneCall(numbers.active(index))
  const calls = scale.active * 2
  for (let index = 0; index < calls; index++) {
    called.nowMs = Math.floor(nowMs - HOUR_MS + (HOUR_MS * index) / calls)
    if (index % 1_000 === 0) rotatePairs(behaviour.pairs, called.nowMs)
    const isTurn = index % 2 === 0
    const which = isTurn ? ((index / 2) * 7_919) % scale.active : callerIndex(random, scale.active)
    oneCall(numbers.active(which))
    if (random() < 0.5) continue
    const kind = random()
    Object.assign(end, called, { answered: kind > 0.4, ringMs: 9_000, talkMs: kind > 0.7 ? 90_000 : 20_000 })
    if (!end.answered) end.talkMs = 0
    noteCallEnd(end, behaviour)
  }
  rotatePairs(behaviour.pairs, nowMs)
}
