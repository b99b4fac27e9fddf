import { describe, expect, it } from 'vitest'
import type { RecordStore } from '../../src/stores/ports.ts'
import { POLICY } from '../support/sample-policy.ts'
import { NOON_MS, type OpenRecordStore, report } from './record-store.contract.ts'

/** The change log, the audit log and the documents of every record store. */
export function logContract(name: string, open: OpenRecordStore): void {
  const using = (
    use: (store: RecordStore) => Promise<void>,
    options: { changesKept?: number; auditKept?: number } = {},
  ) => {
    return async () => {
      const store = await open({ now: () => NOON_MS, ...options })
      try {
        await use(store)
      } finally {
        await store.close()
      }
    }
  }

  describe(`${name} as a change log`, () => {
    it(
      'numbers changes without gaps, also under concurrent writes that fail',
      using(async (store) => {
        await store.appendReport(report('r0'), 'agent')
        const writes = Array.from({ length: 50 }, (_, index) =>
          index % 5 === 0
            ? store.activateVersion('none', 1, {}, 'agent')
            : store.appendReport(report(`r${index}`, { weight: 0.5 }), 'agent'),
        )
        const failed = (await Promise.allSettled(writes)).filter((write) => write.status === 'rejected')
        expect(failed).toHaveLength(10)
        expect(store.changesAfter(0, 100).map((change) => change.sequence)).toEqual(
          Array.from({ length: 41 }, (_, index) => index + 1),
        )
        expect(store.lastSequence()).toBe(41)
      }),
    )

    it(
      'hands out pages',
      using(async (store) => {
        for (let index = 0; index < 5; index++) await store.putPolicy({ text: '', document: POLICY }, {}, 'anna')
        expect(store.changesAfter(2, 2).map((change) => change.sequence)).toEqual([3, 4])
        expect(store.changesAfter(5, 2)).toEqual([])
        expect(store.changesAfter(3, 0)).toEqual([])
      }),
    )

    it(
      'is empty at first',
      using(async (store) => {
        expect([store.lastSequence(), store.oldestSequence(), store.changesAfter(0, 10)]).toEqual([0, 0, []])
      }),
    )

    it(
      'keeps as many changes as it promises and tells a follower that comes too late',
      using(
        async (store) => {
          for (let index = 0; index < 5; index++) await store.appendReport(report(`r${index}`), 'agent')
          expect([store.oldestSequence(), store.lastSequence()]).toEqual([3, 5])
          expect(store.changesAfter(2, 10)).toHaveLength(3)
          expect(() => store.changesAfter(1, 10)).toThrow(expect.objectContaining({ code: 'CHANGES_TRIMMED' }))
        },
        { changesKept: 3 },
      ),
    )
  })

  describe(`${name} as an audit log`, () => {
    it(
      'reads newest first, in pages',
      using(async (store) => {
        for (const subject of ['a', 'b', 'c']) {
          await store.appendAudit({ action: 'key.use', subject, detail: { attempts: 2 } }, 'anna')
        }
        expect(store.audit(2).map((entry) => entry.subject)).toEqual(['c', 'b'])
        const before = store.audit(2).at(-1)?.sequence
        expect(store.audit(5, before)).toEqual([
          { sequence: 1, atMs: NOON_MS, actor: 'anna', action: 'key.use', subject: 'a', detail: { attempts: 2 } },
        ])
        expect(store.lastSequence()).toBe(0)
      }),
    )

    it(
      'keeps as many entries as it promises',
      using(
        async (store) => {
          for (let index = 0; index < 4; index++) await store.appendAudit({ action: 'a', subject: `${index}` }, 'anna')
          expect(store.audit(10).map((entry) => entry.subject)).toEqual(['3', '2'])
        },
        { auditKept: 2 },
      ),
    )

    it(
      'refuses a write without a proper actor, and writes nothing',
      using(async (store) => {
        await expect(store.appendAudit({ action: 'a', subject: 'b' }, '')).rejects.toThrow('actor')
        await expect(store.appendAudit({ action: 'a', subject: 'b' }, 'x'.repeat(65))).rejects.toThrow('actor')
        await store.appendAudit({ action: 'a', subject: 'b' }, 'x'.repeat(64))
        expect(store.audit(10)).toHaveLength(1)
      }),
    )

    it(
      'never holds a phone number',
      using(async (store) => {
        await store.appendReport(report('r1'), 'agent')
        await store.openReview({ number: report('r1').number, cause: 'reported', score: 10, atMs: 1 }, 'system')
        expect(JSON.stringify(store.audit(10))).not.toMatch(/79160000002/)
      }),
    )
  })

  describe(`${name} as a document store`, () => {
    it(
      'keeps, replaces, lists and deletes documents by key',
      using(async (store) => {
        await store.putDocument('imports', 'b', { state: 'queued' })
        await store.putDocument('imports', 'a', { state: 'active', counts: { rows: 3 } })
        await store.putDocument('imports', 'b', { state: 'parsing' })
        await store.putDocument('idempotency', 'a', 'other space')
        expect(store.document('imports', 'b')).toEqual({ state: 'parsing' })
        expect(store.documents('imports', 10)).toEqual([
          { key: 'a', document: { state: 'active', counts: { rows: 3 } } },
          { key: 'b', document: { state: 'parsing' } },
        ])
        expect(store.documents('imports', 1)).toHaveLength(1)
        await store.putDocument('imports', 'a', undefined)
        expect(store.document('imports', 'a')).toBeUndefined()
        expect(store.document('idempotency', 'a')).toBe('other space')
      }),
    )
  })
}
