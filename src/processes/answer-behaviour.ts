import { askContact, gatherBehaviour, READ } from '../engine/behaviour.ts'
import type { BehaviourMemory } from '../engine/behaviour-memory.ts'
import { CONTACT_NOT_ASKED, createEvidence, ODDITY_BITS } from '../engine/evidence.ts'
import type { KnownBehaviour } from '../engine/known.ts'
import type { NumberBehaviour } from '../engine/number-behaviour.ts'
import type { BehaviourQuestion } from './messages.ts'

const NO_CALL = {
  redirecting: -1,
  attestation: 0,
  verstat: 0,
  originating: 0,
  roaming: 0,
  treatment: 0,
  callHashLow: 0,
  callHashHigh: 0,
  deadlineMs: 0,
}

/**
 * What the memory of this process knows of the numbers of a call: what a verdict thread would read for it now. It is
 * answered as if the call were odd in every way, since whoever asks knows in which it is (takeBehaviour).
 */
export function answerBehaviour(asked: BehaviourQuestion, memory: BehaviourMemory): KnownBehaviour {
  const evidence = createEvidence()
  evidence.ingress = asked.ingress
  evidence.oddities = (1 << ODDITY_BITS) - 1
  const call = { ...NO_CALL, ...asked }
  gatherBehaviour(call, evidence, memory, READ)
  if (evidence.contact === CONTACT_NOT_ASKED) evidence.contact = askContact(call, memory)
  const { listByKind: _, ingress: __, reporters: ___, harmShare: ____, ...behaviour } = evidence
  return behaviour
}

/** Of several processes, each with its own memory, the one that has seen the caller most. */
export function busiestBehaviour(answers: readonly KnownBehaviour[]): KnownBehaviour | undefined {
  let found: KnownBehaviour | undefined
  for (const answer of answers) {
    if (found === undefined || answer.outgoing.totalAttempts > found.outgoing.totalAttempts) found = answer
  }
  return found
}

/** Of several processes the one that has seen the number most. */
export function busiestNumber(answers: readonly NumberBehaviour[]): NumberBehaviour | undefined {
  const calls = ({ outgoing, incoming }: NumberBehaviour) =>
    Object.values(outgoing).reduce((sum, view) => sum + view.totalAttempts, incoming?.totalAttempts ?? 0)
  let found: NumberBehaviour | undefined
  for (const answer of answers) if (found === undefined || calls(answer) > calls(found)) found = answer
  return found
}
