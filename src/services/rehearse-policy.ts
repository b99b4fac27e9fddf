import type { DecisionEntry } from '../domain/decision-record.ts'
import type { DiallingRules } from '../domain/dialling-rules.ts'
import { isPhoneNumber, type ParsedNumber } from '../domain/phone-number.ts'
import { type PolicyDocument, SIGNAL_NAMES } from '../domain/policy.ts'
import type { ReasonCode } from '../domain/reason.ts'
import { scoreOf } from '../domain/score.ts'
import { STRENGTH_FULL } from '../domain/signal.ts'
import { ALLOW, BLOCK, FLAG, VERDICTS, type Verdict } from '../domain/verdict.ts'
import { type CompiledPolicy, compilePolicy, MODE_ENFORCE } from '../engine/compiled-policy.ts'
import { isContradicted, weighSignals } from '../engine/signals/measure-signals.ts'
import { type DescribedDecision, describeDecision, type ListNames } from './describe-decision.ts'
import type { ListMembership } from './list-membership.ts'
import type { DecisionLogReader } from './search-decisions.ts'

/** What a candidate policy would have said about recorded calls. */
type Rehearsal = {
  /** Recorded decisions replayed. Calls that nothing was known about are recorded for a sample of callers only. */
  readonly decisions: number
  /** False: more were recorded than one rehearsal replays; the oldest are left out. */
  readonly complete: boolean
  readonly changed: number
  readonly changes: readonly { readonly from: Verdict; readonly to: Verdict; readonly count: number }[]
  /** The newest changed decisions, with what they would have been. */
  readonly examples: readonly { readonly was: DescribedDecision; readonly decision: Verdict; readonly score: number }[]
  /** What the recorded strengths cannot tell. */
  readonly caveats: readonly string[]
}

export type PolicyRehearsal = {
  rehearse(candidate: PolicyDocument, period: { sinceMs: number; untilMs: number }): Promise<Rehearsal>
}

export type PolicyRehearsalDependencies = {
  readonly log: DecisionLogReader
  readonly listName: ListNames
  readonly membership: ListMembership
  readonly policy: () => PolicyDocument | undefined
  /** parsePhoneNumber in mode `call`: reads back what the log wrote. */
  readonly parse: (text: string) => ParsedNumber
  readonly home: DiallingRules
  readonly now: () => number
}

/** 1 M records take a few seconds of reading, in small turns. */
const REHEARSED_MAX = 1_000_000
const EXAMPLES_MAX = 20

/** Reasons that no policy rule can change: they were decided before the score. */
const FINAL_REASONS: readonly ReasonCode[] = ['emergency-callee', 'service-callee', 'overloaded', 'not-ready']
const DENY_LISTED = SIGNAL_NAMES.indexOf('deny-listed')

/**
 * Replays recorded decisions: the log keeps how strong every signal was, so another policy's score of the same call can
 * be computed from the record alone, with the very functions the verdict path uses.
 */
export function createPolicyRehearsal(deps: PolicyRehearsalDependencies): PolicyRehearsal {
  function isProtected({ caller }: DecisionEntry): boolean {
    const number = deps.parse(caller)
    if (!isPhoneNumber(number)) return false
    return deps.membership.of(number, deps.now(), ['protected']).some((entry) => !entry.isExpired)
  }

  return {
    async rehearse(candidate, period) {
      const replay = createReplay(compilePolicy(candidate, 0, deps.home), isProtected)
      const counts = new Map<string, { from: Verdict; to: Verdict; count: number }>()
      const examples: Rehearsal['examples'][number][] = []
      let decisions = 0
      let changed = 0
      for await (const entry of deps.log.iterate(period)) {
        if (decisions === REHEARSED_MAX) {
          return {
            decisions,
            complete: false,
            changed,
            changes: ordered(counts),
            examples,
            caveats: caveatsOf(deps.policy(), candidate),
          }
        }
        decisions++
        const { verdict, score } = replay(entry)
        const to = VERDICTS[verdict] ?? 'allow'
        if (to === entry.verdict) continue
        changed++
        const key = `${entry.verdict} ${to}`
        const change = counts.get(key) ?? { from: entry.verdict, to, count: 0 }
        change.count++
        counts.set(key, change)
        if (examples.length < EXAMPLES_MAX)
          examples.push({ was: describeDecision(entry, deps.listName), decision: to, score })
      }
      return {
        decisions,
        complete: true,
        changed,
        changes: ordered(counts),
        examples,
        caveats: caveatsOf(deps.policy(), candidate),
      }
    },
  }
}

function ordered<Change extends { readonly count: number }>(counts: ReadonlyMap<string, Change>): Change[] {
  return [...counts.values()].sort((a, b) => b.count - a.count)
}

type Replayed = { readonly verdict: number; readonly score: number }

/** The precedence of engine/screen.ts over recorded strengths. */
function createReplay(
  policy: CompiledPolicy,
  isProtected: (entry: DecisionEntry) => boolean,
): (entry: DecisionEntry) => Replayed {
  const strengths = new Uint16Array(SIGNAL_NAMES.length)
  const contributions = new Float64Array(SIGNAL_NAMES.length)

  function decide(entry: DecisionEntry): Replayed {
    const contradicted = isContradicted(policy, strengths)
    if (entry.reasons.some(({ code }) => code === 'allow-listed') && !contradicted) return { verdict: ALLOW, score: 0 }
    const onlyFlags = weighSignals(policy, strengths, contradicted, contributions)
    const score = scoreOf(contributions, onlyFlags, policy.blockAt)
    if (strengths[DENY_LISTED] === STRENGTH_FULL && policy.modes[DENY_LISTED] === MODE_ENFORCE)
      return { verdict: BLOCK, score }
    const verdict = score >= policy.blockAt ? BLOCK : score >= policy.flagAt ? FLAG : ALLOW
    return { verdict: verdict === BLOCK && !contradicted && isProtected(entry) ? FLAG : verdict, score }
  }

  return (entry) => {
    const was = { verdict: VERDICTS.indexOf(entry.verdict), score: entry.score }
    if (entry.reasons.some(({ code }) => FINAL_REASONS.includes(code))) return was
    for (const [index, name] of SIGNAL_NAMES.entries()) {
      strengths[index] = Math.round((entry.strengths[name] ?? 0) * STRENGTH_FULL)
    }
    if (strengths.every((strength) => strength === 0)) return was
    const decided = decide(entry)
    // The callee's own choice capped the verdict then, and would again.
    return entry.flags.includes('capped') ? { ...decided, verdict: Math.min(decided.verdict, was.verdict) } : decided
  }
}

function caveatsOf(current: PolicyDocument | undefined, candidate: PolicyDocument): string[] {
  const caveats = [
    'Calls without suspicion are recorded for a sample of callers only: their share of changes is an estimate.',
  ]
  if (current === undefined) return caveats
  const differs = (a: unknown, b: unknown) => JSON.stringify(a) !== JSON.stringify(b)
  if (differs(current.reports, candidate.reports)) {
    caveats.push(
      'The candidate counts reports differently; the replay uses the strengths of `reported` as they were recorded.',
    )
  }
  if (differs(current.numbering, candidate.numbering)) {
    caveats.push('The candidate judges the age of numbering plans differently; the replay uses the recorded strengths.')
  }
  if (differs(current.callees, candidate.callees)) {
    caveats.push(
      'The candidate names other emergency or service numbers; callees are not recorded, so the replay keeps the old ones.',
    )
  }
  const off = current.rules.filter((rule) => rule.mode === 'off').map((rule) => rule.signal)
  const woken = candidate.rules.filter((rule) => rule.mode !== 'off' && off.includes(rule.signal))
  if (woken.length > 0) {
    caveats.push(`These signals were off and so were not recorded: ${woken.map((rule) => rule.signal).join(', ')}.`)
  }
  return caveats
}
