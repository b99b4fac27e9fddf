import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ENTRY_ABSENT, ENTRY_PRESENT } from '../../src/domain/lookup.ts'
import type { EntryDetails } from '../../src/domain/number-list.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { LayerRow } from '../../src/stores/layer-rows.ts'
import { type LayerContents, type ListContents, NO_DETAILS, REMOVED } from '../../src/stores/ports.ts'
import { numbersOnly, type OpenedContents } from './list-contents.contract.ts'

/** Layers with and without details, expiries, ranges and removed marks, the empty one among them. */
export function layerContents(numbersMax = 3_000): fc.Arbitrary<LayerContents> {
  const text = fc.string({ maxLength: 20 })
  const details: fc.Arbitrary<EntryDetails> = fc.record(
    { reason: text, source: text, expiresMs: fc.integer({ min: 1, max: 2_000_000_000_000 }) },
    { requiredKeys: [] },
  )
  return fc
    .record({
      values: fc.uniqueArray(fc.integer({ min: 1, max: 999_999_999_999_999 }), { maxLength: numbersMax }),
      starts: fc.uniqueArray(fc.integer({ min: 1, max: 999_999_999_999 }), { maxLength: 50 }),
      dictionary: fc.array(details, { maxLength: 600 }),
      hasDetails: fc.boolean(),
      seed: fc.nat(),
    })
    .map(({ values, starts, dictionary, hasDetails, seed }) => {
      const numbers = Float64Array.from(values.sort((a, b) => a - b))
      const rangesFrom = Float64Array.from(starts.sort((a, b) => a - b))
      const idOf = (index: number) => {
        const pick = (Math.imul(index + seed, 0x9e3779b1) >>> 0) % (dictionary.length + 2)
        return pick === dictionary.length + 1 ? REMOVED : pick
      }
      return {
        numbers,
        ...(hasDetails ? { numberDetails: Uint32Array.from(numbers, (_, index) => idOf(index)) } : {}),
        rangesFrom,
        rangesTo: rangesFrom.map((from, index) => from + 1 + index),
        ...(hasDetails ? { rangeDetails: Uint32Array.from(rangesFrom, (_, index) => idOf(index + 7)) } : {}),
        dictionary: hasDetails ? dictionary : [],
      }
    })
}

/** Everything that can be read of a layer, as data to compare. */
export function readLayer(contents: ListContents, layerId: number): unknown {
  const stored = contents.layer(layerId)
  if (stored === undefined) return undefined
  const numbers = new Float64Array(stored.numberCount + 1)
  const details = new Uint32Array(stored.numberCount + 1)
  const count = contents.readNumbers(layerId, 0, numbers, details)
  const sample = [...numbers.subarray(0, count)].filter((_, index) => index % 97 === 0)
  return {
    stored,
    numbers: [...numbers.subarray(0, count)],
    details: [...details.subarray(0, count)],
    ranges: contents.readRanges(layerId),
    dictionary: contents.dictionary(layerId),
    entries: sample.map((number) => contents.entry(layerId, number as PhoneNumber)),
  }
}

export function layerRowsContract(current: () => OpenedContents): void {
  const copy = (from: number, to: number, change: (rows: LayerRow[]) => LayerRow[] = (rows) => rows) => {
    const { contents } = current()
    const shape = contents.layer(from)
    if (shape === undefined) throw new Error('The layer to copy is not there.')
    const writer = contents.writeLayerRows(to, shape)
    try {
      for (const row of change([...contents.layerRows(from)])) writer.write(row)
      writer.finish()
    } catch (error) {
      writer.abandon()
      throw error
    }
  }
  const damaged = expect.objectContaining({ code: 'RECORD_DAMAGED' })

  it('knows what a layer counts and its stamp, and nothing of others', () => {
    const { contents } = current()
    contents.putLayer(1, numbersOnly([100, 200]), { stamp: 7 })
    contents.putLayer(2, numbersOnly([]))
    const counts = { numberCount: 2, rangeCount: 0, blockCount: 1, dictionaryCount: 0 }
    expect(contents.layer(1)).toEqual({ ...counts, stamp: 7 })
    expect(contents.layer(2)).toEqual({ ...counts, numberCount: 0, blockCount: 0 })
    expect(contents.layer(3)).toBeUndefined()
    expect(() => [...contents.layerRows(3)]).toThrow('not stored')
  })

  it('gives any layer as rows and takes it back from them', () => {
    const { contents } = current()
    fc.assert(
      fc.property(layerContents(), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (given, stamp) => {
        contents.putLayer(1, given, stamp === 0 ? {} : { stamp })
        copy(1, 2)
        expect(readLayer(contents, 2)).toEqual(readLayer(contents, 1))
      }),
      { numRuns: 20 },
    )
  })

  it('replaces a layer, and look-ups see the new one at once', () => {
    const { contents, lookup } = current()
    const dense = Float64Array.from({ length: 5_000 }, (_, index) => 1_000 + index)
    const sparse = dense.map((number, index) => 1_000 + index * 10 + (number % 2))
    contents.putLayer(1, numbersOnly(sparse), { stamp: 2 })
    contents.putLayer(2, numbersOnly(dense), { stamp: 1 })
    expect(lookup.entry(2, 5_999 as PhoneNumber, 0)).toBe(ENTRY_PRESENT)
    copy(1, 2)
    expect(lookup.entry(2, 5_999 as PhoneNumber, 0)).toBe(ENTRY_ABSENT)
    for (const number of sparse) expect(lookup.entry(2, number as PhoneNumber, 0)).toBe(ENTRY_PRESENT)
    expect(contents.layer(2)).toEqual(contents.layer(1))
  })

  it('is not there before it is finished, and not after it is abandoned', () => {
    const { contents } = current()
    contents.putLayer(1, numbersOnly(Array.from({ length: 400_000 }, (_, index) => 1 + index * 2)), { stamp: 9 })
    const writer = contents.writeLayerRows(2, contents.layer(1) ?? expect.unreachable())
    for (const row of contents.layerRows(1)) writer.write(row)
    expect(contents.layer(2)).toBeUndefined()
    expect(contents.entry(2, 1 as PhoneNumber)).toBeUndefined()
    writer.abandon()
    expect(contents.layerIds()).toEqual([1])
  })

  const flip = (at: number, value: number) => (rows: LayerRow[]) => {
    rows[0]?.bytes.writeUInt8(value, at)
    return rows
  }
  it.each<[string, (rows: LayerRow[]) => LayerRow[]]>([
    ['without its last row', (rows) => rows.slice(0, -1)],
    ['with its rows in another order', (rows) => rows.reverse()],
    ['with a row twice', ([first, ...rows]) => (first ? [first, first, ...rows] : [])],
    ['with another format', flip(0, 9)],
    ['with unknown flags', flip(1, 8)],
    ['with another count', flip(2, 1)],
    ['with another stamp', flip(4, 1)],
    ['with a fraction as its first number', flip(8, 1)],
    ['with numbers that do not ascend', flip(20, 0)],
    ['with details that are not there', (rows) => flip(16 + 4 * 1_008, 200)(rows)],
    [
      'with a row cut short',
      ([first, ...rows]) => (first ? [{ ...first, bytes: first.bytes.subarray(0, 99) }, ...rows] : []),
    ],
    ['with an empty row', ([first, ...rows]) => (first ? [{ ...first, bytes: Buffer.alloc(0) }, ...rows] : [])],
    ['with more than it says', (rows) => [...rows, { part: 'dictionary', bytes: Buffer.from('\u0001[{}]') }]],
    [
      'with details that are no JSON',
      (rows) => [...rows.slice(0, -1), { part: 'dictionary', bytes: Buffer.from('\u0001[{') }],
    ],
  ])('refuses a layer %s', (_, change) => {
    const { contents } = current()
    const numbers = Float64Array.from({ length: 2_500 }, (_, index) => 79_160_000_000 + index)
    const numberDetails = Uint32Array.from(numbers, (_, index) => (index % 5 === 0 ? 1 : NO_DETAILS))
    const rangesFrom = Float64Array.of(1_000)
    const rangesTo = Float64Array.of(2_000)
    const dictionary = [{ reason: 'spam' }]
    contents.putLayer(1, { numbers, numberDetails, rangesFrom, rangesTo, dictionary }, { stamp: 77 })
    expect(() => copy(1, 2, change)).toThrow(damaged)
    expect(contents.layerIds()).toEqual([1])
    copy(1, 2)
    expect(readLayer(contents, 2)).toEqual(readLayer(contents, 1))
  })
}
