import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DECISION_FLAG } from '../../src/domain/decision-record.ts'
import { SIGNAL_FACTS } from '../../src/domain/signal.ts'
import { VERDICTS } from '../../src/domain/verdict.ts'
import { anyCall, number, world } from '../fixtures/random-world.ts'
import { type OpenWorld, openWorld, type World } from '../fixtures/screening-world.ts'

/** Every world has a memory of its own and a past to screen: some milliseconds each. */
const RUNS = { numRuns: 250 }
/** Laws that must hold whatever else does: more states, and test/property/never-block.test.ts has far more yet. */
const NEVER_BLOCK = { numRuns: 400 }
const severity = (verdict: string) => (VERDICTS as readonly string[]).indexOf(verdict)

/** A question to a world that nobody has asked before: a call that is screened counts, and the next one finds it. */
function askAfresh(described: World, call: Parameters<OpenWorld['screen']>[0]): ReturnType<OpenWorld['screen']> {
  return openWorld(described).screen(call)
}

/** The score alone decides: no list, protection, trunk or treatment has a say. */
function scoreOnly(described: World): World {
  return { ...described, trunks: [], lists: (described.lists ?? []).filter(({ kind }) => kind === 'watch') }
}

/** The same world with one more list that holds the number. */
function withOnList(described: World, kind: 'allow' | 'deny' | 'protected' | 'watch', listed: number): World {
  const added = { name: 'added', kind, layers: [{ numbers: [listed] }] }
  return { ...described, lists: [...(described.lists ?? []), added] }
}

/** The explanation comes first: the call itself is counted once it has been decided. */
function expectSame(opened: OpenWorld, call: Parameters<OpenWorld['explain']>[0]): void {
  const slow = opened.explain(call)
  const fast = opened.screen(call)
  const reasons = slow.reasons.map(({ code, points, basis, list = '' }) => ({ code, points, basis, list }))
  expect({
    verdict: fast.verdict,
    score: fast.score,
    basis: fast.basis,
    capped: Boolean(fast.flags & DECISION_FLAG.capped),
    reviewWanted: Boolean(fast.flags & DECISION_FLAG.reviewWanted),
    reasons: fast.reasons.map(({ code, points, basis, listId }) => ({
      code,
      points,
      basis,
      list: opened.snapshot.lists.find((list) => list.listId === listId)?.name ?? '',
    })),
  }).toEqual({
    verdict: slow.verdict,
    score: slow.score,
    basis: slow.basis,
    capped: slow.capped,
    reviewWanted: slow.reviewWanted,
    reasons,
  })
}

describe('screen and explain', () => {
  it('give the same verdict, score and reasons', () => {
    fc.assert(
      fc.property(world, fc.array(anyCall, { minLength: 1, maxLength: 4 }), (described, calls) => {
        const opened = openWorld(described)
        for (const call of calls) expectSame(opened, call)
        expect(opened.failures).toEqual([])
      }),
      RUNS,
    )
  })

  it('agree on what the precedence step was worth: every change explain names does flip the verdict', () => {
    fc.assert(
      fc.property(world, anyCall, (described, call) => {
        const slow = openWorld(described).explain(call)
        for (const change of slow.changes) expect(change.verdict).not.toBe(slow.unshadowed)
      }),
      RUNS,
    )
  })

  it('never name a lower threshold as the way to a milder verdict, nor a higher one to a stricter', () => {
    fc.assert(
      fc.property(world, anyCall, (described, call) => {
        const slow = openWorld(described).explain(call)
        for (const change of slow.changes) {
          if (change.change !== 'threshold') continue
          expect(change.to < change.from).toBe(severity(change.verdict) > severity(slow.unshadowed))
        }
      }),
      RUNS,
    )
  })
})

describe('in any state', () => {
  it('an emergency call gets through, late or not', () => {
    fc.assert(
      fc.property(world, anyCall, fc.boolean(), (described, call, isLate) => {
        const deadline = isLate ? { deadlineMs: 0 } : {}
        expect(askAfresh(described, { ...call, callee: 1112, ...deadline }).verdict).toBe('allow')
      }),
      NEVER_BLOCK,
    )
  })

  it('an allow-listed caller that is not contradicted gets through', () => {
    fc.assert(
      fc.property(world, anyCall, number, (described, call, caller) => {
        const opened = openWorld(withOnList(described, 'allow', caller))
        const { contradicted } = opened.explain({ ...call, caller })
        if (!contradicted) expect(opened.screen({ ...call, caller }).verdict).toBe('allow')
      }),
      NEVER_BLOCK,
    )
  })

  it('a protected caller that is neither contradicted nor denied is never blocked', () => {
    fc.assert(
      fc.property(world, anyCall, number, (described, call, caller) => {
        const lists = (described.lists ?? []).filter(({ kind }) => kind !== 'deny')
        const opened = openWorld(withOnList({ ...described, lists }, 'protected', caller))
        const { contradicted } = opened.explain({ ...call, caller })
        if (!contradicted) expect(opened.screen({ ...call, caller }).verdict).not.toBe('block')
      }),
      NEVER_BLOCK,
    )
  })

  it('a treatment caps the verdict and never raises it', () => {
    fc.assert(
      fc.property(world, anyCall, (described, call) => {
        const verdicts = [0, 1, 2, 3].map((treatment) => askAfresh(described, { ...call, treatment }).verdict)
        const [none, off, flag, block] = verdicts
        expect(off).toBe('allow')
        expect(flag).toBe(none === 'block' ? 'flag' : none)
        expect(block).toBe(none)
      }),
      RUNS,
    )
  })

  it('a trunk in shadow mode is told allow', () => {
    fc.assert(
      fc.property(world, anyCall, (described, call) => {
        const trunks = [{ name: 's', kind: 'national', screening: 'shadow', failMode: 'closed' }] as const
        expect(askAfresh({ ...described, trunks }, { ...call, trunk: 1 }).verdict).toBe('allow')
      }),
      RUNS,
    )
  })

  it('rules in shadow mode change nothing', () => {
    fc.assert(
      fc.property(world, anyCall, (described, call) => {
        const rules = described.policy?.rules ?? []
        const policyWith = (mode: 'off' | 'shadow') => ({
          ...(described.policy as NonNullable<World['policy']>),
          rules: rules.map((rule) => (rule.mode === 'shadow' ? { ...rule, mode } : rule)),
        })
        const shadow = askAfresh({ ...described, policy: policyWith('shadow') }, call)
        const off = askAfresh({ ...described, policy: policyWith('off') }, call)
        expect({ ...shadow, verdictId: '' }).toEqual({ ...off, verdictId: '' })
      }),
      RUNS,
    )
  })

  it('more harm never lowers the score or softens the verdict', () => {
    fc.assert(
      fc.property(world, anyCall, number, (described, call, caller) => {
        const before = askAfresh(scoreOnly(described), { ...call, caller })
        const watched = askAfresh(withOnList(scoreOnly(described), 'watch', caller), { ...call, caller })
        const denied = askAfresh(scoreOnly(described), { ...call, caller, originating: 2 })
        for (const after of [watched, denied]) {
          expect(after.score).toBeGreaterThanOrEqual(before.score)
          expect(severity(after.verdict)).toBeGreaterThanOrEqual(severity(before.verdict))
        }
      }),
      RUNS,
    )
  })

  it('one more reporter never lowers the score', () => {
    fc.assert(
      fc.property(world, anyCall, (described, call) => {
        const reports = described.reports ?? []
        const score = (more: typeof reports) => askAfresh({ ...scoreOnly(described), reports: more }, call).score
        const [last] = reports.slice(-1)
        if (last === undefined) return
        const another = { ...last, reporter: 'd'.repeat(32) }
        expect(score([...reports, another])).toBeGreaterThanOrEqual(score(reports))
      }),
      RUNS,
    )
  })

  it('good evidence never raises the score', () => {
    fc.assert(
      fc.property(world, anyCall, (described, call) => {
        const plain = { ...call, attestation: 0, verstat: 0 }
        const before = askAfresh(described, plain)
        const after = askAfresh(described, { ...plain, attestation: 1, verstat: 1 })
        expect(after.score).toBeLessThanOrEqual(before.score)
        expect(severity(after.verdict)).toBeLessThanOrEqual(severity(before.verdict))
      }),
      RUNS,
    )
  })

  it('the same call within 60 seconds gets the same id and answer, whatever changed meanwhile', () => {
    fc.assert(
      fc.property(world, world, anyCall, fc.integer({ min: 0, max: 60_000 }), (one, other, call, laterMs) => {
        const opened = openWorld(one)
        const asked = { ...call, callHashLow: 5, callHashHigh: 6 }
        const first = opened.screen(asked)
        opened.screener.install(openWorld(other).snapshot)
        const nowMs = Date.parse('2026-03-01T12:00:00Z') + laterMs
        expect(opened.screen({ ...asked, nowMs, deadlineMs: nowMs })).toEqual(first)
      }),
      RUNS,
    )
  })

  it('a deterministic basis comes from a fact', () => {
    fc.assert(
      fc.property(world, anyCall, (described, call) => {
        const answer = askAfresh(described, call)
        if (answer.basis !== 'deterministic') return
        const [first] = answer.reasons
        const isCallee = first?.code === 'emergency-callee' || first?.code === 'service-callee'
        const facts = Object.values(SIGNAL_FACTS).find(({ reason }) => reason === first?.code)
        expect(isCallee || facts?.isDeterministicAtFull).toBe(true)
      }),
      RUNS,
    )
  })
})
