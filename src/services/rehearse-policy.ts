import type { DecisionEntry } from '../domain/decision-record.ts'
import type { DiallingRules } from '../domain/dialling-rules.ts'
import { isPhoneNumber, type ParsedNumber } from '../domain/phone-number.ts'
import type { PolicyDocument } from '../domain/policy.ts'
import type { Verdict } from '../domain/verdict.ts'
import { compilePolicy } from '../engine/compiled-policy.ts'
import { type Candidate, coverOf } from '../jobs/candidate-list.ts'
import { type CallerChanges, type ChangeSummary, createChangeTally } from '../jobs/tally-changes.ts'
import type { TippedBy } from '../jobs/tipped-by.ts'
import type { CallerStanding, Standing } from './caller-standing.ts'
import { type DescribedDecision, describeDecision, type ListNames } from './describe-decision.ts'
import { createReplay } from './replay-decision.ts'
import type { DecisionLogReader } from './search-decisions.ts'

/** A summary with what is known about the callers it names. */
export type KnownCallers<Summary extends ChangeSummary> = Omit<Summary, 'callers'> & {
  readonly callers: Omit<ChangeSummary['callers'], 'hitMost'> & {
    readonly hitMost: readonly (CallerChanges & Standing)[]
  }
}

/** What a candidate would have said about recorded decisions: of calls that nothing was known about those of a sample of callers. */
export type Rehearsal = KnownCallers<ChangeSummary> & {
  /** False: more were recorded than one rehearsal replays; the oldest are left out. */
  readonly complete: boolean
  /** The newest changed decisions, with what they would have been. */
  readonly examples: readonly RehearsedDecision[]
  /** What the recorded strengths cannot tell. */
  readonly caveats: readonly string[]
}

type RehearsedDecision = {
  readonly was: DescribedDecision
  readonly decision: Verdict
  readonly score: number
  readonly tippedBy: TippedBy
}

export type PolicyRehearsal = {
  /** Rejects with IMPORT_TOO_WIDE when the ranges of the lists overlap beyond all measure. */
  rehearse(candidate: Candidate, period: { sinceMs: number; untilMs: number }): Promise<Rehearsal>
}

export type PolicyRehearsalDependencies = {
  readonly log: DecisionLogReader
  readonly listName: ListNames
  readonly standing: CallerStanding
  readonly policy: () => PolicyDocument | undefined
  /** parsePhoneNumber in mode `call`: reads back what the log wrote. */
  readonly parse: (text: string) => ParsedNumber
  /** False for a trunk whose calls are let through unseen. */
  readonly isScreened: (trunk: string) => boolean
  readonly home: DiallingRules
}

/** 1 M records take a few seconds of reading, in small turns. */
export const DECISIONS_REHEARSED_MAX = 1_000_000
const EXAMPLES_MAX = 20

/**
 * Replays recorded decisions: the log keeps how strong every signal was, so another policy's score of the same call can
 * be computed from the record alone, and a list adds its own signal to it.
 */
export function createPolicyRehearsal(
  options: { readonly decisionsMax: number },
  deps: PolicyRehearsalDependencies,
): PolicyRehearsal {
  function openReplay({ policy, lists }: Candidate): ReturnType<typeof createReplay> {
    const cover = lists.length === 0 ? undefined : coverOf(lists)
    return createReplay(compilePolicy(policy, 0, deps.home), {
      callerOf: ({ caller }) => deps.parse(caller),
      coverOf({ caller }) {
        const number = cover === undefined ? 0 : deps.parse(caller)
        return cover !== undefined && isPhoneNumber(number) ? cover(number) : 0
      },
      isListed: ({ caller }, kind) => deps.standing.isListed(caller, kind),
      isScreened: deps.isScreened,
    })
  }

  return {
    async rehearse(candidate, period) {
      const replay = openReplay(candidate)
      const tally = createChangeTally()
      const examples: RehearsedDecision[] = []
      let decisions = 0
      let complete = true
      for await (const entry of deps.log.iterate(period)) {
        complete = decisions < options.decisionsMax
        if (!complete) break
        decisions++
        const { verdict, score, tippedBy } = replay(entry)
        tally.note({ ...callOf(entry), to: verdict })
        if (tippedBy !== undefined && examples.length < EXAMPLES_MAX)
          examples.push({ was: describeDecision(entry, deps.listName), decision: verdict, score, tippedBy })
      }
      const { callers, ...summary } = tally.summary()
      return {
        ...summary,
        complete,
        callers: { ...callers, hitMost: callers.hitMost.map((one) => ({ ...one, ...deps.standing.of(one.caller) })) },
        examples,
        caveats: caveatsOf(deps.policy(), candidate),
      }
    },
  }
}

function callOf({ caller, trunk, ingress, verdict }: DecisionEntry) {
  return { caller, trunk, ingress, from: verdict }
}

function caveatsOf(current: PolicyDocument | undefined, { policy, lists }: Candidate): string[] {
  const caveats = [
    'Calls without suspicion are recorded for a sample of callers only: their share of changes is an estimate.',
  ]
  if (lists.length > 0)
    caveats.push(
      'What a callee had asked for is recorded where it mattered only: a call that a list would block may go through.',
    )
  if (lists.some(({ kind }) => kind === 'own'))
    caveats.push(
      'Redirection and roaming are not recorded: such calls from numbers of an own list count as coming from outside.',
    )
  if (current === undefined) return caveats
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
  if (differs(current.reports, policy.reports)) {
    caveats.push(
      'The candidate counts reports differently; the replay uses the strengths of `reported` as they were recorded.',
    )
  }
  if (differs(current.numbering, policy.numbering)) {
    caveats.push('The candidate judges the age of numbering plans differently; the replay uses the recorded strengths.')
  }
  if (differs(current.behaviour, policy.behaviour)) {
    caveats.push(
      'The candidate has other limits of behaviour, which recorded decisions cannot show: rehearse it over calls (--events FILE, or `events`).',
    )
  }
  if (differs(current.rules, policy.rules) || differs(current.thresholds, policy.thresholds) || lists.length > 0) {
    caveats.push(
      'Good evidence was looked up, and doubt about reports recorded, only where there was something to set them against: ' +
        'where the candidate sees more harm, some of these calls would be judged more mildly.',
    )
  }
  if (differs(current.callees, policy.callees)) {
    caveats.push(
      'The candidate names other emergency or service numbers; callees are not recorded, so the replay keeps the old ones.',
    )
  }
  const off = current.rules.filter((rule) => rule.mode === 'off').map((rule) => rule.signal)
  const woken = policy.rules.filter((rule) => rule.mode !== 'off' && off.includes(rule.signal))
  if (woken.length > 0) {
    caveats.push(`These signals were off and so were not recorded: ${woken.map((rule) => rule.signal).join(', ')}.`)
  }
  return caveats
}
