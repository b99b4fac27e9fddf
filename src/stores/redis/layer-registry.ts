/**
 * Which layers are in Redis: one hash in the desk partition, so that each step below is one atomic script on one server.
 *
 * ```
 *   field                         value                   chunks of the push are
 *   <layerId>-<stamp>:<pushId>    pushing                 being written; the layer is not there
 *   <layerId>-<stamp>             LayerEntry              all there
 *   <layerId>-<stamp>:<pushId>    deleting                being deleted; the layer is not there
 * ```
 * Every push writes chunks of its own name, so what one node deletes is never what another one is writing. Chunks without a
 * field do not exist: a field names them before the first is written and until the last is gone.
 *
 * A second hash says which layers a node looked for and did not find whole: `<layerId>-<stamp>`, and the push that it found
 * damaged, or nothing. It is gone WANTED_SECONDS after the last question: who still needs a layer asks each second.
 */
import type { Cluster, Redis } from 'ioredis'
import { PARTITIONS } from '../fact.ts'
import { isSameLayer, layerName } from '../layer-rows.ts'
import type { LayerRef } from '../ports.ts'
import { layerChunkKey, layerKeys } from './keys.ts'
import { layerDamaged } from './layer-chunks.ts'

export type RedisClient = Redis | Cluster

export type LayerEntry = {
  readonly layerId: number
  readonly stamp: number
  readonly numberCount: number
  readonly rangeCount: number
  readonly blockCount: number
  readonly dictionaryCount: number
  readonly chunks: number
  /** Of all chunks. */
  readonly bytes: number
  readonly pushedMs: number
  readonly pushId: string
}

/** Chunks with an index below `chunks` may be there. */
export type LooseChunks = {
  readonly state: 'pushing' | 'deleting'
  readonly chunks: number
  readonly touchedMs: number
}

/** 25 GB of a layer: more than 256 million numbers with details. */
const CHUNKS_MAX = 100_000

const ENTRY_COUNTS = [
  'layerId',
  'stamp',
  'numberCount',
  'rangeCount',
  'blockCount',
  'dictionaryCount',
  'chunks',
  'bytes',
  'pushedMs',
] as const satisfies readonly (keyof LayerEntry)[]

const WANTED_SECONDS = 60

/** 1: registered, also by an earlier try of the same call. 0: the push was swept. -1: another push came first. */
const REGISTER = `
local known = redis.call('HGET', KEYS[1], ARGV[1])
if known == ARGV[3] then return 1 end
if known then return -1 end
if redis.call('HDEL', KEYS[1], ARGV[2]) == 0 then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1`

/** Puts a value under another field if the first field still has the value expected of it. */
const MOVE = `
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[1], ARGV[3], ARGV[4])
return 1`

/** Takes the key for the server that has it. */
const NOW = `return redis.call('TIME')`

export type LayerRegistry = {
  /** Epoch milliseconds of the server that has the registry: nodes' own clocks differ, and what one stamps another one sweeps. */
  now(): Promise<number>
  chunkKey(name: string, pushId: string, chunk: number): string
  /** The entry as text, undefined when the layer is not there. */
  text(name: string): Promise<string | undefined>
  all(): Promise<Record<string, string>>
  /** Names chunks that are written or deleted. */
  note(name: string, pushId: string, loose: LooseChunks): Promise<unknown>
  register(entry: LayerEntry): Promise<'registered' | 'swept' | 'other'>
  /** Changes an entry, or takes the layer away; false when it is not as in `text` any more. */
  touch(name: string, text: string, entry: LayerEntry): Promise<boolean>
  unregister(name: string, text: string, pushId: string, loose: LooseChunks): Promise<boolean>
  forget(name: string, pushId: string): Promise<unknown>
  /** Says that a node needs the layer and finds no copy of it (''), or this one damaged. */
  want(name: string, pushId: string): Promise<unknown>
  /** What is wanted: by name, the push that is damaged or ''. */
  wanted(): Promise<Record<string, string>>
  unwant(name: string): Promise<unknown>
}

export function createLayerRegistry(client: RedisClient, recordId: string): LayerRegistry {
  const { layers: key, wanted: wantedKey } = layerKeys(recordId)
  const move = async (...values: [from: string, expected: string, to: string, value: string]) =>
    (await client.eval(MOVE, 1, key, ...values)) === 1
  return {
    async now() {
      const [seconds, micros] = (await client.eval(NOW, 1, key)) as [string, string]
      return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000)
    },
    chunkKey: (name, pushId, chunk) => layerChunkKey(recordId, chunk % PARTITIONS, `${name}:${pushId}:${chunk}`),
    text: async (name) => (await client.hget(key, name)) ?? undefined,
    all: () => client.hgetall(key),
    note: (name, pushId, loose) => client.hset(key, `${name}:${pushId}`, JSON.stringify(loose)),
    async register(entry) {
      const name = layerName(entry)
      const answer = await client.eval(REGISTER, 1, key, name, `${name}:${entry.pushId}`, JSON.stringify(entry))
      if (answer === 1) return 'registered'
      return answer === 0 ? 'swept' : 'other'
    },
    touch: (name, text, entry) => move(name, text, name, JSON.stringify(entry)),
    unregister: (name, text, pushId, loose) => move(name, text, `${name}:${pushId}`, JSON.stringify(loose)),
    forget: (name, pushId) => client.hdel(key, `${name}:${pushId}`),
    async want(name, pushId) {
      await client.hset(wantedKey, name, pushId)
      await client.expire(wantedKey, WANTED_SECONDS)
    },
    wanted: () => client.hgetall(wantedKey),
    unwant: (name) => client.hdel(wantedKey, name),
  }
}

/** Throws RECORD_DAMAGED when the entry is not of this layer, or no entry at all. */
export function readEntry(layer: LayerRef, text: string): LayerEntry {
  const entry = parseEntry(text)
  if (entry === undefined) throw layerDamaged(layer, 'its registry entry is malformed')
  const isIts = entry.layerId === layer.layerId && entry.stamp === (layer.stamp ?? 0)
  if (!isIts || !isSameLayer(entry, layer)) throw layerDamaged(layer, 'its registry entry speaks of another layer')
  return entry
}

export function parseEntry(text: string): LayerEntry | undefined {
  const value = parseRecord(text)
  if (value === undefined || !ENTRY_COUNTS.every((name) => isCount(value[name]))) return undefined
  if (typeof value.pushId !== 'string' || !/^[0-9a-f]{16}$/.test(value.pushId)) return undefined
  return Number(value.chunks) > CHUNKS_MAX ? undefined : (value as LayerEntry)
}

export function parseLoose(text: string): LooseChunks | undefined {
  const value = parseRecord(text)
  if (value === undefined || !isCount(value.chunks) || !isCount(value.touchedMs)) return undefined
  const isKnown = value.state === 'pushing' || value.state === 'deleting'
  return isKnown && value.chunks <= 2 * CHUNKS_MAX ? (value as LooseChunks) : undefined
}

function parseRecord(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
