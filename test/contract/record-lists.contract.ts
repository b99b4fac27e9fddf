import { describe, expect, it } from 'vitest'
import { type NewListVersion, type RecordStore, VERSIONS_KEPT } from '../../src/stores/ports.ts'
import { NOON_MS } from './record-store.contract.ts'

const layers = (...layerIds: number[]): NewListVersion => ({
  layers: layerIds.map((layerId) => ({ layerId, numberCount: 1, rangeCount: 0 })),
  entryCount: layerIds.length,
})

/** Lists and their versions, of every record store. */
export function listContract(current: () => RecordStore): void {
  const put = (name = 'hotline', title = 'Hotline') => current().putList({ name, kind: 'deny', title }, 'anna')

  describe('lists', () => {
    it('creates a list empty, and changes only its title later', async () => {
      expect(await put()).toMatchObject({
        created: true,
        list: { listId: 1, activeVersion: 0, active: { layers: [] } },
      })
      expect(await put()).toMatchObject({ created: false, list: { listId: 1 } })
      expect(await put('hotline', 'Hotline 611')).toMatchObject({ created: false, list: { title: 'Hotline 611' } })
      expect(current().list('hotline')).toMatchObject({ kind: 'deny', title: 'Hotline 611' })
      expect(current().list('unknown')).toBeUndefined()
      expect(current().changesAfter(0, 10)).toMatchObject([{ kind: 'list' }, { kind: 'list' }])
    })

    it('refuses another kind for a list', async () => {
      await put()
      const other = current().putList({ name: 'hotline', kind: 'allow', title: 'Hotline' }, 'anna')
      await expect(other).rejects.toMatchObject({ code: 'LIST_KIND_CONFLICT' })
    })

    it('takes 64 lists and refuses the 65th', async () => {
      for (let index = 0; index < 64; index++) await put(`list-${index}`)
      await expect(put('one-more')).rejects.toMatchObject({ code: 'LISTS_TOO_MANY' })
      expect(current().lists()).toHaveLength(64)
      expect(
        new Set(
          current()
            .lists()
            .map((list) => list.listId),
        ).size,
      ).toBe(64)
    })

    it('activates a staged version in one step and restores an older one', async () => {
      await put()
      await current().stageVersion('hotline', { ...layers(1), importId: 'i1', note: 'first' }, 'anna')
      expect(current().list('hotline')?.activeVersion).toBe(0)
      const first = await current().activateVersion('hotline', 1, { expectedActive: 0 }, 'anna')
      expect(first).toMatchObject({
        sequence: 2,
        list: { activeVersion: 1, active: { importId: 'i1', entryCount: 1 } },
      })
      await current().stageVersion('hotline', layers(2, 1), 'boris')
      await current().activateVersion('hotline', 2, {}, 'boris')
      const restored = await current().activateVersion('hotline', 1, { expectedActive: 2 }, 'anna')
      expect(restored.list.active.layers.map((layer) => layer.layerId)).toEqual([1])
      expect(
        current()
          .versions('hotline')
          .map((version) => version.version),
      ).toEqual([1, 2])
      expect(
        current()
          .changesAfter(1, 10)
          .map((change) => change.kind),
      ).toEqual(['list', 'list', 'list'])
    })

    it('changes nothing when the version is active already', async () => {
      await put()
      await current().stageVersion('hotline', layers(1), 'anna')
      const { sequence } = await current().activateVersion('hotline', 1, {}, 'anna')
      expect(await current().activateVersion('hotline', 1, {}, 'anna')).toMatchObject({ sequence })
      expect(current().lastSequence()).toBe(sequence)
    })

    it('refuses an activation when another version became active meanwhile', async () => {
      await put()
      await current().stageVersion('hotline', layers(1), 'anna')
      await current().stageVersion('hotline', layers(2), 'boris')
      const both = await Promise.allSettled([
        current().activateVersion('hotline', 1, { expectedActive: 0 }, 'anna'),
        current().activateVersion('hotline', 2, { expectedActive: 0 }, 'boris'),
      ])
      expect(both[0]?.status).toBe('fulfilled')
      expect(both[1]).toMatchObject({ status: 'rejected', reason: { code: 'LIST_CHANGED' } })
    })

    it('refuses unknown lists and versions', async () => {
      await put()
      await expect(current().activateVersion('hotline', 7, {}, 'anna')).rejects.toMatchObject({
        code: 'VERSION_UNKNOWN',
      })
      await expect(current().activateVersion('none', 1, {}, 'anna')).rejects.toMatchObject({ code: 'LIST_UNKNOWN' })
      await expect(current().stageVersion('none', layers(1), 'anna')).rejects.toMatchObject({ code: 'LIST_UNKNOWN' })
      expect(() => current().versions('none')).toThrow('no list')
    })

    it('keeps the newest versions and always the active one', async () => {
      await put()
      await current().stageVersion('hotline', layers(1), 'anna')
      await current().activateVersion('hotline', 1, {}, 'anna')
      for (let layerId = 2; layerId <= VERSIONS_KEPT + 3; layerId++) {
        await current().stageVersion('hotline', layers(layerId), 'anna')
      }
      const kept = current()
        .versions('hotline')
        .map((version) => version.version)
      expect(kept).toHaveLength(VERSIONS_KEPT)
      expect(kept.slice(0, 2)).toEqual([1, 5])
      expect(kept.at(-1)).toBe(VERSIONS_KEPT + 3)
      expect(current().layersInUse()).toEqual(new Set(kept))
      await expect(current().activateVersion('hotline', 2, {}, 'anna')).rejects.toMatchObject({
        code: 'VERSION_UNKNOWN',
      })
    })

    it('drops versions of single entries before those of imports', async () => {
      await current().putList({ name: 'hotline', kind: 'deny', title: '' }, 'anna')
      await current().stageVersion('hotline', { ...layers(1), importId: 'imp-1' }, 'anna')
      for (let layerId = 2; layerId <= VERSIONS_KEPT + 3; layerId++) {
        await current().stageVersion('hotline', layers(layerId), 'anna')
      }
      const kept = current().versions('hotline')
      expect(kept).toHaveLength(VERSIONS_KEPT)
      expect(kept[0]?.importId).toBe('imp-1')
    })

    it('refuses other contents under a layer id that a version or a plan has', async () => {
      const layer = (layerId: number, stamp: number) => ({ layerId, numberCount: 1, rangeCount: 0, stamp })
      const stage = (name: string, ...of: ReturnType<typeof layer>[]) =>
        current().stageVersion(name, { layers: of, entryCount: 1 }, 'anna')
      const plan = { name: 'ru', covers: [], layerId: 8, rangeCount: 3, stamp: 5, asOfMs: NOON_MS, importedMs: NOON_MS }
      const taken = expect.objectContaining({ code: 'LIST_CHANGED' })
      await put()
      await put('white')
      await stage('hotline', layer(7, 1))
      await current().putNumberingPlan(plan, 'anna')
      await expect(stage('white', layer(7, 2))).rejects.toEqual(taken)
      await expect(stage('hotline', layer(9, 1), layer(8, 1))).rejects.toEqual(taken)
      await expect(current().putNumberingPlan({ ...plan, layerId: 7 }, 'anna')).rejects.toEqual(taken)
      await expect(current().putNumberingPlan({ ...plan, stamp: 6 }, 'anna')).rejects.toEqual(taken)
      expect(await stage('hotline', layer(70, 2), layer(7, 1))).toMatchObject({ version: 2 })
      expect(await current().putNumberingPlan(plan, 'anna')).toMatchObject({ plan: { version: 2 } })
    })

    it('gives every layer id out once', async () => {
      const ids = await Promise.all([1, 2, 3].map(() => current().allocateLayer()))
      expect(new Set([...ids, await current().allocateLayer()]).size).toBe(4)
    })
  })
}

export function numberingContract(current: () => RecordStore): void {
  it('keeps the newest numbering plan of a name', async () => {
    const plan = {
      name: 'ru-mobile',
      covers: [{ from: 79000000000, to: 79999999999 }],
      layerId: 5,
      rangeCount: 900,
      asOfMs: NOON_MS,
      importedMs: NOON_MS,
    }
    expect(await current().putNumberingPlan(plan, 'anna')).toMatchObject({ plan: { version: 1 }, sequence: 1 })
    await current().putNumberingPlan({ ...plan, layerId: 6 }, 'anna')
    expect(current().numberingPlans()).toEqual([{ ...plan, layerId: 6, version: 2 }])
    expect(current().layersInUse()).toEqual(new Set([6]))
    expect(current().changesAfter(1, 1)).toMatchObject([{ kind: 'numbering', name: 'ru-mobile', version: 2 }])
  })
}
