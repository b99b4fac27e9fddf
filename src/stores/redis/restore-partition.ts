/**
 * A partition in Redis is written anew from what this node has. Its head names the node's token until that is done, so
 * nobody else reads or appends. Every entry must follow the one before it in one epoch: where it does not, a failover lost
 * entries or somebody else was at work, and the partition is begun once more. Stopped half-way, anybody may begin again.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ScreeningError } from '../../domain/errors.ts'
import { DESK_PARTITION, type FactBody } from '../fact.ts'
import { encodeFact } from '../fact-codec.ts'
import { keptLayers } from '../kept-layers.ts'
import type { Actor } from '../ports.ts'
import { callFunction } from './call-function.ts'
import type { Position } from './fact-streams.ts'
import { partitionKeys } from './keys.ts'
import { recreatePartition } from './open-record.ts'
import { removePartition } from './remove-partition.ts'
import type { RepairDependencies, RepairOptions } from './repair-record.ts'

const TRIES = 3
/** One round trip carries so many small facts … */
const APPENDS_IN_FLIGHT = 32
/** … or so much of large ones; half as much whenever it was too much for a call's time (240 ms). */
const BYTES_IN_FLIGHT = 262_144
/** A failover takes two to three seconds. The fact id keeps an append that is repeated from counting twice. */
const APPEND_TRIES = 20
const APPEND_PAUSE_MS = 250

/**
 * Nothing follows the partition here meanwhile; afterwards the position is the last entry written. Other nodes find
 * another history and wait for somebody's word. Rejects with RECORD_FOREIGN when Redis holds another record, RECORD_LOST when
 * another node began to restore it, UNAVAILABLE; then nobody follows the partition until it is restored.
 */
export async function restorePartition(
  partition: number,
  actor: Actor,
  options: RepairOptions,
  dependencies: RepairDependencies,
): Promise<void> {
  const { replica, layers } = dependencies
  if (partition === DESK_PARTITION) await layers.push(keptLayers(replica).filter(layers.has))
  for (let tried = 0; tried < TRIES; tried++) {
    if (await writeAnew(partition, actor, options, dependencies)) return
  }
  throw new ScreeningError(
    'UNAVAILABLE',
    `Partition ${partition} was begun anew ${TRIES} times, and each time Redis changed servers or lost a part of it.`,
    { partition, hint: 'Wait until Redis is calm, then say it again: zaslon record restore' },
  )
}

/** False: what Redis has is not what was written, without gap and in one epoch. */
async function writeAnew(
  partition: number,
  actor: Actor,
  { recordId, pseudonymCheck, isMigration = false }: RepairOptions,
  dependencies: RepairDependencies,
): Promise<boolean> {
  const { link, replica, newFactId } = dependencies
  const token = newFactId()
  const removed = await removePartition(link, recordId, partition)
  const epochBefore = Math.max(removed, replica.position(partition).epoch)
  const birth = await recreatePartition(link, {
    recordId,
    pseudonymCheck,
    partition,
    epochBefore,
    token,
    mayClaim: !isMigration,
  })
  if (birth === undefined) return false
  const end = await appendAll({ partition, token, actor, birth }, replica.factsOf(partition), dependencies)
  if (end === undefined) return false
  await replica.adopt(partition, end)
  const { head, facts, epochs } = partitionKeys(recordId, partition)
  const reply = await callFunction(link, 'restored', `completing partition ${partition}`, {
    keys: [head, facts, epochs],
    args: [token, String(end.epoch), String(end.sequence)],
  })
  return reply === 1
}

type Append = () => Promise<Position>

type Writing = {
  readonly partition: number
  readonly token: string
  readonly actor: Actor
  readonly birth: Position
}

/** In order, because all appends take one connection. Undefined when they did not end up in that order, or lack some. */
async function appendAll(
  { partition, token, actor, birth }: Writing,
  facts: Iterable<FactBody>,
  { streams, newFactId, now }: RepairDependencies,
): Promise<Position | undefined> {
  const window = { bytesMax: BYTES_IN_FLIGHT }
  let end: Position | undefined = birth
  let appends: Append[] = []
  let bytes = 0
  for (const body of facts) {
    const atMs = body.kind === 'report' ? body.report.receivedMs : now()
    const payload = encodeFact({ ...body, actor, atMs })
    const factId = newFactId()
    appends.push(async () => (await streams.append(partition, factId, payload, token)).position)
    bytes += payload.length
    if (appends.length < APPENDS_IN_FLIGHT && bytes < window.bytesMax) continue
    end = await lastInOrder(end, appends, window)
    if (end === undefined) return undefined
    appends = []
    bytes = 0
  }
  return await lastInOrder(end, appends, window)
}

/**
 * Sends them at once, and those again, one by one, that had no answer: a slow line is not given all of it twice. Resolves
 * when none is under way any more, with the last position when each follows the one before it.
 */
async function lastInOrder(
  before: Position,
  appends: readonly Append[],
  window: { bytesMax: number },
): Promise<Position | undefined> {
  let last = before
  const sent = await Promise.allSettled(appends.map((append) => append()))
  if (sent.some(({ status }) => status === 'rejected')) window.bytesMax /= 2
  for (const [index, settled] of sent.entries()) {
    const position = settled.status === 'fulfilled' ? settled.value : await again(appends[index]!, settled.reason)
    if (position.epoch !== last.epoch || position.sequence !== last.sequence + 1) return undefined
    last = position
  }
  return last
}

async function again(append: Append, failure: unknown): Promise<Position> {
  let error = failure
  for (let tried = 1; tried < APPEND_TRIES; tried++) {
    if (!(error instanceof ScreeningError && error.code === 'UNAVAILABLE')) break
    await sleep(APPEND_PAUSE_MS)
    try {
      return await append()
    } catch (reason) {
      error = reason
    }
  }
  throw error
}
