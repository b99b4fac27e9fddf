import { type ChildProcess, fork } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDataDirectory, readGateFile } from '../../src/stores/data-directory.ts'
import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'

const SCRIPT = path.resolve('dist/test/integration/fixtures/import-child.js')
const ROWS = 300_000

type Told = { state?: string; progress?: number; ready?: boolean; layers?: number; fault?: string; counts?: object }

function startChild(args: readonly string[]): { process: ChildProcess; told: Told[]; ended: Promise<void> } {
  if (!existsSync(SCRIPT)) throw new Error('dist/ is missing: build first (npm run build).')
  const child = fork(SCRIPT, [...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const told: Told[] = []
  child.on('message', (message) => told.push(message as Told))
  return { process: child, told, ended: new Promise((resolve) => child.once('exit', () => setTimeout(resolve, 20))) }
}

function writeNumbers(file: string, first: number): void {
  writeFileSync(file, Array.from({ length: ROWS }, (_, i) => `+${first + i}\n`).join(''))
}

/** What is in force, read as a newcomer would: the rows of the active version, all of them. */
async function activeRows(root: string): Promise<{ entryCount: number; rows: number }> {
  const store = await openRecordStore({ directory: root })
  const contents = openListContents({ directory: root, readOnly: false })
  const { active } = store.list('bad') ?? { active: { entryCount: 0, layers: [] } }
  let rows = 0
  for (const { layerId, numberCount } of active.layers) {
    rows += contents.readNumbers(layerId, 0, new Float64Array(numberCount + 1))
    expect((await readGateFile(openDataDirectory(root), layerId))?.length).toBeGreaterThan(numberCount)
  }
  await contents.close()
  await store.close()
  return { entryCount: active.entryCount, rows }
}

describe('imports in job threads', () => {
  it('tell their progress and leave nothing behind', async () => {
    const root = temporaryDirectory()
    const upload = path.join(root, 'upload.csv')
    writeNumbers(upload, 79160000000)
    const child = startChild([root, 'bad', upload])
    await child.ended
    const last = child.told.findLast(({ state }) => state !== undefined)
    expect(last).toMatchObject({ state: 'active', progress: 1, counts: { rows: ROWS, accepted: ROWS, added: ROWS } })
    const progress = child.told.flatMap((told) => (told.progress === undefined ? [] : [told.progress]))
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
    expect(child.told.at(-1)).toEqual({ layers: 0 })
    expect(readdirSync(openDataDirectory(root).imports)).toEqual([])
    expect(await activeRows(root)).toEqual({ entryCount: ROWS, rows: ROWS })
  })

  it('that are killed at any moment end whole or not at all, and are taken up again', async () => {
    const root = temporaryDirectory()
    const upload = path.join(root, 'upload.csv')
    let expected = 0
    for (const [round, delayMs] of [0, 30, 80, 140, 220, 320].entries()) {
      writeNumbers(upload, 79160000000 + round * ROWS)
      const child = startChild([root, 'bad', upload, 'append'])
      while (child.process.exitCode === null && !child.told.some(({ ready }) => ready))
        await new Promise((resolve) => setTimeout(resolve, 2))
      await new Promise((resolve) => setTimeout(resolve, delayMs))
      child.process.kill('SIGKILL')
      await child.ended
      const { entryCount, rows } = await activeRows(root)
      expect([expected, expected + ROWS]).toContain(entryCount)
      expect(rows).toBe(entryCount)
      const next = startChild([root, 'bad'])
      await next.ended
      expect(next.told.findLast(({ state }) => state !== undefined)).toMatchObject({ state: 'active' })
      expect(next.told.some(({ fault }) => fault !== undefined)).toBe(false)
      expected += ROWS
      expect(await activeRows(root)).toEqual({ entryCount: expected, rows: expected })
    }
    expect(readdirSync(openDataDirectory(root).gates)).toHaveLength(6)
  }, 120_000)
})
