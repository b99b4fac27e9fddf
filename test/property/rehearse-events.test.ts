import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIST_KINDS } from '../../src/domain/number-list.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { PolicyDocument } from '../../src/domain/policy.ts'
import type { CandidateList } from '../../src/jobs/candidate-list.ts'
import { rehearseInThread } from '../../src/processes/rehearse-in-thread.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'
import { policy } from '../fixtures/random-world.ts'
import { HOME, NOW } from '../fixtures/screening-world.ts'
import { putEntries } from '../integration/control-plane/fixture.ts'

const FIRST = 79160000000
const number = fc.integer({ min: FIRST, max: FIRST + 19 })
const span = fc.tuple(number, fc.integer({ min: 1, max: 4 })).map(([from, length]) => ({ from, to: from + length }))
const list: fc.Arbitrary<CandidateList> = fc
  .record({
    kind: fc.constantFrom(...LIST_KINDS),
    numbers: fc.uniqueArray(number, { maxLength: 4 }),
    spans: fc.uniqueArray(span, { maxLength: 2, selector: ({ from, to }) => `${from}-${to}` }),
  })
  .map(({ kind, numbers, spans }) => {
    const sorted = [...spans].sort((a, b) => a.from - b.from || a.to - b.to)
    return {
      kind,
      numbers: Float64Array.from(numbers).sort(),
      rangesFrom: Float64Array.from(sorted, ({ from }) => from),
      rangesTo: Float64Array.from(sorted, ({ to }) => to),
    }
  })

/** Calls and their ends, a few seconds apart. */
const events = fc
  .array(
    fc.record({
      caller: fc.oneof(
        number.map((one) => `+${one}`),
        fc.constantFrom(null, 'anonymous', '112'),
      ),
      callee: number.map((one) => `+${one + 1_000}`),
      kind: fc.constantFrom('subscriber', 'national', 'international', undefined),
      talkMs: fc.option(fc.integer({ min: 0, max: 200_000 }), { nil: undefined }),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((calls) =>
    calls.flatMap(({ kind, talkMs, ...numbers }, index) => {
      const call = { type: 'call', callId: `c${index}`, ...numbers, ingress: { kind }, at: NOW + index * 7_000 }
      if (talkMs === undefined) return [call]
      return [call, { ...call, type: 'end', answered: talkMs > 0, ringMs: 3_000, talkMs, at: NOW + index * 7_000 + 1 }]
    }),
  )

async function storeWith(lists: readonly CandidateList[], document: PolicyDocument) {
  const store = createMemoryStore({}, { now: () => NOW })
  await store.putPolicy({ text: '', document }, {}, 'test')
  for (const [index, { kind, numbers, rangesFrom, rangesTo }] of lists.entries()) {
    await store.putList({ name: `list-${index}`, kind, title: '' }, 'test')
    const spans = Array.from(rangesFrom, (from, at) => ({ from, to: rangesTo[at] ?? from }))
    const singles = Array.from(numbers, (one) => ({ from: one, to: one }))
    const rows = [...singles, ...spans].map(({ from, to }) => ({
      from: from as PhoneNumber,
      to: to as PhoneNumber,
      details: {},
    }))
    if (rows.length > 0) await putEntries(store, `list-${index}`, rows)
  }
  return store
}

describe('a rehearsal of events', () => {
  it('changes nothing where the candidate is in force already', async () => {
    let severe = 0
    await fc.assert(
      fc.asyncProperty(fc.array(list, { maxLength: 3 }), policy, events, async (lists, document, replayed) => {
        const store = await storeWith(lists, document)
        const job = { source: { events: replayed }, candidate: { policy: document, lists } }
        const outcome = await rehearseInThread(job, { home: HOME, trunks: [] }, store, () => NOW)
        if (!outcome.ok) throw new Error(outcome.message)
        expect(outcome.value.examples).toEqual([])
        severe += outcome.value.verdicts.filter(({ from }) => from !== 'allow').length
        await store.close()
      }),
      { numRuns: 60 },
    )
    expect(severe).toBeGreaterThan(0)
  })

  it('says what the same candidate would say once it is in force', async () => {
    let changed = 0
    await fc.assert(
      fc.asyncProperty(
        fc.array(list, { maxLength: 3 }),
        policy,
        policy,
        events,
        async (lists, before, after, replayed) => {
          const run = async (inForce: Awaited<ReturnType<typeof storeWith>>, rehearsed: readonly CandidateList[]) => {
            const job = { source: { events: replayed }, candidate: { policy: after, lists: rehearsed } }
            const outcome = await rehearseInThread(job, { home: HOME, trunks: [] }, inForce, () => NOW)
            if (!outcome.ok) throw new Error(outcome.message)
            await inForce.close()
            return outcome.value
          }
          const rehearsal = await run(await storeWith([], before), lists)
          const later = await run(await storeWith(lists, after), [])
          const totals = (side: 'from' | 'to', { verdicts }: typeof rehearsal) =>
            ['allow', 'flag', 'block'].map((verdict) =>
              verdicts.filter((pair) => pair[side] === verdict).reduce((sum, { count }) => sum + count, 0),
            )
          expect(totals('to', rehearsal)).toEqual(totals('from', later))
          changed += rehearsal.changed
        },
      ),
      { numRuns: 60 },
    )
    expect(changed).toBeGreaterThan(0)
  })
})
