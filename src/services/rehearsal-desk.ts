import type { DiallingRules } from '../domain/dialling-rules.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { PolicyVersion } from '../domain/policy.ts'
import type { Candidate } from '../jobs/candidate-list.ts'
import type { EventSource } from '../jobs/read-events.ts'
import type { EventRehearsal, RehearseEventsJob } from '../jobs/rehearse-events.ts'
import type { CallerStanding } from './caller-standing.ts'
import type { PolicyDesk } from './change-policy.ts'
import { type CandidateListBody, parseCandidateLists } from './parse-candidate-lists.ts'
import type { KnownCallers, PolicyRehearsal, Rehearsal } from './rehearse-policy.ts'

export { CANDIDATE_TYPE, EVENTS_BYTES_MAX } from '../jobs/read-events.ts'

/** A candidate as it was sent: a policy as YAML text or as JSON, lists, or both. */
export type CandidateBody = {
  readonly text?: string
  readonly policy?: Readonly<Record<string, unknown>>
  readonly lists?: readonly CandidateListBody[]
}

/** What people and programs rehearse. Changes nothing. */
export type RehearsalDesk = {
  /** Replays the decision log. Rejects with POLICY_INVALID, NUMBER_INVALID, BODY_INVALID, QUEUE_FULL. */
  ofLog(body: CandidateBody, period: { sinceMs: number; untilMs: number }): Promise<Rehearsal>
  /**
   * Replays recorded call events through the engine of the verdict path. Rejects as ofLog does, and with EVENTS_INVALID,
   * EVENTS_EMPTY, EVENTS_TOO_MANY.
   */
  ofEvents(body: CandidateBody, source: EventSource): Promise<RehearsedEvents>
}

/** What a candidate says about recorded events, beside what is in force. */
export type RehearsedEvents = KnownCallers<EventRehearsal> & {
  /** What a replay cannot know. */
  readonly caveats: readonly string[]
}

export type RehearsalDeskOptions = {
  readonly home: DiallingRules
  /** Rehearsals at work at once; who comes later is refused with QUEUE_FULL. */
  readonly runningMax: number
}

export type RehearsalDeskDependencies = {
  readonly rehearsal: PolicyRehearsal
  /** jobs/rehearse-events.ts over the record as it is now. */
  readonly rehearseEvents: (job: RehearseEventsJob) => Promise<EventRehearsal>
  readonly standing: CallerStanding
  readonly read: PolicyDesk['read']
  readonly current: () => PolicyVersion | undefined
}

/** Each reads up to a million records, in turns with everything else this process does. */
export const REHEARSALS_RUNNING_MAX = 2
/** One of a full log takes some seconds. */
const RETRY_AFTER_SECONDS = 5

export function createRehearsalDesk(options: RehearsalDeskOptions, deps: RehearsalDeskDependencies): RehearsalDesk {
  let running = 0

  async function admit<T>(work: () => Promise<T>): Promise<T> {
    if (running >= options.runningMax) {
      throw new ScreeningError('QUEUE_FULL', `${running} rehearsals are running already.`, {
        retryAfterSeconds: RETRY_AFTER_SECONDS,
      })
    }
    running++
    try {
      return await work()
    } finally {
      running--
    }
  }

  /** Without a policy of its own: the lists are tried under the one in force. */
  function candidateOf({ text, policy, lists = [] }: CandidateBody): Candidate {
    if (text !== undefined && policy !== undefined) throw bodyInvalid('Only one of text and policy is taken.')
    const given = text ?? policy
    if (given === undefined && lists.length === 0) {
      throw bodyInvalid('A policy (text or policy) or lists to rehearse are needed.')
    }
    const document = given === undefined ? deps.current()?.document : deps.read(given).document
    if (document === undefined) throw new ScreeningError('NOT_FOUND', 'No policy was set yet.')
    return { policy: document, lists: parseCandidateLists(lists, options.home) }
  }

  return {
    ofLog: (body, period) => admit(() => deps.rehearsal.rehearse(candidateOf(body), period)),
    ofEvents: (body, source) =>
      admit(async () => {
        const { callers, ...rest } = await deps.rehearseEvents({ source, candidate: candidateOf(body) })
        const hitMost = callers.hitMost.map((one) => ({ ...one, ...deps.standing.of(one.caller) }))
        return { ...rest, callers: { ...callers, hitMost }, caveats: caveatsOf(rest) }
      }),
  }
}

function caveatsOf({ late, unknownTrunks }: Pick<EventRehearsal, 'late' | 'unknownTrunks'>): string[] {
  const caveats = [
    'Reports, lists and numbering plans are those of now: what came after a call counts for it, what is gone does not.',
    'The memory of calls begins empty: of the first ones less is known than a running service would know.',
  ]
  if (late > 0) caveats.push(`Events out of order, taken at the newest moment before them: ${late}.`)
  if (unknownTrunks > 0)
    caveats.push(
      `Calls that name a trunk which is not registered here, and count as coming from none: ${unknownTrunks}.`,
    )
  return caveats
}

function bodyInvalid(message: string): ScreeningError {
  return new ScreeningError('BODY_INVALID', message, {
    errors: [{ pointer: '/text', detail: 'The policy as YAML text; or send it as JSON in `policy`.' }],
  })
}
