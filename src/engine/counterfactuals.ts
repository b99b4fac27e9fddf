import { type Call, CONFIRMATIONS, TREATMENTS, VERSTATS } from '../domain/call-event.ts'
import type { ListKind } from '../domain/number-list.ts'
import { SIGNAL_NAMES, type SignalName } from '../domain/policy.ts'
import { REPORTERS_KEPT } from '../domain/reputation.ts'
import { VERDICTS, type Verdict } from '../domain/verdict.ts'
import type { ActivityView } from '../shm/activity.ts'
import { type CompiledPolicy, MODE_OFF } from './compiled-policy.ts'
import { type JudgeContext, type Judgement, judge } from './judge.ts'
import { evidenceFrom, type Known } from './known.ts'

/** One thing that, were it so instead, would lead to another verdict. */
export type Change = ChangeKind & {
  /** The verdict it would lead to, and its score. */
  readonly verdict: Verdict
  readonly score: number
}

export type ChangeKind =
  | { readonly change: 'reporters'; readonly from: number; readonly to: number }
  | { readonly change: 'threshold'; readonly threshold: 'flag' | 'block'; readonly from: number; readonly to: number }
  | { readonly change: 'list-removed'; readonly list: string; readonly kind: ListKind }
  | { readonly change: 'list-added'; readonly kind: ListKind }
  | { readonly change: 'rule-off'; readonly signal: SignalName }
  /** As if the caller had made so many calls in the last hour, with everything that came of them in proportion. */
  | { readonly change: 'calls-last-hour'; readonly from: number; readonly to: number }
  /** As if the two numbers had talked within the last days, or had not. */
  | { readonly change: 'known-contact'; readonly to: boolean }
  | { readonly change: 'call'; readonly field: CallField; readonly to: string }

export type CallField = 'treatment' | 'callerStatus.roaming' | 'callerStatus.originating' | 'stir.verstat'

/** A state of affairs a bit different from the real one. */
type WhatIf = { readonly call: Call; readonly known: Known; readonly context: JudgeContext }

/**
 * Tries changes one at a time and keeps those that lead to another verdict: of reporters and thresholds the smallest in
 * each direction, of lists, rules and answers of the call each by itself. A reporter more or less is taken to weigh 1.
 */
export function findChanges(call: Call, known: Known, context: JudgeContext, judgement: Judgement): Change[] {
  const real: WhatIf = { call, known, context }
  const changes: Change[] = []

  /** Notes the change if it flips the verdict in the direction that is wanted; says whether it did. */
  function attempt(kind: ChangeKind, whatIf: WhatIf, wanted: Direction = 'either'): boolean {
    const other = judge(whatIf.call, evidenceFrom(whatIf.known), whatIf.context)
    const step = VERDICTS.indexOf(other.unshadowed) - VERDICTS.indexOf(judgement.unshadowed)
    if (step === 0 || (wanted === 'milder' && step > 0) || (wanted === 'stricter' && step < 0)) return false
    changes.push({ ...kind, verdict: other.unshadowed, score: other.score })
    return true
  }

  tryReporters(real, attempt)
  tryThresholds(real, attempt)
  tryLists(real, attempt)
  for (const { signal, mode, strength } of judgement.signals) {
    if (mode === 'enforce' && strength > 0) attempt({ change: 'rule-off', signal }, withPolicy(real, ruleOff(signal)))
  }
  tryBehaviour(real, attempt)
  tryCall(real, attempt)
  return changes
}

type Direction = 'milder' | 'stricter' | 'either'

type Attempt = (kind: ChangeKind, whatIf: WhatIf, wanted?: Direction) => boolean

function tryReporters(real: WhatIf, attempt: Attempt): void {
  if (real.call.caller <= 0) return
  const from = real.known.reporters
  const withReporters = (to: number): boolean => {
    const harm = Math.max(0, real.known.harm + to - from)
    return attempt({ change: 'reporters', from, to }, { ...real, known: { ...real.known, reporters: to, harm } })
  }
  for (let to = from - 1; to >= 0 && !withReporters(to); to--);
  for (let to = from + 1; to <= REPORTERS_KEPT && !withReporters(to); to++);
}

/**
 * Step by step, because the strength of reports moves with the thresholds. `flag` never passes `block`. A lower threshold
 * is only ever a way to a stricter verdict, a higher one to a milder: the other way round is true at times, since what may
 * only flag is capped below `block` and reports are weighed by both, but nobody would follow such advice.
 */
function tryThresholds(real: WhatIf, attempt: Attempt): void {
  const { flagAt, blockAt } = real.context.policy
  const withFlag = (to: number): boolean =>
    attempt(
      { change: 'threshold', threshold: 'flag', from: flagAt, to },
      withPolicy(real, (policy) => ({ ...policy, flagAt: to })),
      to < flagAt ? 'stricter' : 'milder',
    )
  const withBlock = (to: number): boolean =>
    attempt(
      { change: 'threshold', threshold: 'block', from: blockAt, to },
      withPolicy(real, (policy) => ({ ...policy, blockAt: to })),
      to < blockAt ? 'stricter' : 'milder',
    )
  for (let to = flagAt - 1; to >= 1 && !withFlag(to); to--);
  for (let to = flagAt + 1; to <= blockAt && !withFlag(to); to++);
  for (let to = blockAt - 1; to >= flagAt && !withBlock(to); to--);
  for (let to = blockAt + 1; to <= 100 && !withBlock(to); to++);
}

function tryLists(real: WhatIf, attempt: Attempt): void {
  if (real.call.caller <= 0) return
  const { coverage } = real.known
  for (const listId of new Set(coverage.map((covering) => covering.listId))) {
    const covering = coverage.find((candidate) => candidate.listId === listId)
    if (covering === undefined) continue
    const left = coverage.filter((candidate) => candidate.listId !== listId)
    const kind = { change: 'list-removed', list: covering.list, kind: covering.kind } as const
    attempt(kind, { ...real, known: { ...real.known, coverage: left } })
  }
  for (const kind of ['allow', 'deny', 'protected'] as const) {
    if (coverage.some((covering) => covering.kind === kind)) continue
    const added = { listId: ANY_LIST, list: '', kind, match: 'number', details: {} } as const
    attempt({ change: 'list-added', kind }, { ...real, known: { ...real.known, coverage: [...coverage, added] } })
  }
}

/** Calls are taken away in twentieths: nobody needs to know it to the call. */
const CALL_STEPS = 20

function tryBehaviour(real: WhatIf, attempt: Attempt): void {
  const { behaviour } = real.known
  const withBehaviour = (kind: ChangeKind, change: Partial<Known['behaviour']>): boolean =>
    attempt(kind, { ...real, known: { ...real.known, behaviour: { ...behaviour, ...change } } })
  const from = behaviour.outgoing.attempts60
  let tried = from
  for (let step = CALL_STEPS - 1; step >= 0; step--) {
    const to = Math.floor((from * step) / CALL_STEPS)
    if (to === tried) continue
    tried = to
    const outgoing = scaled(behaviour.outgoing, to / from)
    if (withBehaviour({ change: 'calls-last-hour', from, to }, { outgoing })) break
  }
  const isContact = behaviour.contact === 1
  withBehaviour({ change: 'known-contact', to: !isContact }, { contact: isContact ? 0 : 1 })
}

/** Counts of the last hour in proportion; the past stays. */
function scaled(view: ActivityView, share: number): ActivityView {
  const part = (count: number) => Math.floor(count * share)
  const answered60 = part(view.answered60)
  return {
    ...view,
    attempts1: part(view.attempts1),
    attempts15: part(view.attempts15),
    attempts60: part(view.attempts60),
    others1: part(view.others1),
    others15: part(view.others15),
    others60: part(view.others60),
    ended60: answered60 + part(view.ended60 - view.answered60),
    answered60,
    short60: part(view.short60),
    brief60: part(view.brief60),
    long60: part(view.long60),
    oneRing60: part(view.oneRing60),
    sequential60: part(view.sequential60),
  }
}

/** Any id will do: whoever reads a change is told the kind of list, not which. */
const ANY_LIST = 65_535

function tryCall(real: WhatIf, attempt: Attempt): void {
  const withCall = (field: CallField, to: string, change: Partial<Call>): void => {
    attempt({ change: 'call', field, to }, { ...real, call: { ...real.call, ...change } })
  }
  const { roaming, originating, verstat, treatment } = real.call
  for (const answer of ['confirmed', 'denied'] as const) {
    const code = CONFIRMATIONS.indexOf(answer)
    if (roaming !== code) withCall('callerStatus.roaming', answer, { roaming: code })
    if (originating !== code) withCall('callerStatus.originating', answer, { originating: code })
  }
  for (const result of ['TN-Validation-Passed', 'TN-Validation-Failed'] as const) {
    const code = VERSTATS.indexOf(result)
    if (verstat !== code) withCall('stir.verstat', result, { verstat: code })
  }
  const strictest = TREATMENTS.indexOf('block')
  if (treatment === TREATMENTS.indexOf('off') || treatment === TREATMENTS.indexOf('flag')) {
    withCall('treatment', 'block', { treatment: strictest })
  } else {
    for (const verdict of VERDICTS.slice(0, 2)) {
      const choice = verdict === 'allow' ? 'off' : 'flag'
      withCall('treatment', choice, { treatment: TREATMENTS.indexOf(choice) })
    }
  }
}

function withPolicy(real: WhatIf, change: (policy: CompiledPolicy) => CompiledPolicy): WhatIf {
  return { ...real, context: { ...real.context, policy: change(real.context.policy) } }
}

function ruleOff(signal: SignalName): (policy: CompiledPolicy) => CompiledPolicy {
  return (policy) => {
    const modes = policy.modes.slice()
    modes[SIGNAL_NAMES.indexOf(signal)] = MODE_OFF
    return { ...policy, modes }
  }
}
