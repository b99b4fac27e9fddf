import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ENTRY_ABSENT,
  ENTRY_EXPIRED,
  ENTRY_PRESENT,
  ENTRY_REMOVED,
  EXPIRES_NEVER,
  EXPIRES_REMOVED,
  type NumberLookup,
} from '../../src/domain/lookup.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { type LayerContents, type ListContents, NO_DETAILS, REMOVED } from '../../src/stores/ports.ts'
import { layerRowsContract } from './layer-rows.contract.ts'

export type OpenedContents = { contents: ListContents; lookup: NumberLookup; close: () => Promise<void> }

const NONE = new Float64Array(0)
const number = (value: number) => value as PhoneNumber

export function numbersOnly(numbers: Iterable<number>): LayerContents {
  return { numbers: Float64Array.from(numbers), rangesFrom: NONE, rangesTo: NONE, dictionary: [] }
}

/** What everything that keeps list contents does. `open` gives a new, empty one each time, and a look-up over it. */
export function listContentsContract(name: string, open: () => Promise<OpenedContents>): void {
  describe(`${name} as ListContents`, () => {
    let opened: OpenedContents
    beforeEach(async () => {
      opened = await open()
    })
    afterEach(() => opened.close())

    layerContract(() => opened)
    layerRowsContract(() => opened)
    lookupContract(() => opened)
  })
}

function readAll(contents: ListContents, layerId: number, page: number): [number, number][] {
  const into = new Float64Array(page)
  const details = new Uint32Array(page)
  const rows: [number, number][] = []
  for (;;) {
    const count = contents.readNumbers(layerId, rows.at(-1)?.[0] ?? 0, into, details)
    for (let index = 0; index < count; index++) rows.push([into[index]!, details[index]!])
    if (count < page) return rows
  }
}

function layerContract(current: () => OpenedContents): void {
  it('reads back numbers in pages, whatever their distances', () => {
    const { contents } = current()
    let layerId = 0
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 999_999_999_999_999 }), { maxLength: 3_000 }),
        fc.integer({ min: 1, max: 2_000 }),
        (unsorted, page) => {
          const numbers = unsorted.sort((a, b) => a - b)
          const numberDetails = Uint32Array.from(numbers, (_, index) => (index % 3 === 0 ? REMOVED : NO_DETAILS))
          contents.putLayer(++layerId, { ...numbersOnly(numbers), numberDetails })
          expect(readAll(contents, layerId, page)).toEqual(numbers.map((value, index) => [value, numberDetails[index]]))
          contents.dropLayer(layerId)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('reads numbers after any point, without details when nobody wants them', () => {
    const { contents } = current()
    contents.putLayer(1, numbersOnly(Array.from({ length: 5_000 }, (_, index) => 10 + index * 10)))
    const two = new Float64Array(2)
    for (const [after, expected] of [
      [0, [10, 20]],
      [10, [20, 30]],
      [15, [20, 30]],
      [10_080, [10_090, 10_100]],
      [49_990, [50_000]],
      [50_000, []],
    ] as const) {
      expect([...two.subarray(0, contents.readNumbers(1, after, two))]).toEqual(expected)
    }
    expect(contents.readNumbers(1, 0, NONE)).toBe(0)
  })

  it('keeps the details of numbers and ranges', () => {
    const { contents } = current()
    const dictionary = Array.from({ length: 600 }, (_, index) => ({ reason: `reason ${index}`, source: '611' }))
    contents.putLayer(7, {
      numbers: Float64Array.of(100, 200, 300, 400),
      numberDetails: Uint32Array.of(1, NO_DETAILS, REMOVED, 600),
      rangesFrom: Float64Array.of(1_000, 1_000, 5_000),
      rangesTo: Float64Array.of(1_999, 2_999, 5_001),
      rangeDetails: Uint32Array.of(NO_DETAILS, 257, REMOVED),
      dictionary,
    })
    expect(contents.entry(7, number(100))).toEqual({ removed: false, details: dictionary[0] })
    expect(contents.entry(7, number(200))).toEqual({ removed: false, details: {} })
    expect(contents.entry(7, number(300))).toEqual({ removed: true, details: {} })
    expect(contents.entry(7, number(400))).toEqual({ removed: false, details: dictionary[599] })
    for (const absent of [1, 99, 101, 350, 401, 1_500]) expect(contents.entry(7, number(absent))).toBeUndefined()
    expect(contents.dictionary(7)).toEqual(dictionary)
    const ranges = contents.readRanges(7)
    expect([...ranges.rangesFrom]).toEqual([1_000, 1_000, 5_000])
    expect([...ranges.rangesTo]).toEqual([1_999, 2_999, 5_001])
    expect([...(ranges.rangeDetails ?? [])]).toEqual([NO_DETAILS, 257, REMOVED])
    expect(ranges.dictionary).toEqual(dictionary)
    expect(ranges.numbers).toHaveLength(0)
  })

  it('says when numbers expire, in pages', () => {
    const { contents } = current()
    const numbers = Float64Array.from({ length: 2_500 }, (_, index) => 10 + index)
    // The first blocks have nothing beside the number, those after them all there is.
    const numberDetails = numbers.map((_, index) => (index < 1_100 ? NO_DETAILS : index % 4))
    const codes = Uint32Array.from(numberDetails, (code) => (code === 3 ? REMOVED : code))
    const dictionary = [{ expiresMs: 7_000 }, { reason: 'no end' }]
    contents.putLayer(1, { ...numbersOnly(numbers), numberDetails: codes, dictionary })
    const expected = [EXPIRES_NEVER, 7_000, EXPIRES_NEVER, EXPIRES_REMOVED]
    const into = new Float64Array(300)
    const expires = new Float64Array(300)
    const seen: number[] = []
    for (let after = 0; ; after = into[299] ?? 0) {
      const count = contents.readExpiries(1, after, into, expires)
      seen.push(...expires.subarray(0, count))
      if (count < 300) break
    }
    expect(seen).toEqual(Array.from(numberDetails, (code) => expected[code]))
    expect(() => contents.readExpiries(2, 0, into, expires)).toThrow('not stored')
  })

  it('keeps more ranges than one stored chunk holds', () => {
    const { contents } = current()
    const rangesFrom = Float64Array.from({ length: 25_001 }, (_, index) => 1_000_000 + index * 100)
    const rangesTo = rangesFrom.map((from) => from + 9)
    contents.putLayer(1, { numbers: NONE, rangesFrom, rangesTo, dictionary: [] })
    const ranges = contents.readRanges(1)
    expect(ranges.rangesFrom).toEqual(rangesFrom)
    expect(ranges.rangesTo).toEqual(rangesTo)
    expect(contents.readNumbers(1, 0, new Float64Array(1))).toBe(0)
  })

  it('keeps an empty layer', () => {
    const { contents } = current()
    contents.putLayer(1, numbersOnly([]))
    expect(contents.layerIds()).toEqual([1])
    expect(readAll(contents, 1, 10)).toEqual([])
    expect(contents.entry(1, number(100))).toBeUndefined()
  })

  it('keeps layers apart and drops them one by one', () => {
    const { contents } = current()
    for (const layerId of [3, 1, 2]) contents.putLayer(layerId, numbersOnly([layerId * 100]))
    expect(contents.layerIds()).toEqual([1, 2, 3])
    contents.dropLayer(2)
    contents.dropLayer(9)
    expect(contents.layerIds()).toEqual([1, 3])
    expect(contents.entry(2, number(200))).toBeUndefined()
    expect(() => contents.readNumbers(2, 0, new Float64Array(1))).toThrow('not stored')
    expect(() => contents.readRanges(2)).toThrow('not stored')
    expect(contents.dictionary(2)).toEqual([])
    expect(readAll(contents, 3, 10)).toEqual([[300, NO_DETAILS]])
  })

  it('replaces a layer that is written again', () => {
    const { contents } = current()
    contents.putLayer(1, numbersOnly(Array.from({ length: 3_000 }, (_, index) => 1 + index)))
    contents.putLayer(1, numbersOnly([5_000]))
    expect(readAll(contents, 1, 10)).toEqual([[5_000, NO_DETAILS]])
  })

  it('reports progress that rises to 1', () => {
    const shares: number[] = []
    current().contents.putLayer(1, numbersOnly(Array.from({ length: 200_000 }, (_, index) => index + 1)), {
      onProgress: (share) => shares.push(share),
    })
    expect(shares.at(-1)).toBe(1)
    expect(shares).toEqual([...shares].sort((a, b) => a - b))
  })
}

function lookupContract(current: () => OpenedContents): void {
  it('answers a look-up as the entries say', () => {
    const { contents, lookup } = current()
    contents.putLayer(4, {
      numbers: Float64Array.of(100, 200, 300, 400),
      numberDetails: Uint32Array.of(NO_DETAILS, REMOVED, 1, 2),
      rangesFrom: Float64Array.of(1_000),
      rangesTo: Float64Array.of(1_999),
      dictionary: [{ expiresMs: 5_000 }, { reason: 'for ever' }],
    })
    expect(lookup.entry(4, number(100), 9_000)).toBe(ENTRY_PRESENT)
    expect(lookup.entry(4, number(200), 9_000)).toBe(ENTRY_REMOVED)
    expect(lookup.entry(4, number(300), 5_000)).toBe(ENTRY_PRESENT)
    expect(lookup.entry(4, number(300), 5_001)).toBe(ENTRY_EXPIRED)
    expect(lookup.entry(4, number(400), 9_000)).toBe(ENTRY_PRESENT)
    for (const absent of [1, 150, 401, 1_500]) expect(lookup.entry(4, number(absent), 0)).toBe(ENTRY_ABSENT)
    expect(lookup.entry(5, number(100), 0)).toBe(ENTRY_ABSENT)
  })

  it('sees a layer as soon as it is written, and not after it is dropped', () => {
    const { contents, lookup } = current()
    expect(lookup.entry(1, number(100), 0)).toBe(ENTRY_ABSENT)
    contents.putLayer(1, numbersOnly([100]))
    expect(lookup.entry(1, number(100), 0)).toBe(ENTRY_PRESENT)
    contents.dropLayer(1)
    expect(lookup.entry(1, number(100), 0)).toBe(ENTRY_ABSENT)
  })

  it('agrees with a Set on every number near those of a layer', () => {
    const { contents, lookup } = current()
    let layerId = 0
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 2, max: 999_999_999_999_990 }), { maxLength: 2_500 }), (values) => {
        const listed = new Set(values)
        contents.putLayer(++layerId, numbersOnly([...listed].sort((a, b) => a - b)))
        for (const value of listed) {
          for (const near of [value - 1, value, value + 1]) {
            expect(lookup.entry(layerId, number(near), 0)).toBe(listed.has(near) ? ENTRY_PRESENT : ENTRY_ABSENT)
          }
        }
      }),
      { numRuns: 10 },
    )
  })
}
