import { type EntryDetails, LIST_KINDS, type ListKind } from '../domain/number-list.ts'
import { boundOfEvidence } from '../domain/reputation.ts'
import { STRENGTH_FULL } from '../domain/signal.ts'
import { createEvidence, type Evidence, ODDITY } from './evidence.ts'

/** A list that covers the caller. */
export type Coverage = {
  readonly listId: number
  readonly list: string
  readonly kind: ListKind
  /** The number itself, or a prefix or range around it. */
  readonly match: 'number' | 'range'
  readonly details: EntryDetails
}

/** What is known about the caller, before any rule: what changes can be tried on. */
export type Known = {
  readonly coverage: readonly Coverage[]
  readonly ingress: number
  readonly reporters: number
  readonly harm: number
  readonly good: number
  /** What the numbers of the call have been doing, and whether they know each other. */
  readonly behaviour: KnownBehaviour
}

/** The part of the evidence that is behaviour. */
export type KnownBehaviour = Omit<Evidence, 'listByKind' | 'ingress' | 'reporters' | 'harmShare'>

/** The evidence signals read, from what is known. */
export function evidenceFrom(known: Known): Evidence {
  const { listByKind } = createEvidence()
  const evidence: Evidence = { ...known.behaviour, listByKind, ingress: 0, reporters: 0, harmShare: 0 }
  evidence.ingress = known.ingress
  evidence.reporters = known.reporters
  evidence.harmShare = Math.floor(boundOfEvidence(known.harm, known.good) * STRENGTH_FULL)
  for (const { kind, listId } of known.coverage) {
    const code = LIST_KINDS.indexOf(kind) + 1
    if (evidence.listByKind[code] === 0) evidence.listByKind[code] = listId
  }
  return evidence
}

/** Puts behaviour that was asked of a verdict process into evidence that has the oddities of the call. */
export function takeBehaviour(evidence: Evidence, asked: KnownBehaviour): void {
  const oddities = (evidence.oddities | ODDITY.newcomer) & asked.oddities
  Object.assign(evidence, asked, { oddities })
  if (oddities === 0) evidence.newcomers60 = 0
  evidence.strangers15.forEach((_, bit) => {
    if ((oddities & (1 << bit)) === 0) evidence.strangers15[bit] = 0
  })
}
