/**
 * Layers of lists in Redis, for all nodes of a record: chunks (layer-chunks.ts) spread over all partitions, so that every
 * server of a cluster holds its share, and a registry (layer-registry.ts) that names a layer last and forgets it first.
 */
import { randomBytes } from 'node:crypto'
import { ScreeningError } from '../../domain/errors.ts'
import { isSameLayer, type LayerRowWriter, type LayerStore, layerName, type TransferControl } from '../layer-rows.ts'
import type { LayerRef, ListContents } from '../ports.ts'
import { decodeChunk, encodeChunk, layerDamaged, packRows } from './layer-chunks.ts'
import {
  createLayerRegistry,
  type LayerEntry,
  parseEntry,
  parseLoose,
  type RedisClient,
  readEntry,
} from './layer-registry.ts'
import { createRedisCalls, type RedisCallsDependencies } from './redis-call.ts'
import { createSendWindow } from './send-window.ts'

/** Four chunks on the way fill a link of 100 Mbit/s at 80 ms, and hold 1 MB of memory here and there. */
const CHUNKS_IN_FLIGHT = 4
/** Deleting and asking move no data. */
const KEYS_IN_FLIGHT = 64
/** A push says in advance how far it may have come, every 16 MB. */
const CHUNKS_NOTED = 64

export type LayerStoreOptions = { readonly recordId: string; readonly retryForMs?: number; readonly timeoutMs?: number }

export type LayerStoreDependencies = RedisCallsDependencies & {
  /** `close` ends it. */
  readonly client: RedisClient
}

export function createLayerStore(options: LayerStoreOptions, dependencies: LayerStoreDependencies): LayerStore {
  const { client } = dependencies
  const registry = createLayerRegistry(client, options.recordId)
  const call = createRedisCalls(options, dependencies)
  const now = () => call(() => registry.now())

  async function push(
    layer: LayerRef,
    contents: Pick<ListContents, 'layer' | 'layerRows'>,
    control: TransferControl,
  ): Promise<'pushed' | 'present'> {
    const name = layerName(layer)
    const stored = contents.layer(layer.layerId)
    if (stored === undefined || !isSameLayer(stored, layer)) throw layerNotHere(layer)
    const damaged = (await call(() => registry.wanted()))[name]
    const isPresent = await keepPresent(layer, damaged)
    if (damaged !== undefined) await call(() => registry.unwant(name))
    if (isPresent) return 'present'
    const pushId = randomBytes(8).toString('hex')
    const { numberCount, rangeCount, blockCount, dictionaryCount } = stored
    const counts = { numberCount, rangeCount, blockCount, dictionaryCount }
    let chunks = 0
    try {
      let bytes = 0
      let blocks = 0
      const window = createSendWindow(CHUNKS_IN_FLIGHT)
      try {
        for (const rows of packRows(countBlocks(contents, layer, () => blocks++))) {
          control.check()
          if (chunks % CHUNKS_NOTED === 0) {
            const loose = { state: 'pushing', chunks: chunks + CHUNKS_NOTED, touchedMs: await now() } as const
            await call(() => registry.note(name, pushId, loose), control.check)
          }
          const value = encodeChunk(layer, chunks, rows)
          const key = registry.chunkKey(name, pushId, chunks)
          await window.send(() => call(() => client.set(key, value), control.check))
          chunks++
          bytes += value.length
          control.report(blocks / (blockCount + 1))
        }
      } finally {
        await window.settled()
      }
      window.assertSent()
      if (chunks === 0) {
        const loose = { state: 'pushing', chunks: 0, touchedMs: await now() } as const
        await call(() => registry.note(name, pushId, loose), control.check)
      }
      const { layerId, stamp = 0 } = layer
      const entry: LayerEntry = { layerId, stamp, ...counts, chunks, bytes, pushedMs: await now(), pushId }
      const outcome = await call(() => registry.register(entry), control.check)
      if (outcome === 'swept') throw pushSwept(layer)
      if (outcome === 'other') await discard(name, pushId, chunks)
      control.report(1)
      return outcome === 'other' ? 'present' : 'pushed'
    } catch (error) {
      // When Redis does not answer, the next sweep finds what was noted.
      const isAway = error instanceof ScreeningError && error.code === 'UNAVAILABLE' && error.cause !== undefined
      if (!isAway) await discard(name, pushId, chunks).catch(() => {})
      throw error
    }
  }

  /**
   * A layer that is there and whole counts as pushed now, so that no sweep takes it before it is in use. The push `damaged` is
   * not whole, whatever it looks like: a node could not read it.
   */
  async function keepPresent(layer: LayerRef, damaged: string | undefined): Promise<boolean> {
    const name = layerName(layer)
    const text = await call(() => registry.text(name))
    if (text === undefined) return false
    const entry = parseEntry(text)
    const isReadable = entry !== undefined && entry.pushId !== damaged && isSameLayer(entry, layer)
    if (isReadable && (await hasAll(name, entry))) {
      const touched = { ...entry, pushedMs: await now() }
      if (await call(() => registry.touch(name, text, touched))) return true
      return keepPresent(layer, damaged)
    }
    await remove(name, text, entry)
    return false
  }

  async function hasAll(name: string, { pushId, chunks }: LayerEntry): Promise<boolean> {
    let there = 0
    const window = createSendWindow(KEYS_IN_FLIGHT)
    for (let chunk = 0; chunk < chunks; chunk++) {
      const key = registry.chunkKey(name, pushId, chunk)
      await window.send(async () => {
        const count = await call(() => client.exists(key))
        there += count
      })
    }
    await window.settled()
    window.assertSent()
    return there === chunks
  }

  /** False: somebody else changed the entry meanwhile. */
  async function remove(name: string, text: string, entry: LayerEntry | undefined): Promise<boolean> {
    // An entry that cannot be read does not say where its chunks are: they are lost, and only they.
    const { pushId = 'unreadable', chunks = 0 } = entry ?? {}
    const loose = { state: 'deleting', chunks, touchedMs: await now() } as const
    if (!(await call(() => registry.unregister(name, text, pushId, loose)))) return false
    await discard(name, pushId, chunks)
    return true
  }

  async function discard(name: string, pushId: string, chunks: number): Promise<void> {
    const window = createSendWindow(KEYS_IN_FLIGHT)
    for (let chunk = 0; chunk < chunks; chunk++) {
      const key = registry.chunkKey(name, pushId, chunk)
      await window.send(() => call(() => client.unlink(key)))
    }
    await window.settled()
    window.assertSent()
    await call(() => registry.forget(name, pushId))
  }

  async function fetch(
    layer: LayerRef,
    contents: Pick<ListContents, 'writeLayerRows'>,
    control: TransferControl,
  ): Promise<'fetched' | 'gone'> {
    const name = layerName(layer)
    const text = await call(() => registry.text(name), control.check)
    if (text === undefined) {
      await want(name, '')
      return 'gone'
    }
    try {
      return await fetchPush({ name, text, entry: readEntry(layer, text) }, layer, contents, control)
    } catch (error) {
      const isDamaged = error instanceof ScreeningError && error.code === 'RECORD_DAMAGED'
      if (isDamaged) await want(name, parseEntry(text)?.pushId ?? '')
      throw error
    }
  }

  /** A Redis that is full or away now is asked again by whoever still needs the layer. */
  async function want(name: string, pushId: string): Promise<void> {
    await registry.want(name, pushId).catch(() => {})
  }

  async function fetchPush(
    { name, text, entry }: { name: string; text: string; entry: LayerEntry },
    layer: LayerRef,
    contents: Pick<ListContents, 'writeLayerRows'>,
    control: TransferControl,
  ): Promise<'fetched' | 'gone'> {
    const writer = contents.writeLayerRows(layer.layerId, { ...entry, stamp: layer.stamp ?? 0 })
    try {
      let chunk = 0
      for await (const bytes of readAhead(name, entry, control)) {
        control.check()
        if (bytes === null) {
          if ((await call(() => registry.text(name), control.check)) === text) {
            throw layerDamaged(layer, `chunk ${chunk} of ${entry.chunks} is missing`)
          }
          // It was swept, or pushed anew, while we read it.
          abandon(writer)
          return 'gone'
        }
        for (const row of decodeChunk(layer, chunk, bytes)) writer.write(row)
        chunk++
        control.report(chunk / (entry.chunks + 1))
      }
      writer.finish()
      return 'fetched'
    } catch (error) {
      abandon(writer)
      throw error
    }
  }

  /** The chunks in order, CHUNKS_IN_FLIGHT of them asked for at a time. */
  async function* readAhead(name: string, entry: LayerEntry, control: TransferControl): AsyncGenerator<Buffer | null> {
    const ahead: Promise<Buffer | null>[] = []
    for (let next = 0; next < entry.chunks || ahead.length > 0; ) {
      while (next < entry.chunks && ahead.length < CHUNKS_IN_FLIGHT) {
        const key = registry.chunkKey(name, entry.pushId, next++)
        const reading = call(() => client.getBuffer(key).catch(otherType), control.check)
        // Whoever leaves at the first failure does not look at the others.
        reading.catch(() => {})
        ahead.push(reading)
      }
      yield (await ahead.shift()) ?? null
    }
  }

  async function sweep(inUse: ReadonlySet<string>, olderThanMs: number): Promise<number> {
    const beforeMs = (await now()) - olderThanMs
    let removed = 0
    for (const [field, text] of Object.entries(await call(() => registry.all()))) {
      const [name = '', pushId] = field.split(':')
      if (pushId === undefined) {
        const entry = parseEntry(text)
        if (inUse.has(name) || (entry !== undefined && entry.pushedMs >= beforeMs)) continue
        if (await remove(name, text, entry)) removed++
      } else {
        const loose = parseLoose(text)
        if (loose?.state === 'pushing' && loose.touchedMs >= beforeMs) continue
        await discard(name, pushId, loose?.chunks ?? 0)
      }
    }
    return removed
  }

  const wanted = async () => new Set(Object.keys(await call(() => registry.wanted())))

  return { push, fetch, wanted, sweep, close: async () => client.disconnect() }
}

function* countBlocks(contents: Pick<ListContents, 'layerRows'>, layer: LayerRef, count: () => void) {
  for (const row of contents.layerRows(layer.layerId)) {
    if (row.part === 'numbers') count()
    yield row
  }
}

/** A key of another type is no chunk: damage like any other, and not a Redis that does not answer. */
function otherType(error: unknown): Buffer {
  if (error instanceof Error && error.message.startsWith('WRONGTYPE')) return Buffer.alloc(0)
  throw error
}

/** What a full disk does not let go is not whole, and garbage for the next cleaning. */
function abandon(writer: LayerRowWriter): void {
  try {
    writer.abandon()
  } catch {
    // The caller has the reason why it abandons, which says more.
  }
}

function layerNotHere(layer: LayerRef): ScreeningError {
  const message = `Layer ${layerName(layer)} is not stored here, or not whole.`
  const hint = 'The list version it belonged to was dropped meanwhile; look at the list again.'
  return new ScreeningError('STORAGE_FAILED', message, { layerId: layer.layerId, hint })
}

function pushSwept(layer: LayerRef): ScreeningError {
  const message = `Layer ${layerName(layer)} took so long to get to Redis that it was swept as left over.`
  return new ScreeningError('UNAVAILABLE', message, { hint: 'It is pushed again; look at the link to Redis.' })
}
