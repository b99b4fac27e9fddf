import { INGRESS_KINDS } from '../domain/call-event.ts'
import { type PhoneNumber, SHORT_CODE_LIMIT } from '../domain/phone-number.ts'
import { ACTIVITY_OF, type ActivityView, createActivityView, readActivity } from '../shm/activity.ts'
import { blockHarm } from '../shm/block-table.ts'
import { addRemoteActivity } from '../shm/remote-activity.ts'
import { BLOCK_SIZE } from './behaviour.ts'
import type { BehaviourMemory } from './behaviour-memory.ts'

/** What one number has been doing, for people. */
export type NumberBehaviour = {
  /** By INGRESS_KINDS; kinds it has not called on are left out. */
  readonly outgoing: Readonly<Record<string, ActivityView>>
  /** Calls it got. Absent: none that is remembered. */
  readonly incoming?: ActivityView
  /** Calls of the 100-number block around it. */
  readonly block?: ActivityView
  /** What is reported of the numbers around it, in thousandths, by INGRESS_KINDS. */
  readonly blockHarm: Readonly<Record<string, number>>
}

/** Reads everything the memory has of a number, what other processes and nodes say of it included. */
export function describeBehaviour(number: PhoneNumber, nowMs: number, memory: BehaviourMemory): NumberBehaviour {
  const read = (key: number, of: number): ActivityView | undefined => {
    const view = createActivityView()
    const isKnown = readActivity(memory.activity, key, of, nowMs, view)
    return addRemoteActivity(memory.remote, key, of, nowMs, view) || isKnown ? view : undefined
  }
  const outgoing: Record<string, ActivityView> = {}
  const harm: Record<string, number> = {}
  for (const [ingress, kind] of INGRESS_KINDS.entries()) {
    const view = read(number, ACTIVITY_OF.caller + ingress)
    if (view !== undefined) outgoing[kind] = view
    harm[kind] = blockHarm(memory.blocks, number, ingress, nowMs)
  }
  const incoming = read(number, ACTIVITY_OF.callee)
  const block = number < SHORT_CODE_LIMIT ? undefined : read(Math.floor(number / BLOCK_SIZE), ACTIVITY_OF.block)
  return { outgoing, blockHarm: harm, ...(incoming ? { incoming } : {}), ...(block ? { block } : {}) }
}
