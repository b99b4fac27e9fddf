import { CALL_MATCHES, type CallMatch } from '../domain/report.ts'
import { PAIR_DAYS } from '../shm/pair-memory.ts'
import { pairsFromBytes, pairsInSteps, pairsMark } from '../shm/pair-snapshot.ts'
import { createPairs, matchHash, openPairs, type PairsState, pairsState, rotatePairs } from '../shm/pairs.ts'
import type { SnapshotPart } from '../stores/snapshot-files.ts'

/** The memory of pairs of one verdict process, as its main thread has it: made, rotated, asked, kept. */
export type KeptPairs = {
  /** For the verdict threads, with the key, which opens it. */
  readonly memory: SharedArrayBuffer
  readonly key: Uint32Array
  /** One a day of the memory. */
  readonly parts: readonly SnapshotPart[]
  /** Makes today ready and goes on each minute. After the parts are restored, before the first thread notes. */
  start(): void
  /** Makes the day ready that it is now: after the clock was set right. */
  turn(): void
  /** Whether the call with this hash was attempted since `sinceMs` (shm/pair-hash.ts, shm/pairs.ts). */
  match(low: number, high: number, sinceMs: number): CallMatch
  state(): PairsState
  stop(): void
}

export type KeptPairsOptions = { readonly pairsPerDay: number; readonly key: Uint32Array }

export type KeptPairsDependencies = {
  readonly now: () => number
  /** Once a day: it takes no more pairs, `calls` and `contacts` of them are in. */
  readonly onFull: (today: { calls: number; contacts: number }) => void
}

const ROTATE_EVERY_MS = 60_000

export function createKeptPairs(
  { pairsPerDay, key }: KeptPairsOptions,
  { now, onFull }: KeptPairsDependencies,
): KeptPairs {
  const memory = createPairs(pairsPerDay)
  const pairs = openPairs(memory, key)
  let timer: NodeJS.Timeout | undefined
  let fullDay = 0

  function turn(): void {
    const nowMs = now()
    rotatePairs(pairs, nowMs)
    const { day, isFull, calls, contacts } = pairsState(pairs, nowMs)
    if (!isFull || day === fullDay) return
    fullDay = day
    onFull({ calls, contacts })
  }

  return {
    memory,
    key,
    parts: Array.from({ length: PAIR_DAYS }, (_, slot) => ({
      name: `pairs-${slot}`,
      mark: () => pairsMark(pairs, slot),
      steps: () => pairsInSteps(pairs, slot),
      fromBytes: (bytes) => pairsFromBytes(pairs, bytes, now()),
    })),
    start() {
      turn()
      timer = setInterval(turn, ROTATE_EVERY_MS)
    },
    turn,
    state: () => pairsState(pairs, now()),
    match: (low, high, sinceMs) => CALL_MATCHES[matchHash(pairs, low, high, sinceMs, now())],
    stop: () => clearInterval(timer),
  }
}
