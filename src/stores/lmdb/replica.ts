/**
 * The record of this node as a replica of one in Redis: the same live.mdb, read in the same way, but written by applying
 * facts in the order of their partition. The position in a partition is stored in the transaction that applies a fact,
 * so each is applied exactly once.
 *
 * Redis may lose its newest facts (a failover, a power cut without AOF), and other nodes may never have seen them. So the
 * newest facts of each partition are kept with what they overwrote: rewind() takes them back one by one, and the caller
 * offers them to Redis again.
 */
import { ScreeningError } from '../../domain/errors.ts'
import type { PhoneNumber } from '../../domain/phone-number.ts'
import { DESK_PARTITION, type Fact, type FactKind, type FactResults, PARTITIONS } from '../fact.ts'
import { decodeFact } from '../fact-codec.ts'
import type { LayerRef, RecordStore } from '../ports.ts'
import type { FactEntry, Position } from '../redis/fact-streams.ts'
import { type AppliedFactRow, decodeAppliedFact, encodeAppliedFact, type Undo } from './applied-fact-row.ts'
import { applyFact } from './apply-fact.ts'
import { RowFailure, type Step } from './commit-queue.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, u64Part } from './keys.ts'
import { layersInForce } from './lists.ts'
import { type LiveDependencies, type LiveOptions, openLiveEnvironment } from './live-environment.ts'
import { documentWrites } from './logs.ts'
import { createOutbox, type Outbox } from './outbox.ts'
import { policyVersionIn } from './policies.ts'
import { assertReplica, bindingOf, bindTo, type RecordBinding } from './record-binding.ts'
import { type RecordReads, recordReads } from './record-reads.ts'

/**
 * What a failover loses is a second or two of facts: this many a partition are some minutes at 1,000 reports a second.
 * About 400 bytes each, 100 MB when all partitions are full.
 */
export const APPLIED_FACTS_KEPT = 4_096

/** A fact of a partition with its entry; `fact` is undefined for the mark of a new epoch. */
export type DecodedEntry = FactEntry & { readonly fact: Fact | undefined }

export type AppliedFact = {
  readonly factId: string
  /** Why it was refused, here and on every other node; undefined when it was done. */
  readonly error?: unknown
  readonly result?: FactResults[FactKind]
}

export type Replica = RecordReads &
  Pick<RecordStore, 'putDocument' | 'close'> & {
    readonly outbox: Outbox
    binding(): RecordBinding | undefined
    /** Joins an empty directory to a record. */
    bind(recordId: string): Promise<void>
    position(partition: number): Position
    /** Sequence of the last fact that rewind() could keep: facts behind it can be taken back. */
    rewindableTo(partition: number): number
    /**
     * Applies entries that follow the position without a gap, in one transaction. `newest` is the sequence of the
     * partition's newest entry as far as is known: of entries far behind it nothing is kept to take them back. With
     * `hasLayer`, rejects with LayersMissing, and has done nothing, when a list or plan would then be in force whose
     * contents are not there.
     */
    apply(
      partition: number,
      entries: readonly DecodedEntry[],
      options: { readonly newest: number; readonly hasLayer?: (layer: LayerRef) => boolean },
    ): Promise<AppliedFact[]>
    /**
     * Takes back every fact behind `keptUpTo`, puts them into the outbox in one transaction with that, and says how many.
     * Rejects with RECORD_DIVERGED, and has done nothing, when that is more than is kept.
     */
    rewind(partition: number, keptUpTo: number): Promise<number>
  }

/** Contents that lists in force would need; they have to be fetched first. */
export class LayersMissing extends Error {
  readonly layers: readonly LayerRef[]

  constructor(layers: readonly LayerRef[]) {
    super(`${layers.length} layers are missing.`)
    this.layers = layers
  }
}

/**
 * Opens (or creates, or migrates) the replica for writing. Rejects like openLiveEnvironment, and with CONFIG_INVALID when
 * the directory holds a record of its own.
 */
export async function openReplica(
  options: LiveOptions,
  dependencies: LiveDependencies = { now: Date.now },
): Promise<Replica> {
  const { environment, queue, close } = await openLiveEnvironment(options, dependencies, assertReplica)
  const outbox = createOutbox(environment, queue)
  return {
    ...recordReads(environment),
    ...documentWrites(queue),
    outbox,
    close,
    binding() {
      environment.refresh()
      return bindingOf(environment)
    },
    bind: (recordId) => queue.run((writes) => bindTo(writes, recordId)),
    position(partition) {
      environment.refresh()
      return readPosition(environment, partition)
    },
    rewindableTo(partition) {
      environment.refresh()
      return oldestApplied(environment, partition) - 1
    },
    apply: (partition, entries, { newest, hasLayer }) =>
      queue.runSeries(
        (step) => {
          const applied = applyEntries(environment, step, { partition, entries, newest, outbox })
          const missing = hasLayer === undefined ? [] : layersInForce(environment).filter((layer) => !hasLayer(layer))
          if (missing.length > 0) throw new LayersMissing(missing)
          return applied
        },
        { operations: entries.length, isWhole: hasLayer !== undefined },
      ),
    rewind: (partition, keptUpTo) =>
      queue.runSeries((step) => rewind(environment, step, { partition, keptUpTo, outbox }), { isWhole: true }),
  }
}

const positionKey = (partition: number) => makeKey(LIVE_SPACE.position, { u8: partition })
const appliedPrefix = (partition: number) => makeKey(LIVE_SPACE.appliedFact, { u8: partition })
const appliedKey = (partition: number, sequence: number) =>
  makeKey(LIVE_SPACE.appliedFact, { u8: partition }, { u64: sequence })

function readPosition(environment: Environment, partition: number): Position {
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
function oldestApplied(environment: Environment, partition: number): number {
  let oldest = readPosition(environment, partition).sequence + 1
  environment.scan({ prefix: appliedPrefix(partition), limit: 1 }, (key) => {
    oldest = u64Part(key, KEY_PREFIX_BYTES + 1)
  })
  return oldest
}

type Batch = {
  readonly partition: number
  readonly entries: readonly DecodedEntry[]
  readonly newest: number
  readonly outbox: Outbox
}

function applyEntries(environment: Environment, step: Step, batch: Batch): AppliedFact[] {
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
    if (entry.fact !== undefined) applied.push(applyOne(environment, step, entry, isKept ? undo : undefined))
    position = entry.position
    if (!isKept && !outbox.has(entry.factId)) continue
    step((writes) => {
      const { factId, payload } = entry
      outbox.remove(writes, factId)
      if (!isKept) return
      writes.put(appliedKey(partition, sequence), encodeAppliedFact({ epoch: position.epoch, factId, payload, undo }))
    })
  }
  step((writes) => writes.put(positionKey(partition), encodePosition(position)))
  forgetApplied(environment, step, partition, Math.min(oldestKept, position.sequence + 1))
  return applied
}

function applyOne(environment: Environment, step: Step, entry: DecodedEntry, undo: Undo[] | undefined): AppliedFact {
  const { factId, fact } = entry
  if (fact === undefined) return { factId }
  const keepRow = (key: Buffer) => {
    const before = environment.bytes(key)
    undo?.push({ key, before: before === undefined ? undefined : Buffer.from(before) })
  }
  const options = { atMs: fact.atMs, ...(undo === undefined ? {} : { onRow: keepRow }) }
  try {
    return { factId, result: step((writes) => applyFact(environment, writes, fact), options) }
  } catch (error) {
    if (error instanceof RowFailure) throw error
    return { factId, error }
  }
}

/** Removes what is kept of facts before `oldestKept`; what is kept has no gaps. */
function forgetApplied(environment: Environment, step: Step, partition: number, oldestKept: number): void {
  const excess = oldestKept - oldestApplied(environment, partition)
  if (excess <= 0) return
  const keys: Buffer[] = []
  environment.scan({ prefix: appliedPrefix(partition), limit: excess }, (key) => {
    if (u64Part(key, KEY_PREFIX_BYTES + 1) < oldestKept) keys.push(Buffer.from(key))
  })
  step((writes) => {
    for (const key of keys) writes.remove(key)
  })
}

function rewind(
  environment: Environment,
  step: Step,
  { partition, keptUpTo, outbox }: { partition: number; keptUpTo: number; outbox: Outbox },
): number {
  const position = readPosition(environment, partition)
  const taken: AppliedFactRow[] = []
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
  }
  step((writes) => {
    // Later entries of the partition are of a later epoch than the ones taken back: this stands right before them.
    writes.put(positionKey(partition), encodePosition({ epoch: position.epoch, sequence: keptUpTo }))
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
