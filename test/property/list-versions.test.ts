import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ImportMode } from '../../src/domain/import.ts'
import { createImportWorld } from '../support/import-world.ts'

/** Row of a list file to the reason it stands for: the whole truth about a list. */
type Model = Map<string, string>

const ROWS_PER_BASE = 400

const row = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 999 }).map((n) => `+79160000${String(n).padStart(3, '0')}`) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 1, max: 3 }))
      .map(([n, length]) => `+7917000${n}000-+7917000${n}00${length}`),
  },
)
const upload = fc.array(fc.tuple(row, fc.constantFrom('', '', 'fraud', 'spam')), { minLength: 1, maxLength: 40 })
const change = fc.record({
  mode: fc.constantFrom<ImportMode>('append', 'append', 'remove', 'replace'),
  rows: upload,
  isBig: fc.boolean(),
})

/** The row that says more stands; of those that say something, the last. */
function fold(rows: readonly (readonly [string, string])[]): Model {
  const folded: Model = new Map()
  for (const [text, reason] of rows) if (reason !== '' || !folded.has(text)) folded.set(text, reason)
  return folded
}

function applied(before: Model, mode: ImportMode, uploaded: Model): Model {
  if (mode === 'replace') return uploaded
  const after = new Map(before)
  for (const [text, reason] of uploaded) {
    if (mode === 'remove') after.delete(text)
    else after.set(text, reason)
  }
  return after
}

function keyOf(text: string): string {
  return text.replaceAll('+', '')
}

describe('versions of a list', () => {
  it('hold what a map holds, whatever is appended, removed, replaced and restored', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 6 }), fc.nat(), async (steps, pick) => {
        const world = createImportWorld({ options: { heldRemovedShare: 1 } })
        try {
          await world.createList('bad')
          const filler = Array.from(
            { length: ROWS_PER_BASE },
            (_, i) => [`+7915${String(i).padStart(7, '0')}`, ''] as const,
          )
          let model: Model = new Map()
          const versions = new Map<number, Model>([])
          for (const { mode, rows, isBig } of steps) {
            const all = isBig && mode !== 'remove' ? [...filler, ...rows] : rows
            const uploaded = fold(all)
            const after = applied(model, mode, uploaded)
            const content = all.map((cells) => `${cells.join(',')}\n`).join('')
            const begun = await world.import('bad', content, { mode })
            // Only what empties the list waits for somebody here.
            const record = begun.state === 'held' ? await world.imports.activate(begun.importId, 'second') : begun
            const kept = [...model.keys()].filter((text) => after.has(text))
            expect([begun.state, record.problem]).toEqual([
              after.size === 0 && model.size > 0 ? 'held' : 'active',
              undefined,
            ])
            expect(record.counts).toEqual({
              rows: all.length,
              accepted: all.length,
              rejected: 0,
              duplicates: all.length - uploaded.size,
              added: after.size - kept.length,
              removed: model.size - kept.length,
              unchanged: kept.length,
              updated: kept.filter((text) => after.get(text) !== model.get(text)).length,
            })
            model = after
            versions.set(record.version ?? 0, model)
            expect(world.contents('bad')).toEqual([...model.keys()].map(keyOf).sort())
            expect(world.reasons('bad')).toEqual(
              Object.fromEntries([...model].map(([text, why]) => [keyOf(text), why])),
            )
            expect(world.store.list('bad')?.active.entryCount).toBe(model.size)
          }
          const [version = 0, restored = new Map<string, string>()] = [...versions][pick % versions.size] ?? []
          await world.store.activateVersion('bad', version, {}, 'test')
          expect(world.contents('bad')).toEqual([...restored.keys()].map(keyOf).sort())
          expect(world.faults).toEqual([])
        } finally {
          world.remove()
        }
      }),
      { numRuns: 60 },
    )
  }, 120_000)
})
