import type { DiallingRules } from '../domain/dialling-rules.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { PolicyVersion } from '../domain/policy.ts'
import type { PolicyDesk } from './change-policy.ts'
import { type CandidateListBody, parseCandidateLists } from './parse-candidate-lists.ts'
import type { Candidate, PolicyRehearsal, Rehearsal } from './rehearse-policy.ts'

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
}

export type RehearsalDeskOptions = {
  readonly home: DiallingRules
  /** Rehearsals at work at once; who comes later is refused with QUEUE_FULL. */
  readonly runningMax: number
}

export type RehearsalDeskDependencies = {
  readonly rehearsal: PolicyRehearsal
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
  }
}

function bodyInvalid(message: string): ScreeningError {
  return new ScreeningError('BODY_INVALID', message, {
    errors: [{ pointer: '/text', detail: 'The policy as YAML text; or send it as JSON in `policy`.' }],
  })
}
