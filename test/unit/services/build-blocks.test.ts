import { describe, expect, it } from 'vitest'
import { blockHarmOf, describeBlockHarm } from '../../../src/services/block-harm.ts'
import { createBlockBuilder } from '../../../src/services/build-blocks.ts'
import { blockHarm, blockTableLoad, createBlockTable, openBlockTable } from '../../../src/shm/block-table.ts'
import { createReputations, type Reputations } from '../../support/reputations.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')
const FIRST = 79_160_000_000

function builderOf(store: Reputations, capacity = 65_536) {
  const failures: unknown[] = []
  const table = openBlockTable(createBlockTable(capacity, NOW))
  const builder = createBlockBuilder({ store, table, onFailure: (error) => failures.push(error) })
  const strength = (number: number) => blockHarm(table, number, 0, NOW, store.reputationOf(number as never))
  return { builder, table, failures, strength }
}

describe('the block builder', () => {
  it('reads more reputations than one page holds, with blocks that lie across pages', async () => {
    const store = createReputations()
    for (let i = 0; i < 10_000; i++) store.report(FIRST + i * 3, NOW)
    const { builder, strength, failures } = builderOf(store)
    await builder.start()
    expect(failures).toEqual([])
    for (const number of [FIRST, FIRST + 12_287, FIRST + 12_500, FIRST + 24_600, FIRST + 29_999]) {
      expect(strength(number)).toBe(blockHarmOf(store, number, 0, NOW))
      expect(strength(number)).toBeGreaterThan(0)
    }
  })

  it('leaves the event loop its turns', async () => {
    const store = createReputations()
    for (let i = 0; i < 10_000; i++) store.report(FIRST + i * 3, NOW)
    const { builder } = builderOf(store)
    const readsByTurn: number[] = []
    let done = false
    const started = builder.start().then(() => {
      done = true
    })
    while (!done) {
      const before = store.reads
      await new Promise((resolve) => setImmediate(resolve))
      readsByTurn.push(store.reads - before)
    }
    await started
    expect(Math.max(...readsByTurn)).toBeLessThanOrEqual(2_048)
    expect(readsByTurn.filter((reads) => reads > 0).length).toBeGreaterThanOrEqual(5)
  })

  it('reads a block once, however many changes of it are said in one turn', async () => {
    const store = createReputations()
    const { builder, strength } = builderOf(store)
    for (let i = 0; i < 100; i++) {
      store.report(FIRST + i, NOW)
      builder.changed(FIRST + i)
    }
    await builder.settled()
    expect(store.reads).toBe(100)
    expect(strength(FIRST + 500)).toBe(blockHarmOf(store, FIRST + 500, 0, NOW))
  })

  it('reads everything again when more blocks change than it remembers', async () => {
    const store = createReputations()
    for (let i = 0; i < 3; i++) store.report(FIRST + i * 1_000_000, NOW)
    const { builder, table } = builderOf(store)
    for (let i = 0; i <= 65_537; i++) builder.changed(FIRST + i * 1_000)
    await builder.settled()
    expect(blockTableLoad(table).entries).toBe(12)
    // 65,536 blocks read one by one would ask the store as often.
    expect(store.reads).toBe(3)
  })

  it('hands on that the record cannot be read, and goes on with the next change', async () => {
    const store = createReputations()
    store.report(FIRST, NOW)
    let isBroken = true
    const broken = {
      ...store,
      readReputationNumbers(after: number, into: Float64Array) {
        if (isBroken) throw new Error('No disk.')
        return store.readReputationNumbers(after, into)
      },
    }
    const { builder, failures, strength } = builderOf(broken)
    await builder.start()
    expect(failures).toEqual([new Error('No disk.')])
    isBroken = false
    builder.changed(FIRST)
    await builder.settled()
    expect(strength(FIRST + 1)).toBeGreaterThan(0)
  })

  it('does nothing after it was closed', async () => {
    const store = createReputations()
    store.report(FIRST, NOW)
    const { builder, table } = builderOf(store)
    const started = builder.start()
    builder.close()
    builder.changed(FIRST)
    await started
    expect(blockTableLoad(table).entries).toBe(0)
  })

  it('keeps no block of short codes', async () => {
    const store = createReputations()
    for (const code of [1_112, 1_101, 10_890]) store.report(code, NOW)
    const { builder, table } = builderOf(store)
    await builder.start()
    builder.changed(1_112)
    await builder.settled()
    expect(blockTableLoad(table).entries).toBe(0)
    expect(blockHarmOf(store, 1_112, 0, NOW)).toBe(0)
  })
})

describe('the description of a strength', () => {
  it('has the harm of every block and the own one', () => {
    const store = createReputations()
    for (const number of [FIRST + 1, FIRST + 3, FIRST + 30, FIRST + 300, FIRST + 3_000]) store.report(number, NOW)
    const counts = 1 - Math.exp(-1)
    const described = describeBlockHarm(store, FIRST + 3, 0, NOW)
    expect(described.blocks.map(({ size }) => size)).toEqual([10, 100, 1_000, 10_000])
    for (const [index, count] of [2, 3, 4, 5].entries()) {
      expect(described.blocks[index]?.harm).toBeCloseTo(count * counts, 5)
    }
    expect(described).toMatchObject({ ownHarm: 1, ownGood: 0, strength: blockHarmOf(store, FIRST + 3, 0, NOW) })
  })

  it('is empty where no number of the 1,000 is reported', () => {
    const store = createReputations()
    store.report(FIRST, NOW)
    expect(describeBlockHarm(store, FIRST + 1_000, 0, NOW)).toEqual({ strength: 0, blocks: [], ownHarm: 0, ownGood: 0 })
  })
})
