import { randomFillSync } from 'node:crypto'
import type { DiallingRules } from '../domain/dialling-rules.ts'
import { ENTRY_ABSENT, ENTRY_PRESENT, type NumberLookup } from '../domain/lookup.ts'
import { type Trunk, UNKNOWN_TRUNK } from '../domain/trunk.ts'
import { createBehaviourRegions, openBehaviour } from '../engine/behaviour-memory.ts'
import { createScreener, type ScreenerDependencies } from '../engine/screen.ts'
import type { Screener } from '../engine/screener.ts'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'
import type { Candidate } from '../jobs/candidate-list.ts'
import type { ReplaySide } from '../jobs/rehearse-events.ts'
import { createBlockBuilder } from '../services/build-blocks.ts'
import { createSnapshotBuilder } from '../services/build-snapshot.ts'
import { createBlockTable, openBlockTable } from '../shm/block-table.ts'
import { createCounters, openCounters } from '../shm/counters.ts'
import { createDecisionRing, openDecisionRing } from '../shm/decision-ring.ts'
import { createFullGate } from '../shm/gate.ts'
import { rotatePairs } from '../shm/pairs.ts'
import { createRecentCalls, openRecentCalls } from '../shm/recent-calls.ts'
import { createTraffic, openTraffic } from '../shm/traffic.ts'
import type { StoredLayer } from '../stores/layer-rows.ts'
import type { LayerContents, ListContents, ListRecord, VerdictStore } from '../stores/ports.ts'
import { createCallScreening } from '../transports/data-plane/call-screening.ts'
import { numberReaders } from '../transports/data-plane/read-call.ts'

/**
 * One side of a replay: the engine of the verdict path over the record as it is now, with a candidate laid over it and with
 * memories of its own that begin empty. What a verdict thread is made of, in one thread and without a port.
 */

export type ReplaySideOptions = {
  readonly home: DiallingRules
  readonly trunks: readonly Trunk[]
  /** The harm in number blocks (openReplayBlocks): the same for both sides. */
  readonly blocks: SharedArrayBuffer
  /** Left out: what is in force. */
  readonly candidate?: Candidate
}

type Record = Pick<VerdictStore, 'lists' | 'policy' | 'numberingPlans' | 'readReputationNumbers' | 'reputationOf'> & {
  readonly contents: Pick<ListContents, 'layer' | 'readRanges'>
  readonly lookup: NumberLookup
}

/** A replay takes its time. */
const DEADLINE_MS = 86_400_000
/** Every call of the largest replay has room. */
const RECENT_CALLS = 131_072
/** A call touches three rows; where all of the largest replay are of different numbers, the longest unseen make room. */
const BEHAVIOUR_SIZES = { activeNumbers: 262_144, pairsPerDay: 131_072, recentEnds: 131_072, blocks: 8 }
/** That of a verdict process. */
const BLOCKS = 262_144
const MINUTE_MS = 60_000
/** Not read by anybody: as small as they can be. */
const RING_RECORDS = 64
const CALLERS_PER_HOUR = 64

/** Rejects with IMPORT_TOO_WIDE when the ranges of all lists together are too many, and as the store does. */
export async function openReplaySide(options: ReplaySideOptions, store: Record): Promise<ReplaySide> {
  const { home, candidate } = options
  const laid = candidate === undefined ? store : layOver(store, candidate)
  const snapshot = await buildSnapshot(options, laid)
  const clock = { nowMs: 0 }
  const failures: unknown[] = []
  const regions = createBehaviourRegions(BEHAVIOUR_SIZES, randomFillSync(new Uint32Array(2)), 0)
  const behaviour = openBehaviour({ ...regions, blocks: options.blocks })
  const screener = openScreener(home, { lookup: laid.lookup, behaviour, onFailure: (error) => failures.push(error) })
  screener.install(snapshot)
  /** What the main thread of a verdict process does each minute. */
  function setClock(atMs: number): void {
    if (Math.floor(atMs / MINUTE_MS) !== Math.floor(clock.nowMs / MINUTE_MS)) rotatePairs(behaviour.pairs, atMs)
    clock.nowMs = atMs
  }
  const { reader, call, decision, endCall } = createCallScreening(
    { deadlineMs: DEADLINE_MS, labelLanguage: '' },
    {
      screener,
      ...numberReaders(home),
      now: () => clock.nowMs,
      events: {
        refused() {},
        callEndsRefused() {},
        connectionRefused() {},
        socketOpened() {},
        socketFrame() {},
        fault: (error) => failures.push(error),
      },
    },
  )
  return {
    snapshot,
    call,
    decide(event, atMs) {
      setClock(atMs)
      // The deadline of then has passed.
      reader.readEvent({ ...event, deadlineAt: undefined }, call, atMs)
      screener.screen(call, decision)
      if (failures.length > 0) throw failures[0]
      return decision
    },
    end(event, atMs) {
      setClock(atMs)
      endCall(event)
    },
  }
}

/** The number blocks of all reputations as they are now, as a verdict process keeps them. Rejects as the store throws. */
export async function openReplayBlocks(store: Record, nowMs: number): Promise<SharedArrayBuffer> {
  const memory = createBlockTable(BLOCKS, nowMs)
  const failures: unknown[] = []
  const onFailure = (error: unknown) => void failures.push(error)
  const builder = createBlockBuilder({ store, table: openBlockTable(memory), onFailure })
  await builder.start()
  builder.close()
  if (failures.length > 0) throw failures[0]
  return memory
}

function openScreener(
  home: DiallingRules,
  memories: Pick<ScreenerDependencies, 'lookup' | 'behaviour' | 'onFailure'>,
): Screener {
  const keys = { callKey: randomFillSync(new Uint32Array(2)), logKey: new Uint32Array(2) }
  return createScreener(
    { home, ...keys, sampleOneIn: 0 },
    {
      ...memories,
      recent: openRecentCalls(createRecentCalls(RECENT_CALLS)),
      counters: openCounters(createCounters(1), 0),
      ring: openDecisionRing(createDecisionRing(RING_RECORDS)),
      traffic: openTraffic(createTraffic(CALLERS_PER_HOUR)),
      fillRandom: (words) => void randomFillSync(words),
      nowNs: () => 0,
    },
  )
}

/**
 * Without the gates of the verdict path, which take seconds to build for ten million numbers: a gate only ever says "certainly
 * not", so one that says "maybe" to everything changes no verdict, it costs a look-up.
 */
async function buildSnapshot({ trunks }: ReplaySideOptions, store: Record): Promise<ScreeningSnapshot> {
  // What a switch would have been told matters, also where it is still told nothing.
  const screened = trunks.map((trunk) =>
    trunk.screening === 'shadow' ? { ...trunk, screening: 'enforce' as const } : trunk,
  )
  const builder = createSnapshotBuilder(
    { trunks: [UNKNOWN_TRUNK, ...screened], withGates: false },
    {
      store,
      // Without gates nothing else is asked of it.
      contents: store.contents as ListContents,
      readGateFile: async () => undefined,
      onGateRebuilt: () => {},
      onRangesRefused(error) {
        throw error
      },
    },
  )
  const snapshot = await builder.build()
  const gate = createFullGate()
  const lists = snapshot.lists.map((list) => ({
    ...list,
    layers: list.layers.map(({ layerId }) => ({ layerId, gate })),
  }))
  return { ...snapshot, globalGate: gate, reportedGate: gate, lists }
}

/** The record as if the candidate were in force. Layers of rehearsed lists have ids below 0, which no stored one has. */
function layOver(store: Record, { policy, lists }: Candidate): Record {
  const layers = new Map<number, LayerContents & { readonly known: ReadonlySet<number> }>()
  const shapes = new Map<number, StoredLayer>()
  const taken = new Set(store.lists().map(({ listId }) => listId))
  const freeIds = Array.from({ length: taken.size + lists.length }, (_, index) => index + 1).filter(
    (id) => !taken.has(id),
  )
  const records = lists.map(({ kind, ...contents }, index): ListRecord => {
    const layerId = -1 - index
    layers.set(layerId, { ...contents, dictionary: [], known: new Set(contents.numbers) })
    const layer = { layerId, numberCount: contents.numbers.length, rangeCount: contents.rangesFrom.length }
    shapes.set(layerId, { ...layer, blockCount: 0, dictionaryCount: 0 })
    const active = { version: 1, layers: [layer], entryCount: 0, createdMs: 0, actor: '' }
    const name = `rehearsed-${kind}`
    return { listId: freeIds[index] ?? 0, name, kind, title: '', createdMs: 0, activeVersion: 1, active }
  })
  return {
    lists: () => [...store.lists(), ...records],
    policy() {
      const inForce = store.policy()
      return inForce === undefined ? undefined : { ...inForce, document: policy }
    },
    numberingPlans: () => store.numberingPlans(),
    readReputationNumbers: (after, into) => store.readReputationNumbers(after, into),
    reputationOf: (number) => store.reputationOf(number),
    contents: {
      layer: (layerId) => shapes.get(layerId) ?? store.contents.layer(layerId),
      readRanges: (layerId) => layers.get(layerId) ?? store.contents.readRanges(layerId),
    },
    lookup: {
      entry(layerId, number, nowMs) {
        const layer = layers.get(layerId)
        if (layer === undefined) return store.lookup.entry(layerId, number, nowMs)
        return layer.known.has(number) ? ENTRY_PRESENT : ENTRY_ABSENT
      },
      reputation: (number) => store.lookup.reputation(number),
    },
  }
}
