/**
 * Rebuilds a gate and swaps it in without a wrong answer.
 *
 * ```
 *            current        next          retired
 *   normal     add
 *   beginRebuild            (filled from the store by the caller, while add() goes into both)
 *   publish    ◀──────────── becomes current; the old one becomes retired and still receives add()
 *   acknowledged            every thread has swapped: the retired one is let go
 * ```
 * The invariant: at every moment, every gate that any thread may still be reading holds every number added so far. So
 * numbers go into all gates that are alive, and a gate dies only when the last thread has said it left it. A number that
 * is committed while the rebuild reads the store is in the next gate through add(), whether the reader passed it or not.
 *
 * Single writer: one thread owns the writer and every gate in it, and fills the next gate itself (in slices, so that
 * add() gets its turn).
 */
import { createGate, type Gate, gateAdd, openGate } from './gate.ts'

/** Gates published but not acknowledged. More means a thread is stuck: the process is broken and must end. */
export const RETIRED_GATES_MAX = 8

export type GateWriter = {
  /** The current gate: what a new thread should open. */
  readonly memory: SharedArrayBuffer
  readonly gate: Gate
  readonly rebuilding: boolean
  /** Gates that still receive numbers until acknowledged(). */
  readonly retiredCount: number
  /** Adds to every gate that is alive. When it returns, no thread answers "no" for the number. */
  add(number: number): void
  /** Opens the next gate for the caller to fill (gateAdd, gateAddAll). One rebuild at a time: a second is an assertion. */
  beginRebuild(capacity: number): Gate
  /** Like beginRebuild, with a gate that was loaded or built elsewhere and holds everything but what add() adds from now. */
  beginRebuildWith(memory: SharedArrayBuffer): Gate
  /** Makes the next gate the current one and returns it, to be sent to every thread. */
  publish(): SharedArrayBuffer
  /** Drops the next gate: the rebuild failed and the current one stays. */
  abandon(): void
  /** Every thread reads the current gate now. */
  acknowledged(): void
}

export function createGateWriter(memory: SharedArrayBuffer): GateWriter {
  let current = openGate(memory)
  let next: Gate | undefined
  let retired: Gate[] = []

  function beginRebuildWith(nextMemory: SharedArrayBuffer): Gate {
    if (next) throw new Error('A gate rebuild is under way: publish or abandon it first.')
    next = openGate(nextMemory)
    return next
  }

  return {
    get memory() {
      return current.memory
    },
    get gate() {
      return current
    },
    get rebuilding() {
      return next !== undefined
    },
    get retiredCount() {
      return retired.length
    },
    add(number) {
      gateAdd(current, number)
      if (next) gateAdd(next, number)
      for (const gate of retired) gateAdd(gate, number)
    },
    beginRebuild: (capacity) => beginRebuildWith(createGate(capacity)),
    beginRebuildWith,
    publish() {
      if (!next) throw new Error('There is no rebuilt gate to publish.')
      if (retired.length >= RETIRED_GATES_MAX) {
        throw new Error(`${retired.length} gates wait for a thread to leave them: a thread is stuck.`)
      }
      retired.push(current)
      current = next
      next = undefined
      return current.memory
    },
    abandon() {
      next = undefined
    },
    acknowledged() {
      retired = []
    },
  }
}
