import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runService } from '../../test/support/run-service.ts'
import { writeNumbersFile } from '../lib/generate-numbers.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile } from '../lib/service-client.ts'
import { round } from '../lib/stats.ts'

/**
 * Seconds from `zaslon serve` to ready with a large list stored: with its gate file, and without. Then from kill -9 of the
 * only verdict process until the one started in its place is ready with all gates.
 */
export async function benchStart(options: { rows: number; repeats: number }): Promise<void> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
  const dataDirectory = path.join(directory, 'data')
  try {
    const file = path.join(directory, 'numbers.csv')
    writeNumbersFile(file, options.rows)
    const service = await runService({ dataDirectory })
    await call(service, 'PUT', '/v1/lists/large', { kind: 'deny' })
    const { record } = await importFile(service, 'large', file, 'mode=replace')
    if (record.state !== 'active') throw new Error(`The import ended ${record.state}.`)
    await service.stop()
    const withGates: number[] = []
    const withoutGates: number[] = []
    const verdictKilled: number[] = []
    for (let i = 0; i < options.repeats; i++) {
      withGates.push(await secondsToReady(dataDirectory))
      verdictKilled.push(await secondsToRecover(dataDirectory))
      rmSync(path.join(dataDirectory, 'gates'), { recursive: true, force: true })
      // This start writes the file that the next round finds.
      withoutGates.push(await secondsToReady(dataDirectory))
    }
    recordResult(options.rows >= 1e7 ? 'start' : 'start-quick', {
      rows: options.rows,
      withGateFilesSeconds: withGates.map(round),
      withoutGateFilesSeconds: withoutGates.map(round),
      verdictProcessKilledSeconds: verdictKilled.map(round),
    })
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

async function secondsToReady(dataDirectory: string): Promise<number> {
  const startMs = performance.now()
  const service = await runService({ dataDirectory, waitMs: 120_000 })
  const seconds = (performance.now() - startMs) / 1000
  await service.stop()
  return seconds
}

async function secondsToRecover(dataDirectory: string): Promise<number> {
  const service = await runService({ dataDirectory, waitMs: 120_000 })
  const [pid = 0] = service.pids('verdict')
  const startMs = performance.now()
  process.kill(pid, 'SIGKILL')
  while (service.pids('verdict').includes(pid)) await sleep(1)
  await service.ready()
  const seconds = (performance.now() - startMs) / 1000
  await service.stop()
  return seconds
}
