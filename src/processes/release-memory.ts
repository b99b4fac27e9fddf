import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'

/**
 * Gives the shared memory of lists back when others have taken their place. Shared memory goes when the garbage collector of every
 * thread has found that nobody holds it, does not count as garbage before, and a thread that decides calls makes so little else that
 * this may take hours, while each new version of a list takes its memory again. So whenever much was let go of, at once or by and by,
 * all threads collect: some milliseconds, for what took seconds to import. And once at the start, which leaves some 30 MB.
 *
 * Only the process that builds the memory can tell whether it was replaced: a thread gets an object of its own over the same
 * memory with every snapshot, and would take each for new memory.
 */

/** What a list of a million numbers takes, two or three times; less can wait. */
const RELEASE_FROM_BYTES = 8 * 2 ** 20
/** Until whatever still handles the message of the new snapshot is over. */
const RELEASE_AFTER_MS = 100

/** To be told of every snapshot that is in force in all threads, by whoever builds them; `collect` reaches every thread. */
export function createMemoryRelease(collect: () => void): (snapshot: ScreeningSnapshot) => void {
  let inForce: ReadonlySet<SharedArrayBuffer> | undefined
  let goneBytes = 0
  return (snapshot) => {
    const now = memoriesOf(snapshot)
    for (const memory of inForce ?? []) if (!now.has(memory)) goneBytes += memory.byteLength
    const isFirst = inForce === undefined
    inForce = now
    if (!isFirst && goneBytes < RELEASE_FROM_BYTES) return
    goneBytes = 0
    setTimeout(collect, RELEASE_AFTER_MS).unref()
  }
}

function memoriesOf({ globalGate, reportedGate, lists, ranges, numbering }: ScreeningSnapshot): Set<SharedArrayBuffer> {
  const memories = new Set([globalGate, reportedGate, ranges])
  for (const { gate, numbers } of lists.flatMap(({ layers }) => layers)) {
    if (gate) memories.add(gate)
    if (numbers) memories.add(numbers)
  }
  for (const { covered, allocated } of numbering) memories.add(covered).add(allocated)
  return memories
}

/** Collects the garbage of the thread that calls this. */
export function garbageCollector(): () => void {
  // Contexts that are made from then on have it.
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
