import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { DECISION_RECORD_BYTES } from '../../src/domain/decision-record.ts'
import { runSteps } from '../../src/domain/run-steps.ts'
import { createBlockTable, openBlockTable } from '../../src/shm/block-table.ts'
import { writeThousand } from '../../src/shm/block-table-writer.ts'
import { counterIndex, createCounters, sumCounters } from '../../src/shm/counters.ts'
import { createDecisionRing, drainRecords, openDecisionRing } from '../../src/shm/decision-ring.ts'
import { createGate, gateAdd } from '../../src/shm/gate.ts'
import { createGateWriter } from '../../src/shm/gate-writer.ts'
import { callMatch, createPairs, isKnownContact, MATCH_YES, openPairs, rotatePairs } from '../../src/shm/pairs.ts'
import { createRecentCalls } from '../../src/shm/recent-calls.ts'
import { createReputationTable, openReputationTable, putReputation } from '../../src/shm/reputation-table.ts'
import { createTraffic, readTrafficHour } from '../../src/shm/traffic.ts'
import { BLOCKS, blockAt, sumsOf } from './fixtures/block-harm.ts'
import { numberAt } from './fixtures/gate-probe.ts'
import { PAIR_TEST_KEY, pairAt } from './fixtures/pair-at.ts'
import { NUMBERS, patternNumber, patternRecord } from './fixtures/reputation-pattern.ts'
import { messageWith, startFixture } from './start-fixture.ts'

describe('a gate that is rebuilt while threads probe it', () => {
  it('never denies a number that was added', async () => {
    const added = new Int32Array(new SharedArrayBuffer(4))
    const writer = createGateWriter(createGate(1_000))
    const threads = [1, 2, 3].map(() => startFixture('gate-prober', { memory: writer.memory, added }))
    let count = 0
    const add = (numbers: number) => {
      for (let i = 0; i < numbers; i++) {
        writer.add(numberAt(count))
        // Pairs with the load of the probers: announced only once it is in every gate.
        Atomics.store(added, 0, ++count)
      }
    }
    add(1_000)
    for (let round = 0; round < 12; round++) {
      const next = writer.beginRebuild(count * 2)
      const stored = count
      // The rebuild reads the store in slices; numbers arrive between them.
      for (let i = 0; i < stored; i++) {
        gateAdd(next, numberAt(i))
        if (i % 500 === 0) {
          add(20)
          await nextTurn()
        }
      }
      const installed = threads.map((thread) => messageWith(thread, 'installed'))
      const memory = writer.publish()
      for (const thread of threads) {
        add(50)
        thread.postMessage({ install: memory })
        await nextTurn()
      }
      await Promise.all(installed)
      writer.acknowledged()
      add(100)
    }
    const results = threads.map((thread) => messageWith(thread, 'denied'))
    for (const thread of threads) thread.postMessage({ stop: true })
    for (const result of await Promise.all(results)) {
      expect(result).toMatchObject({ denied: 0 })
      expect(result).toHaveProperty(
        'probes',
        expect.toSatisfy((probes: number) => probes > 1_000),
      )
    }
  })
})

describe('the memory of recent calls under four threads', () => {
  it('never gives a torn payload, nor one of another call', async () => {
    const memory = createRecentCalls(8)
    const threads = [0, 1, 2, 3].map((thread) => startFixture('recent-caller', { memory, thread, rounds: 600_000 }))
    const results = await Promise.all(threads.map((thread) => messageWith(thread, 'found')))
    for (const result of results) expect(result).toMatchObject({ torn: 0, foreign: 0 })
    expect(results.reduce((sum, { found }) => sum + Number(found), 0)).toBeGreaterThan(1_000)
  })
})

describe('the memory of pairs under several threads', () => {
  it('loses no pair, though all write into the same few lines', async () => {
    const nowMs = Date.UTC(2026, 10, 27, 12)
    const threadCount = 3
    const pairCount = 600
    // Small and many: threads that meet in 26 lines for calls and 13 for contacts, 200 times.
    const memories = Array.from({ length: 200 }, () => createPairs(pairCount))
    const opened = memories.map((memory) => openPairs(memory, PAIR_TEST_KEY))
    for (const pairs of opened) rotatePairs(pairs, nowMs)
    const barrier = new Int32Array(new SharedArrayBuffer(4))
    const threads = Array.from({ length: threadCount }, (_, thread) =>
      startFixture('pair-noter', { memories, barrier, thread, threadCount, pairCount, nowMs }),
    )
    for (const result of await Promise.all(threads.map((thread) => messageWith(thread, 'denied')))) {
      expect(result).toEqual({ denied: 0 })
    }
    let lost = 0
    for (const pairs of opened) {
      for (let index = 0; index < pairCount; index++) {
        const [caller, callee] = pairAt(index)
        if (callMatch(pairs, caller, callee, nowMs, nowMs) !== MATCH_YES) lost++
        if (index % 2 === 0 && !isKnownContact(pairs, caller, callee, nowMs)) lost++
      }
    }
    expect(lost).toBe(0)
  })
})

describe('a decision ring between two threads', () => {
  it('hands over every record whole and in order, and loses no important one', async () => {
    const memory = createDecisionRing(64)
    const important = 50_000
    const producer = startFixture('ring-producer', { memory, important })
    const done = messageWith(producer, 'written')
    const seen = await drainUntilEnd(memory, producer)
    const { written } = await done
    expect(seen).toEqual({ records: written, important, broken: 0 })
  })
})

async function drainUntilEnd(memory: SharedArrayBuffer, producer: Worker) {
  const ring = openDecisionRing(memory)
  const into = new Uint8Array(40 * DECISION_RECORD_BYTES)
  const view = new DataView(into.buffer)
  const seen = { records: 0, important: 0, broken: 0 }
  let ended = false
  producer.once('exit', () => {
    ended = true
  })
  for (;;) {
    const last = ended
    const count = drainRecords(ring, into)
    for (let at = 0; at < count * DECISION_RECORD_BYTES; at += DECISION_RECORD_BYTES) {
      const serial = view.getUint32(at, true)
      if (serial !== seen.records) seen.broken++
      for (let i = 8; i < DECISION_RECORD_BYTES; i += 4) {
        if (view.getUint32(at + i, true) !== (serial ^ i) >>> 0) seen.broken++
      }
      seen.important += view.getUint32(at + 4, true)
      seen.records++
    }
    if (count === 0) {
      if (last) return seen
      await nextTurn()
    }
  }
}

describe('counters and traffic tables', () => {
  it('lose no count, and a reader never sees a caller of another hour', async () => {
    const threads = 3
    const firstHour = 490_000
    const hours = 20
    const callsAnHour = 20_000
    const counters = createCounters(threads)
    const tables = Array.from({ length: threads }, () => createTraffic(1_024))
    const running = tables.map((traffic, thread) =>
      startFixture('call-counter', { counters, traffic, thread, firstHour, hours, callsAnHour }),
    )
    let finished = false
    const all = Promise.all(running.map((worker) => messageWith(worker, 'done'))).then(() => {
      finished = true
    })
    let foreign = 0
    while (!finished) {
      for (const table of tables) {
        for (let hour = firstHour; hour < firstHour + hours; hour++) {
          const visit = (caller: number) => {
            if (caller % 100 !== hour % 100) foreign++
          }
          runSteps(readTrafficHour(table, hour, visit))
        }
      }
      await nextTurn()
    }
    await all
    expect(foreign).toBe(0)
    expect(sumCounters(counters)[counterIndex('call-ends')]).toBe(threads * hours * callsAnHour)
    for (const table of tables) {
      let calls = 0
      const totals = runSteps(
        readTrafficHour(table, firstHour + hours - 1, (_caller, count) => {
          calls += count
        }),
      )
      expect(totals).toEqual({ calls: callsAnHour, complete: true })
      expect(calls).toBe(callsAnHour)
    }
  })
})

describe('a block table that is written while threads read it', () => {
  it('never gives the harm of another block', async () => {
    const memory = createBlockTable(16, 0)
    const table = openBlockTable(memory)
    const threads = [0, 1].map(() => startFixture('block-reader', { memory, rounds: 400_000 }))
    const results = threads.map((thread) => messageWith(thread, 'found'))
    let done = false
    const all = Promise.all(results).finally(() => {
      done = true
    })
    // Eight blocks of four entries in a table of sixteen: they take each other's places all the time.
    for (let turn = 0; !done; turn++) {
      const block = turn % BLOCKS
      const thousand = sumsOf(table.base, block)
      // What has no harm any more gives its place to anything.
      if (turn % 3 === 0) thousand.sums.fill(0)
      writeThousand(table, blockAt(block), thousand)
      if (turn % 256 === 0) await nextTurn()
    }
    for (const result of await all) {
      expect(result).toMatchObject({ foreign: 0 })
      expect(Number(result.found)).toBeGreaterThan(1_000)
    }
  })
})

describe('a reputation table that is written while threads read it', () => {
  it('never gives half a record, nor that of another number', async () => {
    const memory = createReputationTable(16)
    const table = openReputationTable(memory)
    const threads = [0, 1].map(() => startFixture('reputation-reader', { memory, rounds: 2_000_000 }))
    const results = threads.map((thread) => messageWith(thread, 'found'))
    let done = false
    const all = Promise.all(results).finally(() => {
      done = true
    })
    // More numbers than places: they take each other's all the time.
    for (let turn = 0; !done; turn++) {
      const index = turn % NUMBERS
      putReputation(table, patternNumber(index), turn % 7 === 0 ? undefined : patternRecord(index, turn))
      if (turn % 256 === 0) await nextTurn()
    }
    for (const result of await all) {
      expect(result).toMatchObject({ torn: 0, foreign: 0 })
      expect(Number(result.found)).toBeGreaterThan(1_000)
    }
  })
})
