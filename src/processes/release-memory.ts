import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'

/**
 * Gives the shared memory of large lists back when others have taken their place. Shared memory goes when the garbage collector of every
 * thread has found that nobody holds it, and one that decides calls makes so little garbage that this may take hours, while
 * each new version of a list takes its memory again. So a thread that has let go of much collects at once: some milliseconds, once
 * for a list that took seconds to import. And once at its start, which leaves some 30 MB.
 */

/** The global gate of a list of five million numbers; less can wait. */
const RELEASE_FROM_BYTES = 8 * 2 ** 20
/** Until whatever still handles the message of the new snapshot is over. */
const RELEASE_AFTER_MS = 100

/** To be told of every snapshot that is in force in this thread. */
export function createMemoryRelease(collect: () => void = garbageCollector()): (snapshot: ScreeningSnapshot) => void {
  let gate: WeakRef<SharedArrayBuffer> | undefined
  let gateBytes = 0
  return ({ globalGate }) => {
    const isGone = gate === undefined || (gateBytes >= RELEASE_FROM_BYTES && gate.deref() !== globalGate)
    gate = new WeakRef(globalGate)
    gateBytes = globalGate.byteLength
    if (isGone) setTimeout(collect, RELEASE_AFTER_MS).unref()
  }
}

/** Contexts that are made from then on have it. */
function garbageCollector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
