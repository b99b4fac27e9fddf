import { type EntryDetails, LIST_KINDS, type ListKind } from '../domain/number-list.ts'
import { boundOfEvidence } from '../domain/reputation.ts'
import { STRENGTH_FULL } from '../domain/signal.ts'
import { createEvidence, type Evidence } from './evidence.ts'

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
}

/** The evidence signals read, from what is known. */
export function evidenceFrom(known: Known): Evidence {
  const evidence = createEvidence()
  evidence.ingress = known.ingress
  evidence.reporters = known.reporters
  evidence.harmShare = Math.floor(boundOfEvidence(known.harm, known.good) * STRENGTH_FULL)
  for (const { kind, listId } of known.coverage) {
    const code = LIST_KINDS.indexOf(kind) + 1
    if (evidence.listByKind[code] === 0) evidence.listByKind[code] = listId
  }
  return evidence
}
