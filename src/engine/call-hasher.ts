import type { Call } from '../domain/call-event.ts'
import { createKeyedHasher } from '../shm/hash.ts'

/** What a call is named by; the trunk of a call that has ended is 0, since nobody tells it. */
export type NamedCall = Pick<Call, 'caller' | 'callee' | 'trunk' | 'callHashLow' | 'callHashHigh'>

/** A call id that a switch has hashed itself, in two words; which hash it takes is its own affair. Reused for every call. */
export type HashedCallId = { low: number; high: number }

export function createHashedCallId(): HashedCallId {
  return { low: 0, high: 0 }
}

/** Frames two words as KeyedHasher frames a text: a type of their own, 4, and their count. */
const FRAME_WORDS = (2 << 8) | 4

export type CallHasher = {
  /** An empty call id gives 0/0: such a call is not remembered. */
  hashCall(call: NamedCall, callId: string | HashedCallId): void
  /** The same with the call id in the bytes from..to, a character each. */
  hashCallBytes(call: NamedCall, bytes: Uint8Array, from: number, to: number): void
}

/**
 * Sets the hash that names a call in the memory of recent calls: a keyed hash of the call id with numbers and trunk,
 * because the caller chooses the call id alone and could otherwise reuse an answer given to somebody else. `key`: two secret
 * words, the same in all threads of a process.
 */
export function createCallHasher(key: Uint32Array): CallHasher {
  const hasher = createKeyedHasher(key)

  function finish(call: NamedCall): void {
    hasher.addNumber(call.caller)
    hasher.addNumber(call.callee)
    hasher.addNumber(call.trunk)
    hasher.finish()
    call.callHashLow = hasher.low
    call.callHashHigh = hasher.high
  }

  function hashCall(call: NamedCall, callId: string | HashedCallId): void {
    call.callHashLow = 0
    call.callHashHigh = 0
    if (callId === '') return
    hasher.start()
    if (typeof callId === 'string') {
      hasher.addString(callId)
    } else {
      hasher.addWord(FRAME_WORDS)
      hasher.addWord(callId.low)
      hasher.addWord(callId.high)
    }
    finish(call)
  }

  function hashCallBytes(call: NamedCall, bytes: Uint8Array, from: number, to: number): void {
    call.callHashLow = 0
    call.callHashHigh = 0
    if (from === to) return
    hasher.start()
    hasher.addBytes(bytes, from, to)
    finish(call)
  }

  return { hashCall, hashCallBytes }
}
