import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { createImportWorld } from '../support/import-world.ts'

const FIRST = 79160000000
/** Enough that a few entries stay a delta above them. */
const BASE_ROWS = 400

const index = fc.nat({ max: 30 })
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), index }),
  fc.record({ kind: fc.constant('remove' as const), index }),
  fc.record({ kind: fc.constant('restore' as const), index }),
)
const steps = fc.array(step, { maxLength: 6 })

const entry = (index: number) => {
  const number = (FIRST + index) as PhoneNumber
  return { from: number, to: number, details: { reason: 'entry' } }
}
const lines = (indexes: readonly number[]) => indexes.map((index) => `+${FIRST + index}\n`).join('')
const filler = Array.from({ length: BASE_ROWS }, (_, i) => 1_000 + i)
const bulk = Array.from({ length: BASE_ROWS }, (_, i) => 5_000 + i)

describe('an import that is overtaken by entries and restores', () => {
  it('changes the rows it names and no others, however it becomes active', async () => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        steps,
        fc.constantFrom('append' as const, 'remove' as const),
        fc.array(index, { maxLength: 10 }),
        fc.boolean(),
        async (before, meanwhile, mode, named, isBig) => {
          const world = createImportWorld({ options: { heldRemovedShare: 1 } })
          const run = async ({ kind, index }: (typeof before)[number]) => {
            if (kind === 'add') await world.imports.addEntries('bad', [entry(index)], 'test')
            else if (kind === 'remove') await world.imports.removeEntries('bad', [entry(index)], 'test')
            else {
              const versions = world.store.versions('bad')
              const { version = 1 } = versions[index % versions.length] ?? {}
              await world.store.activateVersion('bad', version, {}, 'test')
            }
          }
          try {
            await world.createList('bad')
            await world.import('bad', lines([0, 1, 2, 3, 4, 5, ...filler]))
            for (const one of before) await run(one)
            const built = world.reasons('bad')
            let overtaken: Record<string, string> = {}
            world.afterJob = async (job) => {
              if (job.kind !== 'stage-import') return
              world.afterJob = () => {}
              for (const one of meanwhile) await run(one)
              overtaken = world.reasons('bad')
            }
            // Many rows make a new base, which entries are laid over; a few make a delta, which is built again.
            const uploaded = [...named, ...(isBig ? bulk : [9_999])]
            const record = await world.import('bad', lines(uploaded), { mode })
            expect(record.state).toBe('active')
            const rows = new Set(uploaded.map((index) => String(FIRST + index)))
            const others = (contents: readonly string[]) => contents.filter((row) => !rows.has(row))
            expect(others(world.contents('bad'))).toEqual(others(Object.keys(overtaken).sort()))
            // Of a row that both name, whoever came later has the word.
            const touched = new Set(meanwhile.map(({ index }) => String(FIRST + index)))
            for (const row of rows) if (built[row] !== overtaken[row]) touched.add(row)
            const after = new Set(world.contents('bad'))
            const untouched = [...rows].filter((row) => !touched.has(row))
            expect(untouched.map((row) => after.has(row))).toEqual(untouched.map(() => mode === 'append'))
            expect(world.store.list('bad')?.active.entryCount).toBe(after.size)
            expect(world.faults).toEqual([])
          } finally {
            world.remove()
          }
        },
      ),
      { numRuns: 150 },
    )
  }, 120_000)
})
