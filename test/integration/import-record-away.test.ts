/** Imports while the record takes no writes: refused, full, or done with the answer lost. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { type ErrorCode, ScreeningError } from '../../src/domain/errors.ts'
import { createMemoryStore, type MemoryStore } from '../../src/stores/memory/memory-store.ts'
import { createImportWorld, type ImportWorld } from '../support/import-world.ts'

type Method = 'stageVersion' | 'activateVersion' | 'allocateLayer' | 'appendAudit'
/** `late`: it happens, and nobody says so. */
type Refusal = { code: ErrorCode; isLate?: boolean }

/** A store whose writes are refused as `refuse` says; takes more refusals at any time. */
function refusingStore() {
  const store = createMemoryStore()
  const refusals: Partial<Record<Method, Refusal>> = {}
  const proxy = new Proxy(store, {
    get(target, name: keyof MemoryStore) {
      const value = target[name]
      if (typeof value !== 'function') return value
      return (...args: unknown[]) => {
        const refusal = refusals[name as Method]
        const call = () => Reflect.apply(value, target, args)
        if (refusal === undefined) return call()
        if (refusal.isLate) void call()
        return Promise.reject(new ScreeningError(refusal.code, 'Redis takes no writes.', { hint: 'Wait.' }))
      }
    },
  })
  return { store: proxy, refusals }
}

const OPTIONS = { patienceMs: 0, retries: { firstMs: 5, maxMs: 20 } }
const rows = (count: number) => Array.from({ length: count }, (_, i) => `+7916${String(i).padStart(7, '0')}`).join('\n')
const worlds: ImportWorld[] = []
afterEach(() => {
  for (const { imports, remove } of worlds.splice(0)) {
    void imports.close()
    remove()
  }
})

async function open() {
  const { store, refusals } = refusingStore()
  const world = createImportWorld({ store, options: OPTIONS })
  worlds.push(world)
  await world.createList('black')
  const spools = () => readdirSync(path.join(world.root, 'imports'))
  /** Waits until it waits for the record. */
  const waits = async (importId: string, state: string, code: ErrorCode) => {
    await expect.poll(() => world.imports.get(importId)).toMatchObject({ state, problem: { code } })
    const { detail } = world.imports.get(importId).problem ?? {}
    expect(detail).toContain(
      'waits until the record takes writes again, and goes on by itself then. Redis takes no writes.',
    )
    // The hint of a refused request, which is to be sent again.
    if (code === 'UNAVAILABLE') expect(detail).not.toContain('Wait.')
    expect(spools()).toHaveLength(1)
  }
  return { world, refusals, spools, waits }
}

describe('an import while the record takes no writes', () => {
  it.each([
    ['stageVersion', 'STORAGE_FULL', 'activating'],
    ['stageVersion', 'RECORD_DIVERGED', 'activating'],
    ['stageVersion', 'CONTENTS_MISSING', 'activating'],
    ['activateVersion', 'UNAVAILABLE', 'activating'],
    ['activateVersion', 'STORAGE_FULL', 'activating'],
  ] as const)(
    'waits when %s is refused with %s, and becomes active without being built again',
    async (method, code, state) => {
      const { world, refusals, waits, spools } = await open()
      refusals[method] = { code }
      let built = 0
      world.afterJob = (job) => {
        if (job.kind === 'stage-import') built++
      }
      const importId = await world.begin('black', rows(50))
      await waits(importId, state, code)
      await new Promise((resolve) => setTimeout(resolve, 100))
      await waits(importId, state, code)
      delete refusals[method]
      expect(await world.settled(importId)).toMatchObject({ state: 'active', version: 1 })
      expect(world.imports.get(importId).problem).toBeUndefined()
      expect(built).toBe(1)
      expect(world.store.versions('black')).toHaveLength(1)
      await expect.poll(spools).toEqual([])
    },
  )

  it('waits in the queue when no layer is given out, however often, and is not overtaken', async () => {
    const { world, refusals, waits } = await open()
    refusals.allocateLayer = { code: 'STORAGE_FULL' }
    const first = await world.begin('black', rows(50))
    await waits(first, 'queued', 'STORAGE_FULL')
    await new Promise((resolve) => setTimeout(resolve, 100))
    const second = await world.begin('black', rows(45))
    delete refusals.allocateLayer
    expect(await world.settled(first)).toMatchObject({ state: 'active', version: 1 })
    expect(await world.settled(second)).toMatchObject({ state: 'active', version: 2 })
  })

  it.each(['stageVersion', 'activateVersion'] as const)(
    'is active once when %s happened and nobody said so',
    async (method) => {
      const { world, refusals } = await open()
      refusals[method] = { code: 'UNAVAILABLE', isLate: true }
      const importId = await world.begin('black', rows(50))
      expect(await world.settled(importId)).toMatchObject({ state: 'active', version: 1 })
      expect(world.store.versions('black')).toHaveLength(1)
    },
  )

  it('is known to have been active when the list was changed before anybody looked', async () => {
    const { world, refusals, waits } = await open()
    refusals.activateVersion = { code: 'UNAVAILABLE' }
    const importId = await world.begin('black', rows(50))
    await waits(importId, 'activating', 'UNAVAILABLE')
    const [staged] = world.store.versions('black')
    delete refusals.activateVersion
    await world.store.activateVersion('black', staged?.version ?? 0, {}, 'late')
    await world.store.stageVersion('black', { layers: [], entryCount: 0 }, 'analyst')
    await world.store.activateVersion('black', 2, {}, 'analyst')
    expect(await world.settled(importId)).toMatchObject({ state: 'active', version: 1 })
    expect(world.store.list('black')?.activeVersion).toBe(2)
  })

  it('can be cancelled while it waits, and is active after all when it was on its way', async () => {
    const { world, refusals, waits, spools } = await open()
    refusals.activateVersion = { code: 'UNAVAILABLE' }
    const importId = await world.begin('black', rows(50))
    await waits(importId, 'activating', 'UNAVAILABLE')
    expect(await world.imports.cancel(importId, 'anna')).toMatchObject({ state: 'cancelled' })
    await expect.poll(spools).toEqual([])
    delete refusals.activateVersion
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(world.imports.get(importId).state).toBe('cancelled')
    await world.store.activateVersion('black', 1, {}, 'late')
    expect(world.imports.get(importId)).toMatchObject({ state: 'active', version: 1 })
  })

  it('goes on after a restart', async () => {
    const { world, refusals, waits } = await open()
    refusals.activateVersion = { code: 'STORAGE_FULL' }
    const importId = await world.begin('black', rows(50))
    await waits(importId, 'activating', 'STORAGE_FULL')
    await world.imports.close()
    let current = world
    for (let restarts = 0; restarts < 3; restarts++) {
      current = current.restart()
      worlds.push(current)
      await current.imports.resume()
      await expect.poll(() => current.imports.get(importId).problem?.code).toBe('STORAGE_FULL')
      expect(current.imports.get(importId).state).toBe('activating')
      if (restarts < 2) await current.imports.close()
    }
    delete refusals.activateVersion
    expect(await current.settled(importId)).toMatchObject({ state: 'active', version: 1 })
    expect(current.contents('black')).toHaveLength(50)
  })

  it('that somebody activates waits as before when nothing happened, and is activated when that is not known', async () => {
    const { world, refusals } = await open()
    const preview = await world.import('black', rows(50), { dryRun: true })
    refusals.stageVersion = { code: 'UNAVAILABLE' }
    const { importId } = preview
    await expect(world.imports.activate(importId, 'anna')).rejects.toMatchObject({ code: 'UNAVAILABLE' })
    expect(world.imports.get(importId)).toEqual(preview)
    delete refusals.stageVersion
    refusals.activateVersion = { code: 'UNAVAILABLE' }
    expect(await world.imports.activate(importId, 'anna')).toMatchObject({ state: 'activating' })
    delete refusals.activateVersion
    expect(await world.settled(importId)).toMatchObject({ state: 'active' })
  })

  it('is begun, held and cancelled whether or not its audit line is written', async () => {
    const { world, refusals } = await open()
    await world.import('black', rows(5_000))
    refusals.appendAudit = { code: 'UNAVAILABLE' }
    const held = await world.import('black', rows(1))
    expect(held.state).toBe('held')
    expect(await world.imports.cancel(held.importId, 'anna')).toMatchObject({ state: 'cancelled' })
    delete refusals.appendAudit
    const deeds = () => world.store.audit(10).filter(({ subject }) => subject === held.importId)
    await expect
      .poll(
        () =>
          deeds()
            .map(({ action }) => action)
            .sort(),
        { timeout: 3_000 },
      )
      .toEqual(['import.begin', 'import.cancel', 'import.hold'])
  })
})
