/**
 * Keeps the contents of lists whole in Redis, which forgets its newest writes in a failover and says nothing. Once a second a
 * node that has them
 *
 * - pushes what another node looked for in vain;
 * - looks whether one more layer in force is whole there, and after a failover of any partition whether all are: the chunks
 *   of a layer are spread over all partitions.
 */
import type { RecordState } from '../../domain/record-view.ts'
import { DESK_PARTITION, PARTITIONS } from '../fact.ts'
import { keptLayers, layersInForce } from '../kept-layers.ts'
import { layerName } from '../layer-rows.ts'
import type { Replica } from '../lmdb/replica.ts'
import type { LayerRef } from '../ports.ts'
import type { RecordFollower } from './record-follower.ts'
import type { LayerTraffic } from './redis-record-store.ts'

export type TendLayersDependencies = {
  readonly replica: Pick<Replica, 'position' | 'lists' | 'versions' | 'numberingPlans' | 'layersWaiting'>
  readonly layers: Pick<LayerTraffic, 'push' | 'has' | 'wanted'>
  readonly follower: Pick<RecordFollower, 'status' | 'stateOf'>
  readonly onFault: (error: unknown) => void
}

const TEND_EVERY_MS = 1_000
/** What is there now may be another record, and nobody would ever use or sweep what we bring there. */
const UNKNOWN: readonly RecordState[] = ['lost', 'damaged', 'newer']
/** Of a turn a second. */
const PAUSE_TURNS_MAX = 64

/** What is wanted again and again although we push it, or try to, may be damaged here: rarer each time, until nobody wants it. */
function createTurns() {
  let turn = 0
  /** By name: from which turn on it is given again. */
  const given = new Map<string, { readonly at: number; readonly pause: number }>()
  return {
    next() {
      turn++
      for (const [name, { at }] of given) if (turn > at + PAUSE_TURNS_MAX) given.delete(name)
    },
    take(name: string): boolean {
      const { at = turn, pause = 1 } = given.get(name) ?? {}
      if (turn < at) return false
      given.set(name, { at: turn + pause, pause: Math.min(2 * pause, PAUSE_TURNS_MAX) })
      return true
    },
  }
}

/** Returns what ends it; a push that runs then ends by itself. */
export function tendLayers({ replica, layers, follower, onFault }: TendLayersDependencies): () => void {
  let isClosed = false
  let epochs = ''
  /** To be looked at, the next one first. */
  let queue: LayerRef[] = []
  let isTending = false
  const turns = createTurns()

  /** A push to a Redis that is away would keep a job thread waiting. */
  const mayPush = () =>
    !isClosed && (follower.status().states.away ?? 0) === 0 && !UNKNOWN.includes(follower.stateOf(DESK_PARTITION).state)

  /** One that fails keeps no other one waiting. */
  async function pushOne(layer: LayerRef): Promise<void> {
    try {
      await layers.push([layer])
    } catch (error) {
      if (!isClosed) onFault(error)
    }
  }

  async function giveWanted(): Promise<void> {
    const wanted = await layers.wanted()
    if (wanted.size === 0) return
    const known = new Map(
      [...keptLayers(replica), ...replica.layersWaiting()].map((layer) => [layerName(layer), layer]),
    )
    for (const [name, layer] of known) {
      if (!wanted.has(name) || !layers.has(layer) || !mayPush() || !turns.take(name)) continue
      await pushOne(layer)
    }
  }

  async function lookAtNext(): Promise<void> {
    const before = epochs
    epochs = Array.from({ length: PARTITIONS }, (_, partition) => replica.position(partition).epoch).join()
    const isFailedOver = epochs !== before
    if (isFailedOver || queue.length === 0) queue = layersInForce(replica).filter(layers.has)
    for (let looked = 0; queue.length > 0 && mayPush() && (isFailedOver || looked === 0); looked++) {
      await pushOne(queue.shift()!)
    }
  }

  async function tend(): Promise<void> {
    if (isTending) return
    isTending = true
    turns.next()
    for (const step of [lookAtNext, giveWanted]) {
      try {
        if (mayPush()) await step()
      } catch (error) {
        if (!isClosed) onFault(error)
      }
    }
    isTending = false
  }

  const timer = setInterval(() => void tend(), TEND_EVERY_MS)
  return () => {
    isClosed = true
    clearInterval(timer)
  }
}
