import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import {
  createListReaders,
  EXPORT_START,
  type ExportedEntry,
  type ExportPosition,
  type ListReader,
  openListReader,
} from '../../src/services/export-list.ts'
import { createListMembership } from '../../src/services/list-membership.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'
import { type LayerContents, NO_DETAILS, REMOVED } from '../../src/stores/ports.ts'

/** Small numbers, so that ranges overlap and layers meet; the functions under test do not look at their length. */
const BASE = 79160000000
type Row = { from: number; to: number; how: 'plain' | 'reason' | 'removed' }
const row = (isDelta: boolean) =>
  fc.record({
    from: fc.integer({ min: 0, max: 30 }),
    length: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 12 }) },
    ),
    how: fc.constantFrom<Row['how']>(
      ...(isDelta ? (['plain', 'reason', 'removed'] as const) : (['plain', 'reason'] as const)),
    ),
  })
const rows = (isDelta: boolean) =>
  fc.array(row(isDelta), { maxLength: 25 }).map((drawn) => {
    const byKey = new Map(
      drawn.map(({ from, length, how }) => [`${from}-${length}`, { from: BASE + from, to: BASE + from + length, how }]),
    )
    return [...byKey.values()].sort((a, b) => a.from - b.from || a.to - b.to)
  })

function contentsOf(list: readonly Row[]): LayerContents {
  const code = ({ how }: Row) => (how === 'removed' ? REMOVED : how === 'reason' ? 1 : NO_DETAILS)
  const numbers = list.filter(({ from, to }) => from === to)
  const ranges = list.filter(({ from, to }) => from !== to)
  return {
    numbers: Float64Array.from(numbers, ({ from }) => from),
    numberDetails: Uint32Array.from(numbers, code),
    rangesFrom: Float64Array.from(ranges, ({ from }) => from),
    rangesTo: Float64Array.from(ranges, ({ to }) => to),
    rangeDetails: Uint32Array.from(ranges, code),
    dictionary: [{ reason: 'said so' }],
  }
}

/** What the list holds: the delta has the last word about exactly the same number or range. */
function oracle(base: readonly Row[], delta: readonly Row[]): ExportedEntry[] {
  const merged = new Map([...base, ...delta].map((one) => [`${one.from}-${one.to}`, one]))
  return [...merged.values()]
    .filter(({ how }) => how !== 'removed')
    .map(({ from, to, how }) => ({ from, to, details: how === 'reason' ? { reason: 'said so' } : {} }))
    .sort((a, b) => Number(a.from === a.to) - Number(b.from === b.to) || a.from - b.from || a.to - b.to)
}

async function openList(base: readonly Row[], delta: readonly Row[]) {
  const store = createMemoryStore()
  await store.putList({ name: 'list', kind: 'deny', title: '' }, 'test')
  const layers = []
  for (const rowsOfLayer of [delta, base]) {
    const layerId = await store.allocateLayer()
    const contents = contentsOf(rowsOfLayer)
    store.contents.putLayer(layerId, contents)
    layers.push({ layerId, numberCount: contents.numbers.length, rangeCount: contents.rangesFrom.length })
  }
  const { version } = await store.stageVersion('list', { layers, entryCount: oracle(base, delta).length }, 'test')
  await store.activateVersion('list', version, {}, 'test')
  return store
}

describe('a base layer and a delta above it', () => {
  it('are exported as the list they make, in pages of any size, by one reader or by many', async () => {
    await fc.assert(
      fc.asyncProperty(
        rows(false),
        rows(true),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        async (base, delta, size, isFresh) => {
          const store = await openList(base, delta)
          const version = store.list('list')?.active
          if (version === undefined) throw new Error('no version')
          const openReader = createListReaders(store.contents)
          const found: ExportedEntry[] = []
          let position: ExportPosition | undefined = EXPORT_START
          while (position !== undefined) {
            const page: ReturnType<ListReader['read']> = (
              isFresh ? openListReader(version, store.contents) : openReader(version)
            ).read(position, size)
            if (page.next !== undefined) expect(page.rows).toHaveLength(size)
            found.push(...page.rows)
            // Somebody else reads the same version from its start.
            openReader(version).read(EXPORT_START, size)
            position = page.next
          }
          expect(found).toEqual(oracle(base, delta))
        },
      ),
    )
  })

  it('cover exactly the numbers that their entries cover', async () => {
    await fc.assert(
      fc.asyncProperty(rows(false), rows(true), async (base, delta) => {
        const store = await openList(base, delta)
        const membership = createListMembership({ store, contents: store.contents })
        for (let offset = 0; offset < 45; offset++) {
          const number = (BASE + offset) as PhoneNumber
          const expected = oracle(base, delta).filter(({ from, to }) => from <= number && number <= to)
          const found = membership.of(number, 0).map(({ from, to, details }) => ({ from, to, details }))
          const order = (a: { from: number; to: number }, b: { from: number; to: number }) =>
            a.from - b.from || a.to - b.to
          expect(found.sort(order)).toEqual([...expected].sort(order))
        }
      }),
    )
  })
})
