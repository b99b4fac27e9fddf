import { type Call, INGRESS_KINDS } from '../domain/call-event.ts'
import type { DiallingRules } from '../domain/dialling-rules.ts'
import type { NumberLookup } from '../domain/lookup.ts'
import { ENTRY_ABSENT, ENTRY_EXPIRED, ENTRY_PRESENT, ENTRY_REMOVED } from '../domain/lookup.ts'
import { type Trunk, UNKNOWN_TRUNK } from '../domain/trunk.ts'
import { type Explanation, explain } from '../engine/explain.ts'
import { type KnownBehaviour, takeBehaviour } from '../engine/known.ts'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'
import { createSnapshotBuilder } from '../services/build-snapshot.ts'
import type { ListContents, RecordStore } from '../stores/ports.ts'
import { createFollower } from './follow-changes.ts'
import type { BehaviourQuestion } from './messages.ts'

/**
 * Explanations in the control process: its own snapshot of the record, without gates, since the slow twin asks the store
 * itself. It follows the change log like a verdict process does.
 */
export type LocalExplainer = {
  explain(call: Call): Promise<Explanation>
  trunkIndex(name: string | undefined): number
  /** Resolves when explanations reflect the change. */
  follow(sequence: number): Promise<void>
}

export async function createLocalExplainer(
  options: { readonly trunks: readonly Trunk[]; readonly home: DiallingRules },
  dependencies: {
    readonly store: RecordStore
    readonly contents: ListContents
    readonly now: () => number
    /** What verdict processes know of the numbers of a call; undefined when none answers. */
    readonly behaviourOf: (asked: BehaviourQuestion) => Promise<KnownBehaviour | undefined>
    readonly onFailure: (error: unknown) => void
  },
): Promise<LocalExplainer> {
  const { store, contents } = dependencies
  const trunks: Trunk[] = [UNKNOWN_TRUNK, ...options.trunks]
  const builder = createSnapshotBuilder(
    { trunks, withGates: false },
    { store, contents, readGateFile: async () => undefined, onGateRebuilt: () => {}, onRangesRefused: () => {} },
  )
  const startedAt = store.lastSequence()
  let snapshot: ScreeningSnapshot = await builder.build()
  const waiting = new Set<() => void>()
  const follower = createFollower(startedAt, {
    store,
    addReported: () => {},
    publish: async () => {
      snapshot = await builder.build()
    },
    onProgress: () => {
      for (const check of [...waiting]) check()
    },
    onFailure: dependencies.onFailure,
    now: dependencies.now,
  })
  const lookup = storeLookup(store, contents)

  return {
    async explain(call) {
      const state = snapshot
      const behaviour = await dependencies.behaviourOf(behaviourQuestion(call, state))
      return explain(call, state, {
        lookup,
        home: options.home,
        entryDetails: (layerId, number) => contents.entry(layerId, number)?.details,
        ...(behaviour ? { gatherBehaviour: (_call, evidence) => takeBehaviour(evidence, behaviour) } : {}),
      })
    },
    trunkIndex: (name) => Math.max(0, name === undefined ? 0 : trunks.findIndex((trunk) => trunk.name === name)),
    follow(sequence) {
      follower.nudge()
      if (follower.inForce >= sequence) return Promise.resolve()
      return new Promise((resolve) => {
        const check = () => {
          if (follower.inForce < sequence) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
      })
    },
  }
}

/** The verdict path's look-up, answered by the control process's own handles. */
function storeLookup(store: RecordStore, contents: ListContents): NumberLookup {
  return {
    entry(layerId, number, nowMs) {
      const entry = contents.entry(layerId, number)
      if (!entry) return ENTRY_ABSENT
      if (entry.removed) return ENTRY_REMOVED
      return (entry.details.expiresMs ?? Number.POSITIVE_INFINITY) < nowMs ? ENTRY_EXPIRED : ENTRY_PRESENT
    },
    reputation: (number) => store.reputationOf(number),
  }
}

/** What to ask verdict processes about a call: their signals read the same rows. */
function behaviourQuestion(
  { caller, callee, trunk, ingress, nowMs }: Call,
  snapshot: ScreeningSnapshot,
): BehaviourQuestion {
  const known = ingress || INGRESS_KINDS.indexOf(snapshot.trunks[trunk]?.kind ?? 'unknown')
  return { caller, callee, trunk, ingress: known, nowMs }
}
