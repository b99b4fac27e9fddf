import { LIST_KINDS } from '../domain/number-list.ts'

/**
 * What the record knows about one caller, gathered once per call and read by every signal. One per verdict thread,
 * overwritten by every call.
 */
export type Evidence = {
  /** By LIST_KIND_CODE: the id of the first list of that kind that covers the caller, or 0. */
  readonly listByKind: Uint16Array
  /** INGRESS_KINDS index, from the call or its trunk. */
  ingress: number
  /** Distinct credible reporters in the window for this ingress kind, at most as many as a block needs. */
  reporters: number
  /** Lower confidence bound on the share of harm, in thousandths. */
  harmShare: number
}

export function createEvidence(): Evidence {
  return { listByKind: new Uint16Array(LIST_KINDS.length + 1), ingress: 0, reporters: 0, harmShare: 0 }
}

export function clearEvidence(evidence: Evidence, ingress: number): void {
  // Not fill(): see emptyStrengths.
  for (let kind = 0; kind < evidence.listByKind.length; kind++) evidence.listByKind[kind] = 0
  evidence.ingress = ingress
  evidence.reporters = 0
  evidence.harmShare = 0
}
