import { type Call, INGRESS_KINDS } from '../domain/call-event.ts'
import { callerText } from '../domain/decision-record.ts'
import { REASON_CODES, type ReasonCode } from '../domain/reason.ts'
import { VERDICTS, type Verdict } from '../domain/verdict.ts'
import type { Decision } from '../engine/decision.ts'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'
import type { Candidate } from './candidate-list.ts'
import {
  EVENTS_MAX,
  type EventSource,
  type JsonObject,
  type ReadEventsDependencies,
  readEvents,
} from './read-events.ts'
import { type ChangeSummary, createChangeTally } from './tally-changes.ts'
import { type TippedBy, tippedBy } from './tipped-by.ts'

/** What the control process asks of a rehearsal thread. */
export type RehearseEventsJob = { readonly source: EventSource; readonly candidate: Candidate }

/** The production engine with memories of its own, at the beginning of a replay. */
export type ReplaySide = {
  readonly snapshot: ScreeningSnapshot
  /** The call that was decided last. */
  readonly call: Call
  /** Decides the call of a JSON event at this moment. The decision is overwritten by the next. Throws what the store throws. */
  decide(event: JsonObject, atMs: number): Decision
  /** Notes the end of a call. */
  end(event: JsonObject, atMs: number): void
}

type SideDecision = {
  readonly decision: Verdict
  readonly score: number
  readonly reasons: readonly { readonly code: ReasonCode; readonly points: number; readonly list?: string }[]
}

export type ReplayedEvent = {
  /** Counted from 1: the line of the file (below the candidate), or the place in the array. */
  readonly event: number
  readonly atMs: number
  readonly caller: string
  readonly trunk: string
  readonly inForce: SideDecision
  readonly candidate: SideDecision
  readonly tippedBy: TippedBy
}

export type EventRehearsal = ChangeSummary & {
  readonly firstMs: number
  readonly lastMs: number
  readonly ends: number
  /** Events that lie before one above them: taken at the newest moment so far. */
  readonly late: number
  /** Calls that name a trunk which is not registered here: they count as coming from none. */
  readonly unknownTrunks: number
  /** The first changed calls. */
  readonly examples: readonly ReplayedEvent[]
}

const EXAMPLES_MAX = 20

/**
 * Plays recorded events to two engines side by side, one with what is in force and one with the candidate. Throws as readEvents
 * does.
 */
export function rehearseEvents(
  { source, eventsMax = EVENTS_MAX }: { readonly source: EventSource; readonly eventsMax?: number },
  {
    inForce,
    candidate,
    ...reading
  }: { readonly inForce: ReplaySide; readonly candidate: ReplaySide } & ReadEventsDependencies,
): EventRehearsal {
  const tally = createChangeTally()
  const examples: ReplayedEvent[] = []
  const counts = { ends: 0, late: 0, unknownTrunks: 0 }
  let firstMs: number | undefined
  let lastMs = 0
  for (const { type, event, atMs, place, isLate } of readEvents(source, { eventsMax }, reading)) {
    firstMs ??= atMs
    lastMs = atMs
    if (isLate) counts.late++
    if (type === 'end') {
      counts.ends++
      inForce.end(event, atMs)
      candidate.end(event, atMs)
      continue
    }
    const was = inForce.decide(event, atMs)
    const would = candidate.decide(event, atMs)
    const { call, snapshot } = inForce
    if (call.trunk === 0 && namesTrunk(event)) counts.unknownTrunks++
    const caller = callerText(call.caller)
    const trunk = snapshot.trunks[call.trunk]?.name ?? ''
    const ingress = INGRESS_KINDS[call.ingress] ?? 'unknown'
    tally.note({ caller, trunk, ingress, from: verdictOf(was), to: verdictOf(would) })
    if (was.verdict === would.verdict || examples.length === EXAMPLES_MAX) continue
    const sides = { inForce: describe(was, inForce), candidate: describe(would, candidate) }
    const cause = tippedBy(sides.inForce, sides.candidate, would.verdict - was.verdict)
    examples.push({ event: place, atMs, caller, trunk, ...sides, tippedBy: cause })
  }
  return { ...tally.summary(), ...counts, firstMs: firstMs ?? 0, lastMs, examples }
}

function verdictOf({ verdict }: Decision): Verdict {
  return VERDICTS[verdict] ?? 'allow'
}

function namesTrunk({ ingress }: JsonObject): boolean {
  if (typeof ingress !== 'object' || ingress === null || !('trunk' in ingress)) return false
  return typeof ingress.trunk === 'string' && ingress.trunk !== ''
}

function describe(decision: Decision, { snapshot }: ReplaySide): SideDecision {
  const reasons = Array.from({ length: decision.reasonCount }, (_, index) => {
    const code = REASON_CODES[(decision.reasonCodes[index] ?? 0) - 1] ?? 'no-evidence'
    const points = decision.reasonPoints[index] ?? 0
    const list = snapshot.lists.find(({ listId }) => listId === decision.reasonLists[index])
    return list === undefined ? { code, points } : { code, points, list: list.name }
  })
  return { decision: verdictOf(decision), score: decision.score, reasons }
}
