import type { Call } from '../domain/call-event.ts'
import { createKeyedHasher } from '../shm/hash.ts'

/** What a call is named by; the trunk of a call that has ended is 0, since nobody tells it. */
export type NamedCall = Pick<Call, 'caller' | 'callee' | 'trunk' | 'callHashLow' | 'callHashHigh'>

/**
 * Sets the hash that names a call in the memory of recent calls: a keyed hash of the call id with numbers and trunk,
 * because the caller chooses the call id alone and could otherwise reuse an answer given to somebody else. An empty call
 * id gives 0/0: such a call is not remembered. `key`: two secret words, the same in all threads of a process.
 */
export function createCallHasher(key: Uint32Array): (call: NamedCall, callId: string) => void {
  const hasher = createKeyedHasher(key)
  return (call, callId) => {
    call.callHashLow = 0
    call.callHashHigh = 0
    if (callId === '') return
    hasher.start()
    hasher.addString(callId)
    hasher.addNumber(call.caller)
    hasher.addNumber(call.callee)
    hasher.addNumber(call.trunk)
    hasher.finish()
    call.callHashLow = hasher.low
    call.callHashHigh = hasher.high
  }
}
