import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { runService } from '../../test/support/run-service.ts'
import { writeNumbersFile } from '../lib/generate-numbers.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile } from '../lib/service-client.ts'
import { round } from '../lib/stats.ts'

/** Seconds from `zaslon serve` to ready with a large list stored: with its gate file, and without. */
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
    for (let i = 0; i < options.repeats; i++) {
      withGates.push(await secondsToReady(dataDirectory))
      rmSync(path.join(dataDirectory, 'gates'), { recursive: true, force: true })
      withoutGates.push(await secondsToReady(dataDirectory))
      await restoreGates(dataDirectory, file)
    }
    recordResult(options.rows >= 1e7 ? 'start' : 'start-quick', {
      rows: options.rows,
      withGateFilesSeconds: withGates.map(round),
      withoutGateFilesSeconds: withoutGates.map(round),
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

/** An import writes the gate of its layer; the same numbers again make the same list. */
async function restoreGates(dataDirectory: string, file: string): Promise<void> {
  const service = await runService({ dataDirectory, waitMs: 120_000 })
  await importFile(service, 'large', file, 'mode=replace')
  await service.stop()
}
