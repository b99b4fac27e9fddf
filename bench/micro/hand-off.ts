/**
 * What it costs to hand a decision record of 128 bytes to another thread: by the decision ring, written in one thread and drained
 * in the other, and as a task of Piscina, one after the other and many under way. From the first record until the other
 * thread has seen the last; both threads have read all records, as a hash of them shows.
 */
import { once } from 'node:events'
import path from 'node:path'
import { Worker } from 'node:worker_threads'
import { Piscina } from 'piscina'
import { DECISION_RECORD_BYTES } from '../../src/domain/decision-record.ts'
import { claimRecord, commitRecord, createDecisionRing, openDecisionRing } from '../../src/shm/decision-ring.ts'
import { ratios } from '../lib/interleave.ts'
import { median, round } from '../lib/stats.ts'
import type { PartResult } from '../suite/part.ts'
import type { HandOffData } from './hand-off-thread.ts'
import { assertSame, cell, foldAnswer, NO_ANSWERS, type Side, timeSides } from './sides.ts'

/** As in a verdict process. */
const RING_RECORDS = 8_192
/** Tasks of Piscina under way at a time, where there are many. */
const IN_FLIGHT = 256

export type HandOffOptions = { readonly rounds: number; readonly ringRecords: number; readonly tasks: number }

export async function measureHandOff({ rounds, ringRecords, tasks }: HandOffOptions): Promise<PartResult> {
  const ring = createDecisionRing(RING_RECORDS)
  const progress = new SharedArrayBuffer(12)
  const thread = path.join(import.meta.dirname, 'hand-off-thread.js')
  const reader = new Worker(thread, { workerData: { ring, progress } satisfies HandOffData })
  await once(reader, 'message')
  const pool = new Piscina({ filename: thread, minThreads: 1, maxThreads: 1, maxQueue: Number.POSITIVE_INFINITY })
  try {
    const results = await timeSides(
      {
        ring: ringSide(ring, progress, ringRecords),
        many: poolSide(pool, tasks, IN_FLIGHT),
        single: poolSide(pool, tasks, 1),
      },
      rounds,
    )
    assertSame('hand-off, many and one', results.many, results.single)
    const rowOf = (title: string, { ns }: { readonly ns: number[] }) => [
      title,
      cell(ns),
      round(median(ratios(ns, results.ring.ns))),
    ]
    return {
      measured: {},
      tables: [
        {
          title: `Handing a record to another thread, ns a record, ${rounds} rounds in turn`,
          head: ['', 'ns', 'times the ring'],
          rows: [
            rowOf('decision ring, write and drain', results.ring),
            rowOf(`Piscina, ${IN_FLIGHT} tasks under way`, results.many),
            rowOf('Piscina, one task after the other', results.single),
          ],
          note:
            `Median and range; ${ringRecords.toLocaleString('en-US')} records a round by the ring, and ` +
            `${tasks.toLocaleString('en-US')} by Piscina. It also brings an answer back, which the ring does not.`,
        },
      ],
      raw: {
        rounds,
        ringRecords,
        tasks,
        ns: Object.fromEntries(Object.entries(results).map(([name, { ns }]) => [name, ns])),
      },
    }
  } finally {
    await reader.terminate()
    await pool.destroy()
  }
}

/** Waits for room where there is none, as a bench may and a verdict thread never does. Throws when the reader saw something else. */
function ringSide(memory: SharedArrayBuffer, progress: SharedArrayBuffer, count: number): Side {
  const ring = openDecisionRing(memory)
  const seen = new Int32Array(progress)
  const record = new Uint8Array(DECISION_RECORD_BYTES).fill(7)
  const index = new DataView(record.buffer)
  let sent = 0
  return {
    count,
    work() {
      let answers = NO_ANSWERS
      for (let i = 0; i < count; i++) {
        index.setInt32(0, i, true)
        answers = foldAnswer(answers, i)
        let at = claimRecord(ring, true)
        while (at < 0) at = claimRecord(ring, true)
        ring.bytes.set(record, at)
        commitRecord(ring)
      }
      sent = (sent + count) | 0
      // Pairs with the store of the reader after it has folded what it drained.
      while (Atomics.load(seen, 0) !== sent) Atomics.wait(seen, 0, Atomics.load(seen, 0), 1)
      if (Atomics.exchange(seen, 1, NO_ANSWERS) !== answers) throw new Error('The ring has handed on something else.')
      return answers
    },
  }
}

function poolSide(pool: Piscina, count: number, inFlight: number): Side {
  return {
    count,
    async work() {
      let next = 0
      const sendInTurn = async () => {
        while (next < count) {
          const record = new Uint8Array(DECISION_RECORD_BYTES).fill(7)
          new DataView(record.buffer).setInt32(0, next++, true)
          await pool.run(record)
        }
      }
      await Promise.all(Array.from({ length: inFlight }, sendInTurn))
      let expected = 0
      for (let i = 0; i < count; i++) expected = (expected + foldAnswer(NO_ANSWERS, i)) | 0
      const answers = (await pool.run(undefined)) as number
      if (answers !== expected) throw new Error('Piscina has handed on something else.')
      return answers
    },
  }
}
