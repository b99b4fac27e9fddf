import { describe, expect, it, vi } from 'vitest'
import type { LayerRow } from '../../../src/stores/layer-rows.ts'
import type { LayerRef } from '../../../src/stores/ports.ts'
import { decodeChunk, encodeChunk, packRows } from '../../../src/stores/redis/layer-chunks.ts'
import { parseEntry, parseLoose } from '../../../src/stores/redis/layer-registry.ts'
import { createRedisCalls } from '../../../src/stores/redis/redis-call.ts'
import { redisError } from '../../../src/stores/redis/redis-errors.ts'
import { createSendWindow } from '../../../src/stores/redis/send-window.ts'

const LAYER: LayerRef = { layerId: 1, numberCount: 1, rangeCount: 0, stamp: 7 }
const damaged = expect.objectContaining({ code: 'RECORD_DAMAGED' })
const row = (bytes: number): LayerRow => ({ part: 'dictionary', bytes: Buffer.alloc(bytes, 'x') })

describe('chunks of a layer', () => {
  it('fill 256 KiB and not a byte more, unless one row is larger', () => {
    const half = 128 * 2 ** 10 - 5
    const sizes = (...rows: number[]) => [...packRows(rows.map(row))].map((chunk) => chunk.length)
    expect(sizes()).toEqual([])
    expect(sizes(half, half)).toEqual([2 ** 18])
    expect(sizes(half, half + 1)).toEqual([2 ** 17, 2 ** 17 + 1])
    expect(sizes(1, 2 ** 20, 1)).toEqual([6, 2 ** 20 + 5, 6])
  })

  it('inflate to 4 MiB and not a byte more', () => {
    const chunkOf = (bytes: number) => encodeChunk(LAYER, 0, Buffer.concat([...packRows([row(bytes)])]))
    const most = 4 * 2 ** 20 - 5
    expect(decodeChunk(LAYER, 0, chunkOf(most))[0]?.bytes).toHaveLength(most)
    expect(() => decodeChunk(LAYER, 0, chunkOf(most + 1))).toThrow(damaged)
  })

  it('are of one layer, one stamp and one place', () => {
    const chunk = encodeChunk(LAYER, 3, Buffer.concat([...packRows([row(10)])]))
    expect(decodeChunk(LAYER, 3, chunk)).toEqual([row(10)])
    expect(() => decodeChunk(LAYER, 2, chunk)).toThrow(damaged)
    expect(() => decodeChunk({ ...LAYER, stamp: 8 }, 3, chunk)).toThrow(damaged)
    expect(() => decodeChunk({ ...LAYER, layerId: 2 }, 3, chunk)).toThrow(damaged)
    const odd = encodeChunk(LAYER, 0, Buffer.from([2, 255, 0, 0, 0, 1]))
    expect(() => decodeChunk(LAYER, 0, odd)).toThrow(damaged)
    expect(() => decodeChunk(LAYER, 0, encodeChunk(LAYER, 0, Buffer.from([3, 0, 0, 0, 0])))).toThrow(damaged)
  })
})

describe('the registry of layers', () => {
  const counts = { numberCount: 1, rangeCount: 0, blockCount: 1, dictionaryCount: 0, bytes: 1, pushedMs: 1 }
  const entry = { layerId: 1, stamp: 7, ...counts, chunks: 100_000, pushId: '0123456789abcdef' }
  it('takes so many chunks and not one more', () => {
    expect(parseEntry(JSON.stringify(entry))).toEqual(entry)
    expect(parseEntry(JSON.stringify({ ...entry, chunks: 100_001 }))).toBeUndefined()
    const loose = { state: 'pushing', chunks: 200_000, touchedMs: 1 }
    expect(parseLoose(JSON.stringify(loose))).toEqual(loose)
    expect(parseLoose(JSON.stringify({ ...loose, chunks: 200_001 }))).toBeUndefined()
  })

  it.each(['', '[]', 'null', '7', '{}', JSON.stringify({ ...entry, pushId: '../x' })])('does not take %j', (text) => {
    expect(parseEntry(text)).toBeUndefined()
    expect(parseLoose(text)).toBeUndefined()
  })
})

describe('a call to Redis', () => {
  const calls = (retryForMs: number) => createRedisCalls({ retryForMs, timeoutMs: 20 }, { random: () => 0 })

  it('is tried again until it succeeds', async () => {
    let tries = 0
    const call = async () => {
      if (++tries < 3) throw new Error('READONLY You cannot write against a read only replica.')
      return tries
    }
    expect(await calls(1_000)(call)).toBe(3)
  })

  it.each([
    'Reached the max retries per request limit (which is 1). Refer to "maxRetriesPerRequest" option for details.',
    'Connection is closed.',
    'Command timed out',
    "Socket timeout. Expecting data, but didn't receive any in 400ms.",
    'Failed to refresh slots cache.',
    "Stream isn't writeable and enableOfflineQueue options is false",
  ])('does not say %j to people', async (text) => {
    const failing = () => Promise.reject(new Error(text))
    const inOurs: unknown = await calls(0)(failing).catch((error: unknown) => error)
    for (const error of [inOurs, redisError(new Error(text), 'a read')]) {
      expect(error).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringMatching(/: (?:no|the) [^:]*[^.]\.$/) })
      expect(String(error)).not.toContain(text.slice(0, 12))
    }
  })

  it('is not given up because the clock was set', async () => {
    const clock = vi.spyOn(Date, 'now')
    let tries = 0
    const call = async () => {
      clock.mockReturnValue(4_000_000_000_000)
      if (++tries < 2) throw new Error('LOADING Redis is loading the dataset in memory')
      return tries
    }
    expect(await calls(1_000)(call).finally(() => clock.mockRestore())).toBe(2)
  })

  it('ends although nobody answers', async () => {
    await expect(calls(60)(() => new Promise(() => {}))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it.each([
    ["OOM command not allowed when used memory > 'maxmemory'.", 'STORAGE_FULL'],
    ['NOAUTH Authentication required.', 'UNAVAILABLE'],
  ])('is not repeated after %s', async (message, code) => {
    let tries = 0
    const call = async () => {
      tries++
      throw new Error(message)
    }
    await expect(calls(10_000)(call)).rejects.toMatchObject({ code })
    expect(tries).toBe(1)
  })
})

describe('a window of sends', () => {
  it('keeps the first failure and begins nothing after it', async () => {
    const window = createSendWindow(2)
    let begun = 0
    const fail = async () => {
      begun++
      throw new Error(`failure ${begun}`)
    }
    await Promise.all([window.send(fail), window.send(fail)])
    await expect(window.send(fail)).rejects.toThrow('failure 1')
    await window.settled()
    expect(begun).toBe(2)
    expect(window.assertSent).toThrow('failure 1')
  })
})
