import { mkdtempSync, rmSync, statSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Redis } from 'ioredis'
import type { JobDependencies } from '../../src/jobs/job-dependencies.ts'
import { CONTROL_BYTES } from '../../src/jobs/list-jobs.ts'
import { runListJob } from '../../src/jobs/run-list-job.ts'
import { gateFileName, openDataDirectory } from '../../src/stores/data-directory.ts'
import type { LayerStore } from '../../src/stores/layer-rows.ts'
import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import type { LayerContents, LayerRef } from '../../src/stores/ports.ts'
import { createLayerStore } from '../../src/stores/redis/layer-store.ts'
import { createTrafficLogReader } from '../../src/stores/traffic-log/traffic-impact.ts'
import { startRedis } from '../../test/support/redis.ts'
import { recordResult } from '../lib/record-result.ts'
import { round } from '../lib/stats.ts'

/**
 * A list in Redis: bytes a listed number, and seconds to push it from a node and to fetch it into another one with its gate
 * file. Numbers are spread over +79, details are one of 1,000 for each number, a third of them with an expiry.
 */
export async function benchRedisLists(options: { rows: number }): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const server = await startRedis()
  const client = new Redis(server.url)
  try {
    const place = { directory, client }
    const plain = await measure(place, randomNumbers(options.rows))
    await client.flushall()
    const detailed = await measure(place, withDetails(randomNumbers(options.rows)))
    const rssMaxMb = round(process.resourceUsage().maxRSS / 1024)
    recordResult(options.rows >= 1e7 ? 'redis-lists' : 'redis-lists-quick', {
      rows: options.rows,
      redis: /redis_version:(\S+)/.exec(server.cli('info', 'server'))?.[1],
      plain,
      withDetails: detailed,
      rssMaxMb,
    })
  } finally {
    client.disconnect()
    await server.close()
    rmSync(directory, { recursive: true, force: true })
  }
}

async function measure(
  { directory, client }: { directory: string; client: Redis },
  given: LayerContents,
): Promise<Record<string, number>> {
  const store = createLayerStore({ recordId: 'bench' }, { client, random: Math.random })
  const here = openNode(mkdtempSync(path.join(directory, 'here-')), store)
  const there = openNode(mkdtempSync(path.join(directory, 'there-')), store)
  const layer = { layerId: 1, numberCount: given.numbers.length, rangeCount: 0, stamp: 7 }
  here.contents.putLayer(1, given, { stamp: layer.stamp })
  const before = await usedMemory(client)
  const pushSeconds = await transfer('push-layer', layer, here)
  const usedBytes = (await usedMemory(client)) - before
  const keys = await client.keys('*')
  let memoryUsage = 0
  for (const key of keys) memoryUsage += (await client.memory('USAGE', key)) ?? 0
  const fetchSeconds = await transfer('fetch-layer', layer, there)
  const gateBytes = statSync(gateFileName(there.directory, 1)).size
  await Promise.all([here.contents.close(), there.contents.close()])
  return {
    keys: keys.length,
    bytesPerNumber: round(usedBytes / layer.numberCount),
    memoryUsageBytesPerNumber: round(memoryUsage / layer.numberCount),
    pushSeconds: round(pushSeconds),
    fetchSeconds: round(fetchSeconds),
    gateBytes,
  }
}

function openNode(root: string, layerStore: LayerStore): JobDependencies {
  const directory = openDataDirectory(root)
  return {
    contents: openListContents({ directory: root, readOnly: false }),
    directory,
    traffic: createTrafficLogReader({ directory: directory.traffic }),
    now: Date.now,
    layerStore,
  }
}

async function transfer(kind: 'push-layer' | 'fetch-layer', layer: LayerRef, node: JobDependencies): Promise<number> {
  const startMs = performance.now()
  const outcome = await runListJob({ kind, layer, control: new SharedArrayBuffer(CONTROL_BYTES) }, node)
  if (!outcome.ok) throw new Error(outcome.message)
  return (performance.now() - startMs) / 1000
}

async function usedMemory(client: Redis): Promise<number> {
  return Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
}

/** Distinct numbers of +79, ascending: what is left of a random draw, without those that were drawn twice. */
function randomNumbers(rows: number): LayerContents {
  const drawn = new Float64Array(rows)
  let state = 20_261_127
  for (let index = 0; index < rows; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    drawn[index] = 79_000_000_000 + Math.floor((state / 2 ** 32) * 1_000_000_000)
  }
  drawn.sort()
  const numbers = drawn.filter((number, index) => number !== drawn[index - 1])
  return { numbers, rangesFrom: new Float64Array(0), rangesTo: new Float64Array(0), dictionary: [] }
}

function withDetails(contents: LayerContents): LayerContents {
  const dictionary = Array.from({ length: 1_000 }, (_, index) => ({
    reason: `reason ${index}`,
    source: 'bench',
    ...(index % 3 === 0 ? { expiresMs: 1_800_000_000_000 + index * 86_400_000 } : {}),
  }))
  const numberDetails = Uint32Array.from(
    contents.numbers,
    (_, index) => 1 + ((Math.imul(index, 0x9e3779b1) >>> 8) % 1_000),
  )
  return { ...contents, numberDetails, dictionary }
}
