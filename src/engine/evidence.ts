import { LIST_KINDS } from '../domain/number-list.ts'
import { type ActivityView, createActivityView } from '../shm/activity-view.ts'

/** Whether caller and callee know each other was not asked yet. */
export const CONTACT_NOT_ASKED = -1

/** Reports came in a suspicious burst; the number's own calls speak against them. */
export const DOUBT = { none: 0, burst: 1, contested: 2 } as const

/**
 * What is known about one call, gathered once and read by every signal. One per verdict thread, overwritten by every call.
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
  /** SCENARIOS index + 1 of what most of these reporters were told; 0: nobody said. */
  scenario: number
  /** Why reports alone should not block: a DOUBT. */
  doubt: number
  /** What the number block around the caller adds to his reputation, in thousandths. */
  blockHarm: number
  /** The caller on this kind of ingress, the caller as a callee, his 100-number block, the callee. */
  readonly outgoing: ActivityView
  readonly incoming: ActivityView
  readonly block: ActivityView
  readonly called: ActivityView
  /**
   * The memory covers days: a caller it does not know is new, and whoever was never called is called by nobody. A node that
   * has just started, or whose table is too small, knows nothing of the kind.
   */
  isPastKnown: boolean
  /** What is odd about the caller's number: bits of ODDITY. */
  oddities: number
  /** By ODDITY bit: strangers with that oddity on this trunk in the last 15 minutes, this one not counted. */
  readonly strangers15: Int32Array
  /** Where the caller is a newcomer: others like him in his 100-number block within the last hour. */
  newcomers60: number
  /** 1: the two have talked within the last days, 0: not that we know, CONTACT_NOT_ASKED. */
  contact: number
  /** The call has been counted, with what was read. */
  isCounted: boolean
}

/**
 * A caller's number that does not fit, one bit each: a home number from abroad whose roaming nobody can tell; one that begins
 * like the callee's; one of our own from outside, neither redirected nor known to roam; one that was never seen before. Each
 * has an innocent reason, which is rare and steady; many on one trunk, or in one number block, within minutes have one reason.
 */
export const ODDITY = { homeFromAbroad: 1, neighbour: 2, ownFromOutside: 4, newcomer: 8 } as const
/** The first so many are counted by trunk. */
export const ODDITY_BITS = 3

export function createEvidence(): Evidence {
  return {
    listByKind: new Uint16Array(LIST_KINDS.length + 1),
    ingress: 0,
    reporters: 0,
    harmShare: 0,
    scenario: 0,
    doubt: DOUBT.none,
    blockHarm: 0,
    outgoing: createActivityView(),
    incoming: createActivityView(),
    block: createActivityView(),
    called: createActivityView(),
    isPastKnown: false,
    oddities: 0,
    strangers15: new Int32Array(ODDITY_BITS),
    newcomers60: 0,
    contact: CONTACT_NOT_ASKED,
    isCounted: false,
  }
}

/** Empties evidence for the next call, but for the four views: gatherBehaviour fills or clears each of them. */
export function clearEvidence(evidence: Evidence, ingress: number): void {
  // Not fill(): see clearDecision.
  for (let kind = 0; kind < evidence.listByKind.length; kind++) evidence.listByKind[kind] = 0
  evidence.ingress = ingress
  evidence.reporters = 0
  evidence.harmShare = 0
  evidence.scenario = 0
  evidence.doubt = DOUBT.none
  evidence.blockHarm = 0
  evidence.isPastKnown = false
  evidence.oddities = 0
  for (let bit = 0; bit < ODDITY_BITS; bit++) evidence.strangers15[bit] = 0
  evidence.newcomers60 = 0
  evidence.contact = CONTACT_NOT_ASKED
  evidence.isCounted = false
}
