/**
 * The calls that are under way or due, in slots of typed arrays: millions pass through, a few thousand exist at a time.
 * A slot is taken when a call is planned and given back when its last event is over.
 */
import { BENIGN_KINDS } from './world/kinds.ts'

/** Kind code of the first attack file: below it, an index into BENIGN_KINDS. */
export const FIRST_ATTACK_KIND = BENIGN_KINDS.length
/** Belongs to an attack but harms nobody by itself (calls to accomplices): in no table. */
export const UNCOUNTED_KIND = 255

export const CALL_FLAG = {
  /** It was asked for a second time already. */
  asked: 1,
  /** The caller's number is on a protected or allow list. */
  favoured: 2,
  /** The talk is one in which somebody is being cheated. */
  victim: 4,
  /** Nobody rings again because of it. */
  final: 8,
} as const

export type CallPool = {
  caller: Float64Array
  callee: Float64Array
  /** 0: not redirected. */
  redirecting: Float64Array
  atMs: Float64Array
  hashLow: Uint32Array
  hashHigh: Uint32Array
  /** Of the world's people and businesses; -1: none of them. */
  callerParty: Int32Array
  calleeParty: Int32Array
  /** Number of an attack, see AttackSources; -1: none. */
  source: Int32Array
  ringMs: Int32Array
  talkMs: Int32Array
  kind: Uint8Array
  trunk: Uint8Array
  /** Index into INGRESS_KINDS: how it truly comes in. */
  ingress: Uint8Array
  /** Indexes into CONFIRMATIONS. */
  originating: Uint8Array
  roaming: Uint8Array
  answered: Uint8Array
  flags: Uint8Array
  /** How often this call was tried before. */
  attempt: Uint8Array
  /** Events of the call still to come. */
  pending: Uint8Array
  /** A cleared slot. */
  take(): number
  release(slot: number): void
  readonly inUse: number
}

type Arrays = Omit<CallPool, 'take' | 'release' | 'inUse'>

export function createCallPool(): CallPool {
  let capacity = 8_192
  const free: number[] = []
  let inUse = 0
  const pool = { ...arraysOf(capacity), take, release, inUse: 0 }
  for (let slot = capacity - 1; slot >= 0; slot--) free.push(slot)

  function grow(): void {
    const more = arraysOf(capacity * 2)
    for (const name of Object.keys(more) as (keyof Arrays)[])
      (more[name] as Float64Array).set(pool[name] as Float64Array)
    Object.assign(pool, more)
    for (let slot = capacity * 2 - 1; slot >= capacity; slot--) free.push(slot)
    capacity *= 2
  }

  function take(): number {
    if (free.length === 0) grow()
    const slot = free.pop()!
    pool.inUse = ++inUse
    pool.redirecting[slot] = 0
    pool.callerParty[slot] = -1
    pool.calleeParty[slot] = -1
    pool.source[slot] = -1
    pool.hashLow[slot] = 0
    pool.hashHigh[slot] = 0
    pool.originating[slot] = 0
    pool.roaming[slot] = 0
    pool.answered[slot] = 0
    pool.talkMs[slot] = 0
    pool.flags[slot] = 0
    pool.attempt[slot] = 0
    pool.pending[slot] = 0
    return slot
  }

  function release(slot: number): void {
    pool.inUse = --inUse
    free.push(slot)
  }

  return pool
}

function arraysOf(capacity: number): Arrays {
  return {
    caller: new Float64Array(capacity),
    callee: new Float64Array(capacity),
    redirecting: new Float64Array(capacity),
    atMs: new Float64Array(capacity),
    hashLow: new Uint32Array(capacity),
    hashHigh: new Uint32Array(capacity),
    callerParty: new Int32Array(capacity),
    calleeParty: new Int32Array(capacity),
    source: new Int32Array(capacity),
    ringMs: new Int32Array(capacity),
    talkMs: new Int32Array(capacity),
    kind: new Uint8Array(capacity),
    trunk: new Uint8Array(capacity),
    ingress: new Uint8Array(capacity),
    originating: new Uint8Array(capacity),
    roaming: new Uint8Array(capacity),
    answered: new Uint8Array(capacity),
    flags: new Uint8Array(capacity),
    attempt: new Uint8Array(capacity),
    pending: new Uint8Array(capacity),
  }
}
