import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { DECISION_RECORD_BYTES } from '../../src/domain/decision-record.ts'
import { drainRecords, openDecisionRing } from '../../src/shm/decision-ring.ts'
import { foldAnswer, NO_ANSWERS } from './sides.ts'

/** `progress`: how many records were drained so far, the hash of their first words since it was last taken, and 0. */
export type HandOffData = { readonly ring: SharedArrayBuffer; readonly progress: SharedArrayBuffer }

const data = workerData as Partial<HandOffData> | undefined
if (!isMainThread && data?.ring !== undefined && data.progress !== undefined) {
  drain({ ring: data.ring, progress: data.progress })
}

/** The other side of the ring, for ever. */
function drain({ ring: memory, progress }: HandOffData): void {
  const ring = openDecisionRing(memory)
  const into = new Uint8Array(ring.records * DECISION_RECORD_BYTES)
  const view = new DataView(into.buffer)
  const seen = new Int32Array(progress)
  seen[1] = NO_ANSWERS
  parentPort?.postMessage('ready')
  for (;;) {
    const count = drainRecords(ring, into)
    if (count === 0) {
      // As a log writer, which looks now and then: a thread that turned for nothing would take a core from the other side.
      Atomics.wait(seen, 2, 0, 1)
      continue
    }
    let answers: number = seen[1] ?? 0
    for (let i = 0; i < count; i++) answers = foldAnswer(answers, view.getInt32(i * DECISION_RECORD_BYTES, true))
    seen[1] = answers
    // Pairs with the load of the writer, which then takes the hash.
    Atomics.add(seen, 0, count)
    Atomics.notify(seen, 0)
  }
}

let taken = 0

/** A task of Piscina: a record, or nothing for the sum of the hashes of those since it was last asked: it keeps no order. */
// biome-ignore lint/style/noDefaultExport: a thread's entry, which Piscina calls.
export default function handOff(record: Uint8Array | undefined): number {
  if (record === undefined) {
    const answers = taken
    taken = 0
    return answers
  }
  const index = new DataView(record.buffer, record.byteOffset).getInt32(0, true)
  taken = (taken + foldAnswer(NO_ANSWERS, index)) | 0
  return 0
}
