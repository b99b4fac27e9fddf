/** What a replica does in its transactions: apply entries of a partition, and take them back. */
import { ScreeningError } from '../../domain/errors.ts'
import type { PhoneNumber } from '../../domain/phone-number.ts'
import { DESK_PARTITION, type Fact, type FactKind, type FactResults, PARTITIONS } from '../fact.ts'
import { decodeFact } from '../fact-codec.ts'
import type { LayerRef } from '../ports.ts'
import type { EpochStart } from '../redis/epochs.ts'
import type { FactEntry, Position } from '../redis/fact-streams.ts'
import { type AppliedFactRow, decodeAppliedFact, encodeAppliedFact, type Undo } from './applied-fact-row.ts'
import { applyFact } from './apply-fact.ts'
import { RowFailure, type Step } from './commit-queue.ts'
import { readCounters, writeCounters } from './counters.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, u64Part } from './keys.ts'
import { layersInForce } from './lists.ts'
import type { Outbox } from './outbox.ts'
import { policyVersionIn } from './policies.ts'
import { unbindFrom } from './record-binding.ts'
import { type OutboxSource, type TakenFacts, takeOutbox } from './take-outbox.ts'

/**
 * What a failover loses is a second or two of facts: this many a partition are some minutes at 1,000 reports a second.
 * About 400 bytes each, 100 MB when all partitions are full.
 */
export const APPLIED_FACTS_KEPT = 4_096

/** A fact of a partition with its entry; `fact` is undefined for the mark of a new epoch. */
export type DecodedEntry = FactEntry & { readonly fact: Fact | undefined }

export type AppliedFact = {
  readonly factId: string
  readonly kind: FactKind
  /** It was in this node's outbox: queued, or taken back and offered again. */
  readonly wasWaiting: boolean
  /** Why it was refused, here and on every other node; undefined when it was done. */
  readonly error?: unknown
  readonly result?: FactResults[FactKind]
}

/** Contents that lists in force would need; they have to be fetched first. */
export class LayersMissing extends Error {
  readonly layers: readonly LayerRef[]

  constructor(layers: readonly LayerRef[]) {
    super(`${layers.length} layers are missing.`)
    this.layers = layers
  }
}

export function assertLayers(environment: Environment, hasLayer: (layer: LayerRef) => boolean): void {
  const missing = layersInForce(environment).filter((layer) => !hasLayer(layer))
  if (missing.length > 0) throw new LayersMissing(missing)
}

/** Nothing applied before can be taken back then. */
export function adopt(environment: Environment, step: Step, partition: number, position: Position): void {
  forgetApplied(environment, step, partition, Number.POSITIVE_INFINITY)
  step((writes) => writes.put(positionKey(partition), encodePosition(position)))
}

/** What waits in the outbox becomes part of the record here, which is the directory's own from then on. */
export function leaveRecord(
  environment: Environment,
  step: Step,
  { layerIdMax, ...source }: OutboxSource & { layerIdMax: number },
): TakenFacts {
  const facts = takeOutbox(environment, step, source)
  for (let partition = 0; partition < PARTITIONS; partition++) {
    forgetApplied(environment, step, partition, Number.POSITIVE_INFINITY)
    step((writes) => writes.remove(positionKey(partition)))
  }
  step((writes) => {
    const counters = readCounters(environment)
    writeCounters(writes, { ...counters, layerId: Math.max(counters.layerId, layerIdMax) })
    unbindFrom(writes)
  })
  return facts
}

const positionKey = (partition: number) => makeKey(LIVE_SPACE.position, { u8: partition })
const appliedPrefix = (partition: number) => makeKey(LIVE_SPACE.appliedFact, { u8: partition })
const appliedKey = (partition: number, sequence: number) =>
  makeKey(LIVE_SPACE.appliedFact, { u8: partition }, { u64: sequence })

export function readPosition(environment: Environment, partition: number): Position {
  if (!Number.isInteger(partition) || partition < 0 || partition >= PARTITIONS) {
    throw new RangeError(`There is no partition ${partition}.`)
  }
  const bytes = environment.bytes(positionKey(partition))
  return bytes === undefined
    ? { epoch: 0, sequence: 0 }
    : { epoch: bytes.readDoubleLE(0), sequence: bytes.readDoubleLE(8) }
}

function encodePosition({ epoch, sequence }: Position): Buffer {
  const bytes = Buffer.allocUnsafe(16)
  bytes.writeDoubleLE(epoch, 0)
  bytes.writeDoubleLE(sequence, 8)
  return bytes
}

/** One more than the position when nothing is kept. */
export function oldestApplied(environment: Environment, partition: number): number {
  let oldest = readPosition(environment, partition).sequence + 1
  environment.scan({ prefix: appliedPrefix(partition), limit: 1 }, (key) => {
    oldest = u64Part(key, KEY_PREFIX_BYTES + 1)
  })
  return oldest
}

/** The epochs of what can be taken back, and of the fact before; `first` is 0 for the oldest, which began before that. */
export function epochsOf(environment: Environment, partition: number): EpochStart[] {
  const epochs: EpochStart[] = []
  environment.scan({ prefix: appliedPrefix(partition), limit: APPLIED_FACTS_KEPT + 1 }, (key, value) => {
    const { epoch, epochBefore } = decodeAppliedFact(value)
    if (epochs.length === 0) epochs.push({ epoch: epochBefore, first: 0 })
    if (epochs.at(-1)?.epoch !== epoch) epochs.push({ epoch, first: u64Part(key, KEY_PREFIX_BYTES + 1) })
  })
  return epochs.length > 0 ? epochs : [{ epoch: readPosition(environment, partition).epoch, first: 0 }]
}

type Batch = {
  readonly partition: number
  readonly entries: readonly DecodedEntry[]
  readonly newest: number
  readonly outbox: Outbox
}

export function applyEntries(environment: Environment, step: Step, batch: Batch): AppliedFact[] {
  const { partition, entries, newest, outbox } = batch
  let position = readPosition(environment, partition)
  const applied: AppliedFact[] = []
  const oldestKept = newest - APPLIED_FACTS_KEPT + 1
  for (const entry of entries) {
    const { sequence } = entry.position
    if (sequence !== position.sequence + 1 || entry.position.epoch < position.epoch) {
      throw new RangeError(`Entry ${sequence} of partition ${partition} does not follow ${position.sequence}.`)
    }
    const undo: Undo[] = []
    const isKept = sequence >= oldestKept
    const wasWaiting = outbox.has(entry.factId)
    if (entry.fact !== undefined) {
      const { factId, fact } = entry
      const outcome = applyOne(environment, step, fact, isKept ? undo : undefined)
      applied.push({ factId, kind: fact.kind, wasWaiting, ...outcome })
    }
    const epochBefore = position.epoch
    position = entry.position
    if (!isKept && !wasWaiting) continue
    step((writes) => {
      const { factId, payload } = entry
      outbox.remove(writes, factId)
      if (!isKept) return
      writes.put(
        appliedKey(partition, sequence),
        encodeAppliedFact({ epoch: position.epoch, epochBefore, factId, payload, undo }),
      )
    })
  }
  step((writes) => writes.put(positionKey(partition), encodePosition(position)))
  forgetApplied(environment, step, partition, oldestKept)
  return applied
}

function applyOne(
  environment: Environment,
  step: Step,
  fact: Fact,
  undo: Undo[] | undefined,
): Pick<AppliedFact, 'error' | 'result'> {
  const onRow = (key: Buffer) => {
    const before = environment.bytes(key)
    undo?.push({ key, before: before === undefined ? undefined : Buffer.from(before) })
  }
  const options = { atMs: fact.atMs, ...(undo === undefined ? {} : { onRow }) }
  try {
    return { result: step((writes) => applyFact(environment, writes, fact), options) }
  } catch (error) {
    if (error instanceof RowFailure) throw error
    return { error }
  }
}

/** Removes what is kept of facts before `oldestKept`; what is kept has no gaps. */
function forgetApplied(environment: Environment, step: Step, partition: number, oldestKept: number): void {
  const end = Math.min(oldestKept, readPosition(environment, partition).sequence + 1)
  const excess = end - oldestApplied(environment, partition)
  if (excess <= 0) return
  const keys: Buffer[] = []
  environment.scan({ prefix: appliedPrefix(partition), limit: excess }, (key) => {
    if (u64Part(key, KEY_PREFIX_BYTES + 1) < oldestKept) keys.push(Buffer.from(key))
  })
  step((writes) => {
    for (const key of keys) writes.remove(key)
  })
}

export function rewind(
  environment: Environment,
  step: Step,
  { partition, keptUpTo, outbox }: { partition: number; keptUpTo: number; outbox: Outbox },
): number {
  const position = readPosition(environment, partition)
  const taken: AppliedFactRow[] = []
  let { epoch } = position
  for (let sequence = position.sequence; sequence > keptUpTo; sequence--) {
    const row = environment.bytes(appliedKey(partition, sequence))
    if (row === undefined) throw tooFarBack(partition, position.sequence - keptUpTo)
    const applied = decodeAppliedFact(Buffer.from(row))
    step((writes) => {
      for (const { key, before } of applied.undo.toReversed()) {
        if (before === undefined) writes.remove(key)
        else writes.put(key, before)
      }
      writes.remove(appliedKey(partition, sequence))
    })
    if (applied.factId !== '') taken.unshift(applied)
    epoch = applied.epochBefore
  }
  step((writes) => {
    writes.put(positionKey(partition), encodePosition({ epoch, sequence: keptUpTo }))
    for (const number of reportedNumbers(taken)) writes.change({ kind: 'report', number })
    // A snapshot made anew shows lists, numbering and policy as they are now.
    if (partition === DESK_PARTITION) writes.change({ kind: 'policy', version: policyVersionIn(environment) })
    writes.audit('system', 'record.rewind', String(partition), { facts: taken.length })
    for (const { factId, payload } of taken) outbox.enter(writes, { factId, payload, partition })
  })
  return taken.length
}

function reportedNumbers(taken: readonly AppliedFactRow[]): Set<PhoneNumber> {
  const facts = taken.map(({ payload }) => decodeFact(payload))
  return new Set(facts.flatMap((fact) => (fact.kind === 'report' ? fact.report.number : [])))
}

function tooFarBack(partition: number, facts: number): ScreeningError {
  return new ScreeningError(
    'RECORD_DIVERGED',
    `Redis has lost ${facts} facts of partition ${partition} that this node has, more than it can offer again.`,
    { partition, facts },
  )
}
