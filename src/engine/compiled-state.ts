import { INGRESS_KINDS } from '../domain/call-event.ts'
import { LIST_KINDS } from '../domain/number-list.ts'
import type { DiallingRules } from '../domain/parse-phone-number.ts'
import { SCREENING_MODES } from '../domain/trunk.ts'
import { type Gate, openGate } from '../shm/gate.ts'
import { type Intervals, openIntervals } from '../shm/intervals.ts'
import { type NumberTable, openNumberTable } from '../shm/number-table.ts'
import { type CompiledPolicy, compilePolicy } from './compiled-policy.ts'
import type { ScreeningSnapshot, SnapshotLayer, SnapshotNumbering } from './snapshot.ts'

/** LIST_KINDS index + 1, as listByKind is indexed; 0 is no list. */
export type ListKindCode = number
export const LIST_KIND_CODE = {
  deny: LIST_KINDS.indexOf('deny') + 1,
  allow: LIST_KINDS.indexOf('allow') + 1,
  protected: LIST_KINDS.indexOf('protected') + 1,
  doNotOriginate: LIST_KINDS.indexOf('do-not-originate') + 1,
  watch: LIST_KINDS.indexOf('watch') + 1,
  own: LIST_KINDS.indexOf('own') + 1,
} as const

/** What signals need of a snapshot: the policy, the numbering plans, home. */
export type SignalContext = {
  readonly policy: CompiledPolicy
  readonly plans: readonly CompiledPlan[]
  readonly home: DiallingRules
}

export type CompiledPlan = { readonly asOfMs: number; readonly covered: Intervals; readonly allocated: Intervals }

export type CompiledLayer = {
  readonly layerId: number
  readonly gate: Gate
  /** Undefined: ask the store. */
  readonly numbers: NumberTable | undefined
}

export type CompiledList = {
  readonly listId: number
  readonly kind: ListKindCode
  /** Newest first; layers without numbers are left out. */
  readonly layers: readonly CompiledLayer[]
}

/** A snapshot opened for one thread: what screen reads. */
export type CompiledState = SignalContext & {
  readonly snapshot: ScreeningSnapshot
  readonly globalGate: Gate
  readonly reportedGate: Gate
  readonly lists: readonly CompiledList[]
  readonly ranges: CompiledRanges
  readonly trunks: CompiledTrunks
}

export type CompiledRanges = {
  readonly intervals: Intervals
  /** By tag. */
  readonly listId: Uint16Array
  readonly expiresMs: Float64Array
  /** By list id. */
  readonly kindByListId: Uint8Array
}

/** By trunk index; index 0 is `no trunk named or not registered`. */
export type CompiledTrunks = {
  readonly indexByName: ReadonlyMap<string, number>
  readonly ingress: Uint8Array
  /** SCREENING_MODES index. */
  readonly screening: Uint8Array
  /** 1: a call that cannot be decided in time is refused. */
  readonly failsClosed: Uint8Array
}

/** Opens a snapshot. Throws SNAPSHOT_FORMAT when shared memory is not what it should be; nothing is swapped in then. */
export function compileState(snapshot: ScreeningSnapshot, home: DiallingRules): CompiledState {
  return {
    snapshot,
    home,
    policy: compilePolicy(snapshot.policy, snapshot.policyVersion, home),
    plans: compilePlans(snapshot.numbering),
    globalGate: openGate(snapshot.globalGate),
    reportedGate: openGate(snapshot.reportedGate),
    lists: snapshot.lists.map((list) => ({
      listId: list.listId,
      kind: LIST_KINDS.indexOf(list.kind) + 1,
      layers: list.layers.flatMap(compileLayer),
    })),
    ranges: compileRanges(snapshot),
    trunks: compileTrunks(snapshot),
  }
}

function compileLayer({ layerId, gate, numbers }: SnapshotLayer): CompiledLayer[] {
  if (gate === undefined) return []
  return [{ layerId, gate: openGate(gate), numbers: numbers && openNumberTable(numbers) }]
}

export function compilePlans(numbering: readonly SnapshotNumbering[]): CompiledPlan[] {
  return numbering.map((plan) => ({
    asOfMs: plan.asOfMs,
    covered: openIntervals(plan.covered),
    allocated: openIntervals(plan.allocated),
  }))
}

export function compileRanges(
  snapshot: Pick<ScreeningSnapshot, 'lists' | 'ranges' | 'rangeList' | 'rangeExpiresMs'>,
): CompiledRanges {
  const kindByListId = new Uint8Array(Math.max(0, ...snapshot.lists.map((list) => list.listId)) + 1)
  for (const list of snapshot.lists) kindByListId[list.listId] = LIST_KINDS.indexOf(list.kind) + 1
  return {
    intervals: openIntervals(snapshot.ranges),
    listId: snapshot.rangeList,
    expiresMs: snapshot.rangeExpiresMs,
    kindByListId,
  }
}

function compileTrunks({ trunks }: ScreeningSnapshot): CompiledTrunks {
  return {
    indexByName: new Map(trunks.slice(1).map((trunk, index) => [trunk.name, index + 1])),
    ingress: Uint8Array.from(trunks, (trunk) => INGRESS_KINDS.indexOf(trunk.kind)),
    screening: Uint8Array.from(trunks, (trunk) => SCREENING_MODES.indexOf(trunk.screening)),
    failsClosed: Uint8Array.from(trunks, (trunk) => Number(trunk.failMode === 'closed')),
  }
}
