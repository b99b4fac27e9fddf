import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'

/**
 * Gives the shared memory of large lists back when others have taken their place. Shared memory goes when the garbage collector of every
 * thread has found that nobody holds it, and one that decides calls makes so little garbage that this may take hours, while
 * each new version of a list takes its memory again. So when much was let go of, all threads collect at once: some milliseconds, once
 * for a list that took seconds to import. And once at the start, which leaves some 30 MB.
 *
 * Only the process that builds the gates can tell whether one was replaced: a thread gets an object of its own over the same
 * memory with every snapshot, and would take each for a new gate.
 */

/** The global gate of a list of five million numbers; less can wait. */
const RELEASE_FROM_BYTES = 8 * 2 ** 20
/** Until whatever still handles the message of the new snapshot is over. */
const RELEASE_AFTER_MS = 100

/** To be told of every snapshot that is in force in all threads, by whoever builds them; `collect` reaches every thread. */
export function createMemoryRelease(collect: () => void): (snapshot: ScreeningSnapshot) => void {
  let gate: WeakRef<SharedArrayBuffer> | undefined
  let gateBytes = 0
  return ({ globalGate }) => {
    const isGone = gate === undefined || (gateBytes >= RELEASE_FROM_BYTES && gate.deref() !== globalGate)
    gate = new WeakRef(globalGate)
    gateBytes = globalGate.byteLength
    if (isGone) setTimeout(collect, RELEASE_AFTER_MS).unref()
  }
}

/** Collects the garbage of the thread that calls this. */
export function garbageCollector(): () => void {
  // Contexts that are made from then on have it.
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
