import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadSamples } from '../../../src/processes/load-samples.ts'
import type { ControlServices } from '../../../src/services/control-services.ts'
import { createMemoryStore, type MemoryStore } from '../../../src/stores/memory/memory-store.ts'
import { temporaryDirectory } from '../../fixtures/temporary-directory.ts'

const data = path.resolve(import.meta.dirname, '../../../data')

/** Activates at once what it is given, until it has taken `until` lists: then the process dies. */
function importsOver(store: MemoryStore, until: number) {
  const taken: string[] = []
  const imports = {
    async begin({ list, spoolPath }: { list: string; spoolPath: string }) {
      if (taken.length === until) throw new Error('killed')
      taken.push(list)
      expect(readFileSync(spoolPath, 'utf8')).not.toBe('')
      const { version } = await store.stageVersion(list, { layers: [], entryCount: 0 }, 'test')
      await store.activateVersion(list, version, {}, 'test')
      return { importId: list }
    },
    get: () => ({ state: 'active' }),
  } as unknown as ControlServices['imports']
  return { imports, taken }
}

describe('sample lists', () => {
  const root = temporaryDirectory()

  it('are taken up again where a first start was cut off, and never again after', async () => {
    const options = { directory: data, root, spool: path.join(root, 'imports'), country: 'RU' }
    mkdirSync(options.spool)
    const store = createMemoryStore()
    const first = importsOver(store, 2)
    await expect(loadSamples(options, { store, services: first })).rejects.toThrow('killed')
    const second = importsOver(store, 100)
    await loadSamples(options, { store, services: second })
    expect(new Set([...first.taken, ...second.taken]).size).toBe(6)
    expect(first.taken.length + second.taken.length).toBe(6)
    expect(existsSync(path.join(root, 'samples.loading'))).toBe(false)
    const third = importsOver(store, 100)
    await loadSamples(options, { store, services: third })
    expect(third.taken).toEqual([])
  })

  it('keep no service from starting while they wait for Redis', async () => {
    const options = { directory: data, root: temporaryDirectory(), spool: temporaryDirectory(), country: 'RU' }
    const store = createMemoryStore()
    const { imports, taken } = importsOver(store, 100)
    const problem = { code: 'STORAGE_FULL', detail: 'The memory of Redis is full.' }
    const waiting = {
      ...imports,
      get: () => ({ state: 'activating', problem }),
    } as unknown as ControlServices['imports']
    await loadSamples(options, { store, services: { imports: waiting } })
    expect(taken).toHaveLength(6)
  })
})
