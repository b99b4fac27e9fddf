import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Call } from '../../src/domain/call-event.ts'
import { INGRESS_KINDS } from '../../src/domain/call-event.ts'
import { type DecisionEntry, decodeDecision } from '../../src/domain/decision-record.ts'
import { LIST_KINDS } from '../../src/domain/number-list.ts'
import { parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'
import { isPhoneNumber } from '../../src/domain/phone-number.ts'
import type { PolicyDocument } from '../../src/domain/policy.ts'
import { compilePolicy } from '../../src/engine/compiled-policy.ts'
import { type CandidateList, coverOf } from '../../src/jobs/candidate-list.ts'
import { createReplay } from '../../src/services/replay-decision.ts'
import { anyCall, number, policy, world } from '../fixtures/random-world.ts'
import { HOME, openWorld, type World } from '../fixtures/screening-world.ts'

/** A rehearsed list: some numbers, some ranges. */
const candidateList: fc.Arbitrary<CandidateList> = fc
  .record({
    kind: fc.constantFrom(...LIST_KINDS),
    numbers: fc.uniqueArray(number, { maxLength: 4 }),
    ranges: fc.uniqueArray(fc.integer({ min: 79160000000, max: 79160000009 }), { maxLength: 2 }),
  })
  .map(({ kind, numbers, ranges }) => {
    const from = Float64Array.from(ranges).sort()
    return { kind, numbers: Float64Array.from(numbers).sort(), rangesFrom: from, rangesTo: from.map((one) => one + 3) }
  })

const known: fc.Arbitrary<Pick<World, 'lists' | 'plans' | 'trunks'> & { policy: PolicyDocument }> = world.map(
  ({ lists = [], plans = [], trunks = [], policy: inForce }) => ({
    lists,
    plans,
    trunks: trunks.map((trunk) => ({
      ...trunk,
      screening: trunk.screening === 'shadow' ? 'enforce' : trunk.screening,
    })),
    policy: inForce as PolicyDocument,
  }),
)

/** What the log does not keep is left out: the callee's wish, redirection, a confirmed stay abroad. */
function recordable(call: Partial<Call>, { trunks = [] }: World): Partial<Call> {
  const kind = trunks[(call.trunk ?? 0) - 1]?.kind ?? 'unknown'
  const ingress = call.ingress === 0 ? INGRESS_KINDS.indexOf(kind) : (call.ingress ?? 0)
  return { ...call, ingress, redirecting: -1, treatment: 0, roaming: call.roaming === 1 ? 0 : (call.roaming ?? 0) }
}

/** The call as the decision log of this world keeps it. */
function record(described: World, call: Partial<Call>): DecisionEntry {
  const opened = openWorld({ ...described, sampleOneIn: 1 })
  opened.screen(call)
  const [view] = opened.drain()
  if (view === undefined) throw new Error('Every call is in the log of a world that samples all.')
  return decodeDecision(view, 0, ['', ...(described.trunks ?? []).map((trunk) => trunk.name)])
}

/** The candidate measures what was measured then: rules that were off stay off. */
function comparable(candidate: PolicyDocument, inForce: PolicyDocument): PolicyDocument {
  const off = inForce.rules.filter((rule) => rule.mode === 'off').map((rule) => rule.signal)
  return {
    ...candidate,
    rules: candidate.rules.map((rule) => (off.includes(rule.signal) ? { ...rule, mode: 'off' } : rule)),
  }
}

function withLists(described: World, lists: readonly CandidateList[]): World {
  const added = lists.map(({ kind, numbers, rangesFrom, rangesTo }, index) => ({
    name: `rehearsed-${index}`,
    kind,
    layers: [{ numbers: [...numbers] }],
    ranges: Array.from(rangesFrom, (from, at) => ({ from, to: rangesTo[at] ?? from })),
  }))
  return { ...described, lists: [...(described.lists ?? []), ...added] }
}

function replayIn(described: World, candidate: PolicyDocument, lists: readonly CandidateList[], entry: DecisionEntry) {
  const cover = coverOf(lists)
  const caller = parsePhoneNumber(entry.caller, HOME, 'call')
  const off = (described.trunks ?? []).filter((trunk) => trunk.screening === 'off').map((trunk) => trunk.name)
  const replay = createReplay(compilePolicy(candidate, 0, HOME), {
    callerOf: () => caller,
    coverOf: () => (isPhoneNumber(caller) ? cover(caller) : 0),
    isListed: (_entry, kind) =>
      openWorld(described)
        .explain({ caller })
        .lists.some((list) => list.kind === kind),
    isScreened: (trunk) => !off.includes(trunk),
  })
  return replay(entry)
}

describe('a rehearsal over the decision log', () => {
  it('says what the engine would have said with that policy and these lists in force', () => {
    let changed = 0
    fc.assert(
      fc.property(
        known,
        anyCall,
        policy,
        fc.array(candidateList, { maxLength: 3 }),
        (described, asked, other, lists) => {
          const call = recordable(asked, described)
          const candidate = comparable(other, described.policy)
          const entry = record(described, call)
          // The log keeps a strength in 1/255: only what is certain comes back exactly.
          fc.pre(Object.values(entry.strengths).every((strength) => strength === 1))
          const replayed = replayIn(described, candidate, lists, entry)
          const answer = openWorld(withLists({ ...described, policy: candidate }, lists)).screen(call)
          expect({ verdict: replayed.verdict, score: replayed.score }).toEqual({
            verdict: answer.verdict,
            score: answer.score,
          })
          expect(replayed.tippedBy === undefined).toBe(replayed.verdict === entry.verdict)
          if (replayed.tippedBy !== undefined) changed++
        },
      ),
      { numRuns: 2_000 },
    )
    expect(changed).toBeGreaterThan(100)
  })
})
