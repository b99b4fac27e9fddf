import { gateHas } from '../shm/gate.ts'
import { noteLongTalk } from '../shm/long-talks.ts'
import type { CallEnd } from './behaviour.ts'
import type { BehaviourMemory } from './behaviour-memory.ts'
import type { CompiledState } from './compiled-state.ts'

/**
 * A long talk with a number that people have reported speaks for that number. The gate knows every reported number, so most
 * ends stop here; whether it is one, and how many talked with it, is for the main thread to find out. `ingress`: what
 * noteCallEnd said of the end. No allocation.
 */
export function offerLongTalk(
  { caller, callee }: CallEnd,
  ingress: number,
  state: CompiledState | undefined,
  { longTalks }: BehaviourMemory,
): void {
  if (ingress >= 0 && state !== undefined && gateHas(state.reportedGate, caller)) {
    noteLongTalk(longTalks, caller, callee, ingress)
  }
}
