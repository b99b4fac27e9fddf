import { PATTERN_FEATURES, SCORECARDS } from '../domain/behaviour.ts'
import type { SignalName } from '../domain/policy.ts'
import type { ActivityView } from '../shm/activity.ts'
import type { SignalContext } from './compiled-state.ts'
import type { Evidence } from './evidence.ts'
import { isJudgedBy, LOG_UNIT, patternFeatures } from './signals/calling-pattern.ts'
import { fruitless, listened, talks } from './signals/outcomes.ts'
import { burstInVain } from './signals/robocall-burst.ts'

/** One figure behind a signal: what was counted, and the limit of the policy it is held against, when there is one. */
export type SignalValue = { readonly name: string; readonly value: number; readonly limit?: number }

type Describe = (evidence: Evidence, context: SignalContext) => readonly SignalValue[]

const value = (name: string, count: number, limit?: number): SignalValue =>
  limit === undefined ? { name, value: count } : { name, value: count, limit }

const outcomes = (activity: ActivityView): SignalValue[] => [
  value('fruitless60', fruitless(activity)),
  value('listened60', listened(activity)),
]

/** Signals that are more than yes or no. */
const DESCRIBED: Readonly<Partial<Record<SignalName, Describe>>> = {
  reported: ({ reporters }, { policy }) => [value('reporters', reporters, policy.blockReporters)],
  'reported-share': ({ harmShare }) => [value('lowerBoundThousandths', harmShare)],
  'number-block': ({ blockHarm }) => [value('blockHarmThousandths', blockHarm)],
  'robocall-burst': ({ outgoing, incoming }, { policy: { behaviour } }) => [
    value('callees1', outgoing.others1, behaviour.robocall.callees1),
    value('callees15', outgoing.others15, behaviour.robocall.callees15),
    value('callees60', outgoing.others60, behaviour.robocall.callees60),
    value('days', outgoing.days),
    value('incoming', incoming.totalAttempts),
    value('surplusInVain60', burstInVain(outgoing), behaviour.robocall.fruitless),
    ...outcomes(outgoing),
  ],
  'one-ring': ({ outgoing }, { policy: { behaviour } }) => [
    value('rungOnce60', outgoing.oneRing60, behaviour.oneRing.callees),
    value('callees60', outgoing.others60),
    value('talks60', talks(outgoing)),
  ],
  'sequential-dialling': ({ outgoing }, { policy: { behaviour } }) => [
    value('inSequence60', outgoing.sequential60, behaviour.sequential.calls),
    value('talks60', talks(outgoing)),
  ],
  'neighbour-spoofing': ({ strangers15 }, { policy: { behaviour } }) => [
    value('strangersOnTrunk15', strangers15[1] ?? 0, behaviour.strangers.neighbours),
  ],
  'national-from-abroad': ({ strangers15 }, { policy: { behaviour } }) => [
    value('strangersOnTrunk15', strangers15[0] ?? 0, behaviour.strangers.fromAbroad),
  ],
  'own-number-from-outside': ({ strangers15 }, { policy: { behaviour } }) => [
    value('strangersOnTrunk15', strangers15[2] ?? 0, behaviour.strangers.ownNumbers),
  ],
  'pool-rotation': ({ block, newcomers60 }, { policy: { behaviour } }) => [
    value('newcomers60', newcomers60, behaviour.rotation.newcomers),
    value('blockCallers60', block.others60, behaviour.rotation.callers),
    value('blockFruitless60', fruitless(block), behaviour.rotation.calls),
    value('blockListened60', listened(block)),
  ],
  'sim-box': ({ outgoing, incoming }, { policy: { behaviour } }) => [
    value('calls', outgoing.totalAttempts, behaviour.simBox.calls),
    value('callees60', outgoing.others60, behaviour.simBox.callees60),
    value('incoming', incoming.totalAttempts),
  ],
  'many-trunks': ({ outgoing }, { policy: { behaviour } }) => [
    value('trunks15', outgoing.trunks15, behaviour.trunks.count),
    ...outcomes(outgoing),
  ],
  'callee-flood': ({ called }, { policy: { behaviour } }) => [
    value('callersOfCallee15', called.others15, behaviour.flood.calls),
    ...outcomes(called),
  ],
  conversations: ({ outgoing, incoming }) => [
    value('longTalks', outgoing.totalLong + incoming.totalLong),
    value('days', outgoing.days),
  ],
  'calling-pattern': (evidence, { policy }) => {
    const features = new Int16Array(PATTERN_FEATURES.length)
    patternFeatures(evidence, features)
    const judged = policy.scorecards.flatMap(({ bias, weights }, index) => {
      if (!isJudgedBy(index, evidence)) return []
      const parts = PATTERN_FEATURES.map((name, at) =>
        value(name, Math.round(((weights[at] ?? 0) * (features[at] ?? 0)) / LOG_UNIT)),
      ).filter((part) => part.value !== 0)
      return { index, bias, parts, logit: parts.reduce((sum, part) => sum + part.value, bias) }
    })
    const worst = judged.reduce((one, other) => (other.logit > one.logit ? other : one))
    return [
      value('logitThousandths', worst.logit, policy.behaviour.pattern.full),
      value(SCORECARDS[worst.index] ?? '', worst.bias),
      ...worst.parts,
    ]
  },
}

/** The figures behind a signal, for people. */
export function signalValues(signal: SignalName, evidence: Evidence, context: SignalContext): readonly SignalValue[] {
  return DESCRIBED[signal]?.(evidence, context) ?? []
}
