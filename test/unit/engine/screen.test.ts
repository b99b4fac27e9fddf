import { describe, expect, it } from 'vitest'
import type { Call } from '../../../src/domain/call-event.ts'
import { DECISION_FLAG } from '../../../src/domain/decision-record.ts'
import type { ListKind } from '../../../src/domain/number-list.ts'
import { REASON_CODES } from '../../../src/domain/reason.ts'
import { createCallEnd } from '../../../src/engine/behaviour.ts'
import type { HashedCallId } from '../../../src/engine/call-hasher.ts'
import { createDecision } from '../../../src/engine/decision.ts'
import {
  CALLEE,
  CALLER,
  call,
  DEFAULT_POLICY,
  inWords,
  NOW,
  openWorld,
  reports,
  type World,
  type WorldLayer,
  type WorldList,
  withRules,
} from '../../fixtures/screening-world.ts'

const INTERNATIONAL = 3
const DENIED = 2
const FAILED = 2
const EMERGENCY = 1112
const TREATMENT = { none: 0, off: 1, flag: 2, block: 3 }

const on = (...kinds: ListKind[]): WorldList[] =>
  kinds.map((kind) => ({ name: `the-${kind}`, kind, layers: [{ numbers: [CALLER] }] }))

describe('precedence', () => {
  it('allows a caller nobody knows, and says that it knows nothing', () => {
    expect(openWorld().screen({})).toMatchObject({
      verdict: 'allow',
      score: 0,
      reasons: [{ code: 'no-evidence', points: 0, listId: 0 }],
    })
  })

  it.each([
    ['112', 1112, 'emergency-callee'],
    ['02', 102, 'emergency-callee'],
    ['102', 1102, 'emergency-callee'],
    ['611', 1611, 'service-callee'],
  ])('1: lets everybody call %s', (_digits, callee, code) => {
    const world = openWorld({ lists: on('deny', 'do-not-originate'), reports: reports(9) })
    expect(world.screen({ callee, ingress: INTERNATIONAL, roaming: DENIED })).toMatchObject({
      verdict: 'allow',
      score: 0,
      reasons: [{ code }],
    })
  })

  it('1: a callee beside them is none of them', () => {
    expect(openWorld({ lists: on('deny') }).screen({ callee: 1113 }).verdict).toBe('block')
  })

  it('3: allow lists beat deny lists and any score', () => {
    const world = openWorld({ lists: on('deny', 'allow', 'watch'), reports: reports(9) })
    expect(world.screen({})).toMatchObject({
      verdict: 'allow',
      score: 0,
      reasons: [{ code: 'allow-listed', listId: 2 }],
    })
  })

  it('4: deny lists block whatever the thresholds', () => {
    const policy = { ...withRules({ 'deny-listed': { points: 1 } }), thresholds: { flag: 100, block: 100 } }
    expect(openWorld({ lists: on('deny'), policy }).screen({})).toMatchObject({ verdict: 'block', score: 1 })
    expect(openWorld({ lists: on('deny') }).screen({})).toMatchObject({
      verdict: 'block',
      score: 97,
      basis: 'analytics',
      reasons: [{ code: 'listed', points: 97, listId: 1, basis: 'analytics' }],
    })
  })

  it('1: 112 gets through under a policy that does not name it', () => {
    const policy = { ...DEFAULT_POLICY, callees: { emergency: ['911'], service: [] } }
    const answer = openWorld({ lists: on('deny'), policy }).screen({ callee: 1112 })
    expect(answer).toMatchObject({ verdict: 'allow', reasons: [{ code: 'emergency-callee' }] })
  })

  it('4: deny lists beat protection', () => {
    expect(openWorld({ lists: on('protected', 'deny') }).screen({}).verdict).toBe('block')
  })

  it('5: a protected caller is flagged, not blocked, and goes to the review queue', () => {
    const answer = openWorld({ lists: on('protected'), reports: reports(5) }).screen({})
    expect(answer.verdict).toBe('flag')
    expect(answer.score).toBeGreaterThanOrEqual(80)
    expect(answer.flags & DECISION_FLAG.reviewWanted).toBeTruthy()
    expect(answer.reasons).toContainEqual({ code: 'protected', points: 0, listId: 1, basis: 'analytics' })
  })

  it.each([
    [50, true],
    [49, false],
  ])('5: at a score of %i against reviewAt 50, review wanted: %s', (points, wanted) => {
    const policy = withRules({ watched: { points } })
    const answer = openWorld({ lists: on('protected', 'watch'), policy }).screen({})
    expect(Boolean(answer.flags & DECISION_FLAG.reviewWanted)).toBe(wanted)
    expect(answer.reasons.some((reason) => reason.code === 'protected')).toBe(wanted)
  })

  it.each([
    [49, 'allow'],
    [50, 'flag'],
    [79, 'flag'],
    [80, 'block'],
  ])('6: a score of %i is %s', (points, verdict) => {
    const world = openWorld({ lists: on('watch'), policy: withRules({ watched: { points } }) })
    expect(world.screen({})).toMatchObject({ verdict, score: points })
  })
})

describe('a contradicted caller', () => {
  const contradictions: [string, Partial<Call>, ListKind[], string, string][] = [
    ['do-not-originate', {}, ['do-not-originate'], 'block', 'deterministic'],
    ['originating denied', { originating: DENIED }, [], 'block', 'deterministic'],
    ['roaming denied', { ingress: INTERNATIONAL, roaming: DENIED }, [], 'block', 'deterministic'],
    ['failed verification', { verstat: FAILED }, [], 'flag', 'analytics'],
  ]
  it.each(contradictions)('%s: its allow list does not count', (_name, fields, kinds, verdict, basis) => {
    expect(openWorld({ lists: on('allow', ...kinds) }).screen(fields)).toMatchObject({ verdict, basis })
  })

  it.each(contradictions)('%s: its protection does not count', (_name, fields, kinds) => {
    const answer = openWorld({ lists: on('protected', ...kinds), reports: reports(5) }).screen(fields)
    expect(answer.verdict).toBe('block')
    expect(answer.flags & DECISION_FLAG.reviewWanted).toBe(0)
  })

  it('gets nothing for good attestation', () => {
    const world = openWorld({ lists: on('do-not-originate') })
    expect(world.screen({ attestation: 1, verstat: 1 })).toMatchObject({
      score: 95,
      reasons: [{ code: 'do-not-originate', points: 95 }],
    })
  })

  it('is not one by suspicion alone', () => {
    const answer = openWorld({ lists: on('allow') }).screen({ ingress: INTERNATIONAL })
    expect(answer).toMatchObject({ verdict: 'allow', reasons: [{ code: 'allow-listed' }] })
  })

  it('is not one by a rule in shadow mode', () => {
    const policy = withRules({ 'do-not-originate': { mode: 'shadow' } })
    expect(openWorld({ lists: on('allow', 'do-not-originate'), policy }).screen({}).verdict).toBe('allow')
  })
})

describe('good evidence', () => {
  it('takes points away and says so', () => {
    expect(openWorld({ lists: on('watch') }).screen({ attestation: 1, verstat: 1 })).toMatchObject({
      score: 27,
      reasons: [
        { code: 'watched', points: 30 },
        { code: 'attested', points: -10 },
      ],
    })
  })
})

describe('rules that are not enforced', () => {
  it.each(['shadow', 'off'] as const)('%s: a deny list changes nothing', (mode) => {
    const world = openWorld({ lists: on('deny'), policy: withRules({ 'deny-listed': { mode } }) })
    expect(world.screen({})).toMatchObject({ verdict: 'allow', score: 0, reasons: [{ code: 'no-evidence' }] })
  })

  it('shadow is measured and logged, off is not', () => {
    const strength = (mode: 'shadow' | 'off') => {
      const world = openWorld({ lists: on('deny'), policy: withRules({ 'deny-listed': { mode } }), sampleOneIn: 1 })
      world.screen({})
      return world.drain()[0]?.getUint8(96)
    }
    expect([strength('shadow'), strength('off')]).toEqual([255, 0])
  })

  it('a signal without a rule is off', () => {
    expect(openWorld({ lists: on('deny'), policy: { ...DEFAULT_POLICY, rules: [] } }).screen({}).verdict).toBe('allow')
  })
})

describe('look-up', () => {
  const verdict = (lists: WorldList[], nowMs = NOW) => openWorld({ lists }).screen({ nowMs }).verdict
  const deny = (...layers: WorldLayer[]): WorldList[] => [{ name: 'deny', kind: 'deny', layers }]

  it('finds a number in a layer below', () => {
    expect(verdict(deny({ numbers: [1] }, { numbers: [CALLER] }))).toBe('block')
  })

  it('believes a newer layer that took the number off', () => {
    expect(verdict(deny({ removed: [CALLER] }, { numbers: [CALLER] }))).toBe('allow')
  })

  it('counts an entry to the last millisecond of its time, and asks nothing below after that', () => {
    const lists = deny({ expires: { [CALLER]: NOW } }, { numbers: [CALLER] })
    expect(verdict(lists, NOW)).toBe('block')
    expect(verdict(lists, NOW + 1)).toBe('allow')
  })

  it('finds ranges, to the last millisecond of their time', () => {
    const lists: WorldList[] = [
      { name: 'range', kind: 'deny', ranges: [{ from: CALLER - 1, to: CALLER, expiresMs: NOW }] },
    ]
    expect(verdict(lists, NOW)).toBe('block')
    expect(verdict(lists, NOW + 1)).toBe('allow')
  })

  it('names the list that has the number itself before one that has a range around it', () => {
    const range = { from: CALLER, to: CALLER + 9 }
    const world = openWorld({
      lists: [
        { name: 'wide', kind: 'deny', ranges: [range] },
        { name: 'exact', kind: 'deny', layers: [{ numbers: [CALLER] }] },
      ],
    })
    expect(world.screen({}).reasons).toMatchObject([{ code: 'listed', listId: 2 }])
  })

  it('asks the store nothing about a number no gate knows', () => {
    const world = openWorld({ lists: on('deny') })
    world.screen({ caller: 79260000000 })
    expect(world.counter('gate.misses')).toBe(1)
    expect(world.counter('store.lookups')).toBe(0)
  })

  it('asks the store nothing about a listed number whose layer has a table, and that nobody reported', () => {
    const world = openWorld({ lists: on('deny'), hasTables: true })
    expect(world.screen({}).verdict).toBe('block')
    expect(world.counter('store.lookups')).toBe(0)
    const reported = openWorld({ lists: on('deny'), hasTables: true, reports: reports(1) })
    reported.screen({})
    expect(reported.counter('store.lookups')).toBe(1)
  })

  it.each([false, true])('never blocks for a gate that says "maybe", and counts it (tables: %s)', (hasTables) => {
    const world = openWorld({ lists: on('deny'), gateCollisions: [79260000000], hasTables })
    expect(world.screen({ caller: 79260000000 }).verdict).toBe('allow')
    expect(world.counter('gate.false-hits')).toBe(1)
    expect(world.screen({}).verdict).toBe('block')
    expect(world.counter('gate.false-hits')).toBe(1)
    expect(world.counter('gate.hits')).toBe(2)
  })
})

describe('the treatment a callee chose', () => {
  it.each([
    ['none', 'block', false],
    ['block', 'block', false],
    ['flag', 'flag', true],
    ['off', 'allow', true],
  ] as const)('%s: a block becomes %s', (treatment, verdict, capped) => {
    const answer = openWorld({ lists: on('deny') }).screen({ treatment: TREATMENT[treatment] })
    expect(answer.verdict).toBe(verdict)
    expect(Boolean(answer.flags & DECISION_FLAG.capped)).toBe(capped)
    expect(answer.reasons.map((reason) => reason.code)).toEqual(capped ? ['listed', 'treatment'] : ['listed'])
  })

  it('never makes a verdict more severe', () => {
    expect(openWorld({ reports: reports(3) }).screen({ treatment: TREATMENT.block }).verdict).toBe('flag')
  })
})

describe('trunks', () => {
  const trunks: NonNullable<World['trunks']> = [
    { name: 'shadow', kind: 'national', screening: 'shadow', failMode: 'closed' },
    { name: 'off', kind: 'national', screening: 'off', failMode: 'closed' },
    { name: 'closed', kind: 'national', screening: 'enforce', failMode: 'closed' },
  ]
  const [SHADOW, OFF, CLOSED] = [1, 2, 3]
  const late = { nowMs: NOW, deadlineMs: NOW - 1 }

  it('in shadow mode are told allow, and the verdict is logged', () => {
    const world = openWorld({ lists: on('deny'), trunks })
    expect(world.screen({ trunk: SHADOW })).toMatchObject({ verdict: 'allow', score: 97, flags: DECISION_FLAG.shadow })
    expect(world.drain()[0]?.getUint8(51)).toBe(2)
    expect(world.counter('verdicts.shadowed')).toBe(1)
  })

  it('in shadow mode do not log what is not suspicious', () => {
    const world = openWorld({ trunks })
    world.screen({ trunk: SHADOW })
    expect(world.drain()).toEqual([])
  })

  it('that are not screened are allowed without a look', () => {
    const world = openWorld({ lists: on('deny'), trunks })
    expect(world.screen({ trunk: OFF })).toMatchObject({ verdict: 'allow', reasons: [{ code: 'no-evidence' }] })
  })

  it.each([
    ['open', 0, CALLEE, 'allow', DECISION_FLAG.failOpen],
    ['closed', CLOSED, CALLEE, 'block', 0],
    ['closed, to an emergency number', CLOSED, EMERGENCY, 'allow', DECISION_FLAG.failOpen],
    ['closed, in shadow mode', SHADOW, CALLEE, 'allow', DECISION_FLAG.shadow],
    ['closed, not screened', OFF, CALLEE, 'allow', DECISION_FLAG.failOpen],
  ])('answer a late call by their fail mode: %s', (_name, trunk, callee, verdict, flags) => {
    const world = openWorld({ trunks })
    expect(world.screen({ ...late, trunk, callee })).toMatchObject({
      verdict,
      flags,
      score: 0,
      reasons: [{ code: 'overloaded' }],
    })
    expect(world.counter('verdicts.overloaded')).toBe(1)
    expect(world.drain()).toHaveLength(1)
  })

  it('are known by name', () => {
    const { screener } = openWorld({ trunks })
    expect(['closed', 'shadow', '', 'unheard-of', undefined].map((name) => screener.trunkIndex(name))).toEqual([
      3, 1, 0, 0, 0,
    ])
    expect([0, 1, 99].map((trunk) => screener.trunkIngress(trunk))).toEqual([0, 2, 0])
  })
})

describe('deadline', () => {
  it('is kept at the very millisecond and missed one later', () => {
    const world = openWorld()
    expect(world.screen({ deadlineMs: NOW }).reasons).toMatchObject([{ code: 'no-evidence' }])
    expect(world.screen({ deadlineMs: NOW - 1 }).reasons).toMatchObject([{ code: 'overloaded' }])
  })
})

describe('the same call asked again', () => {
  const again = { callHashLow: 7, callHashHigh: 9 }

  it('gets the same answer for 60 seconds, and counts once', () => {
    const world = openWorld({ lists: on('deny', 'watch'), sampleOneIn: 1 })
    const first = world.screen(again)
    expect(world.screen({ ...again, nowMs: NOW + 60_000 })).toEqual(first)
    expect(world.counter('verdicts.block')).toBe(1)
    expect(world.counter('recent-calls.hits')).toBe(1)
    expect(world.drain()).toHaveLength(1)
    expect(world.traffic(NOW)).toEqual(new Map([[CALLER, 1]]))
    expect(world.screen({ ...again, nowMs: NOW + 61_000 }).verdictId).not.toBe(first.verdictId)
  })

  it('is answered as before although a list has changed since', () => {
    const world = openWorld({ lists: on('deny') })
    const first = world.screen(again)
    world.screener.install({ ...world.snapshot, generation: 2, lists: [] })
    expect(world.screen(again)).toEqual(first)
    expect(world.screen({}).verdict).toBe('allow')
  })

  it('is another call without a call id', () => {
    const world = openWorld()
    expect(world.screen({}).verdictId).not.toBe(world.screen({}).verdictId)
  })

  it('is decided afresh when the first answer came too late', () => {
    const world = openWorld({ lists: on('deny') })
    expect(world.screen({ ...again, deadlineMs: NOW - 1 }).verdict).toBe('allow')
    expect(world.screen(again).verdict).toBe('block')
  })

  it('gets its answer even when it comes too late itself', () => {
    const world = openWorld({ lists: on('deny') })
    const first = world.screen(again)
    expect(world.screen({ ...again, deadlineMs: NOW - 1 })).toEqual(first)
  })

  it('is told from others by call id, numbers and trunk together', () => {
    const { screener } = openWorld()
    const hash = (callId: string | HashedCallId, fields: Partial<Call> = {}) => {
      const hashed = call(fields)
      screener.hashCall(hashed, callId)
      return `${hashed.callHashLow}-${hashed.callHashHigh}`
    }
    const hashes = [hash('a'), hash('b'), hash('a', { caller: 1 }), hash('a', { callee: 1 }), hash('a', { trunk: 1 })]
    hashes.push(hash({ low: 1, high: 0 }), hash({ low: 0, high: 1 }), hash({ low: 1, high: 0 }, { caller: 1 }))
    hashes.push(hash('\u0001\u0000\u0000\u0000'))
    expect(new Set(hashes).size).toBe(9)
    expect([hash('a'), hash({ low: 1, high: 0 })]).toEqual([hashes[0], hashes[5]])
    expect(hash('')).toBe('0-0')
  })
})

describe('the decision log', () => {
  it('gets blocks, flags, overloads and capped verdicts, and nothing else', () => {
    const world = openWorld({ lists: on('deny') })
    world.screen({})
    world.screen({ treatment: TREATMENT.off })
    world.screen({ deadlineMs: 0 })
    world.screen({ caller: 79260000000 })
    expect(world.drain().map((record) => record.getUint8(51))).toEqual([2, 0, 0])
    expect(world.counter('decisions.logged')).toBe(3)
  })

  it('lays a record out as documented', () => {
    const world = openWorld({
      lists: on('watch', 'deny'),
      trunks: [{ name: 't', kind: 'national', screening: 'enforce', failMode: 'open' }],
    })
    const answer = world.screen({ trunk: 1, ingress: 2, attestation: 3, callHashLow: 0xdeadbeef, callHashHigh: 1 })
    const [record] = world.drain()
    expect(record?.getFloat64(0, true)).toBe(NOW)
    const id = [8, 12, 16, 20].map((at) => record?.getUint32(at, true).toString(16).padStart(8, '0')).join('')
    expect(id).toBe(answer.verdictId)
    expect(record?.getFloat64(24, true)).toBe(CALLER)
    expect(record?.getUint32(40, true)).toBe(0xdeadbeef)
    expect(record?.getUint32(44, true)).toBe(1)
    expect(record?.getUint16(48, true)).toBe(1)
    expect([50, 51, 52, 53, 54, 55].map((at) => record?.getUint8(at))).toEqual([2, 2, answer.score, 0, 3, 3])
    expect(record?.getUint32(56, true)).toBe(3)
    const reasons = [0, 1, 2, 3].map((index) => {
      const at = 64 + index * 4
      return [record?.getUint8(at), record?.getInt8(at + 1), record?.getUint16(at + 2, true)]
    })
    const code = (name: (typeof REASON_CODES)[number]) => REASON_CODES.indexOf(name) + 1
    expect(reasons).toEqual([
      [code('listed'), 97, 2],
      [code('watched'), 30, 1],
      [code('attestation-weak'), 10, 0],
      [0, 0, 0],
    ])
    expect([96, 97, 98].map((at) => record?.getUint8(at))).toEqual([255, 0, 255])
  })

  it('keeps a pseudonym of the callee that changes with the day', () => {
    const pseudonym = (fields: Partial<Call>) => {
      const world = openWorld({ lists: on('deny') })
      world.screen(fields)
      const [record] = world.drain()
      return `${record?.getUint32(32, true)}-${record?.getUint32(36, true)}`
    }
    expect(pseudonym({})).toBe(pseudonym({ nowMs: NOW + 3_600_000 }))
    expect(pseudonym({})).not.toBe(pseudonym({ nowMs: NOW + 86_400_000 }))
    expect(pseudonym({})).not.toBe(pseudonym({ callee: CALLEE + 1 }))
  })

  it('samples callers, all calls of one or none', () => {
    const world = openWorld({ sampleOneIn: 4 })
    const sampled = new Set<number>()
    for (const round of [1, 2]) {
      for (let caller = 79260000000; caller < 79260000200; caller++) {
        world.screen({ caller })
        const logged = world.drain()
        if (round === 2) expect(logged.length === 1).toBe(sampled.has(caller))
        if (logged.length === 1) sampled.add(caller)
      }
    }
    expect(sampled.size).toBeGreaterThan(25)
    expect(sampled.size).toBeLessThan(75)
  })

  it('marks a sampled record, and drops samples first when the ring fills', () => {
    const world = openWorld({ sampleOneIn: 1, lists: on('deny') })
    for (let index = 0; index < 40; index++) world.screen({ caller: 79260000000 + index })
    for (let index = 0; index < 40; index++) world.screen({})
    expect(world.counter('decisions.lost')).toBe(8)
    expect(world.counter('decisions.lost-important')).toBe(8)
    const records = world.drain()
    expect(records.filter((record) => record.getUint8(53) === DECISION_FLAG.sampled)).toHaveLength(32)
    expect(records.filter((record) => record.getUint8(51) === 2)).toHaveLength(32)
  })

  it('holds on to overloads as to blocks', () => {
    const world = openWorld({ sampleOneIn: 1 })
    for (let index = 0; index < 40; index++) world.screen({ caller: 79260000000 + index })
    for (let index = 0; index < 32; index++) world.screen({ deadlineMs: NOW - 1 })
    expect(world.counter('decisions.lost-important')).toBe(0)
    expect(world.drain()).toHaveLength(64)
  })
})

describe('a screener', () => {
  it('allows everything before its first snapshot and says so', () => {
    const world = openWorld({ lists: on('deny') })
    const { createScreenerWithoutSnapshot } = world
    const fresh = createScreenerWithoutSnapshot()
    const decision = createDecision()
    fresh.screen(call(), decision)
    expect(inWords(decision)).toMatchObject({
      verdict: 'allow',
      flags: DECISION_FLAG.failOpen,
      reasons: [{ code: 'not-ready' }],
    })
    expect(fresh.generation).toBe(0)
    expect(fresh.snapshot).toBeUndefined()
    fresh.install(world.snapshot)
    fresh.screen(call(), decision)
    expect(inWords(decision).verdict).toBe('block')
    expect([fresh.generation, fresh.policyLabel]).toEqual([1, 'default@3'])
  })

  it('answers a call whose evidence cannot be read, and reports the failure', () => {
    const world = openWorld({ lists: on('deny') })
    const lookup = world.lookup as { entry: unknown }
    lookup.entry = () => {
      throw new Error('disk gone')
    }
    expect(world.screen({ callHashLow: 1, callHashHigh: 1 })).toMatchObject({
      verdict: 'allow',
      score: 0,
      flags: DECISION_FLAG.failOpen,
      reasons: [{ code: 'overloaded' }],
    })
    expect(world.counter('internal-errors')).toBe(1)
    expect(world.failures).toHaveLength(1)
  })

  it('counts verdicts, reasons, call ends and callers', () => {
    const world = openWorld({ lists: on('deny') })
    world.screen({})
    world.screen({ caller: 79260000000 })
    world.screen({ caller: -1 })
    world.screener.endCall({ ...createCallEnd(), caller: CALLER, callee: CALLEE, answered: true, nowMs: NOW })
    expect(world.counter('verdicts.block')).toBe(1)
    expect(world.counter('verdicts.allow')).toBe(2)
    expect(world.counter('reasons.listed')).toBe(1)
    expect(world.counter('reasons.no-evidence')).toBe(1)
    expect(world.counter('reasons.withheld')).toBe(1)
    expect(world.counter('call-ends')).toBe(1)
    expect(world.traffic(NOW)).toEqual(
      new Map([
        [CALLER, 1],
        [79260000000, 1],
      ]),
    )
  })

  it('always has room for protection and treatment among the reasons', () => {
    const policy = withRules({ 'verification-failed': { mode: 'off' }, 'do-not-originate': { mode: 'off' } })
    const world = openWorld({
      lists: on('watch', 'own', 'protected'),
      reports: reports(9),
      plans: [{ covers: [[79000000000, 79999999999]], allocated: [] }],
      policy,
    })
    const answer = world.screen({ ingress: INTERNATIONAL, attestation: 3, treatment: TREATMENT.off })
    expect(answer.reasons).toHaveLength(8)
    expect(answer.reasons.slice(6).map((reason) => reason.code)).toEqual(['protected', 'treatment'])
    const points = answer.reasons.map((reason) => reason.points)
    expect(points).toEqual(points.toSorted((a, b) => b - a))
  })
})
