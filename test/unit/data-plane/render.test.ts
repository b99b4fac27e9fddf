import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PolicyDocument } from '../../../src/domain/policy.ts'
import { BASES, REASON_CODES } from '../../../src/domain/reason.ts'
import { VERDICTS } from '../../../src/domain/verdict.ts'
import { addReason, clearDecision, createDecision } from '../../../src/engine/decision.ts'
import { createVerdictRenderer, type VerdictRenderer } from '../../../src/transports/data-plane/render.ts'
import { sipReplies } from '../../../src/transports/data-plane/sip-reply.ts'
import { DEFAULT_POLICY, openWorld } from '../../fixtures/screening-world.ts'

const [DETERMINISTIC, ANALYTICS] = [0, 1]

describe('an answer', () => {
  const { screener } = openWorld({
    lists: [
      { name: 'a', kind: 'deny' },
      { name: 'b', kind: 'watch' },
    ],
  })
  const renderer = createVerdictRenderer({ labelLanguage: 'ru' }, screener)

  it('says exactly what the decision says, first time and from the cache', () => {
    const decision = createDecision()
    const reason = fc.record({
      code: fc.nat(REASON_CODES.length - 1),
      points: fc.integer({ min: -100, max: 100 }),
      list: fc.nat(3),
      basis: fc.nat(1),
    })
    fc.assert(
      fc.property(
        fc.nat(2),
        fc.nat(100),
        fc.nat(1),
        fc.array(reason, { maxLength: 8 }),
        fc.string({ unit: 'binary', maxLength: 300 }),
        fc.array(fc.nat(0xffffffff), { minLength: 4, maxLength: 4 }),
        (verdict, score, basis, reasons, callId, id) => {
          clearDecision(decision, 3)
          for (const { code, points, list, basis } of reasons) addReason(decision, code, points, list, basis)
          decision.verdict = verdict
          decision.score = score
          decision.basis = basis
          decision.verdictId.set(id)
          const body = JSON.parse(renderer.json(decision, callId))
          expect(body.verdictId).toBe(id.map((word) => word.toString(16).padStart(8, '0')).join(''))
          expect(body.callId).toBe(callId === '' ? undefined : callId.slice(0, 256))
          expect([body.decision, body.score]).toEqual([VERDICTS[verdict], score])
          expect(body.sip.action).toBe(body.decision === 'block' ? 'reject' : 'forward')
          expect(JSON.stringify(body.sip)).not.toContain('{verdictId}')
          expect('label' in body).toBe(body.decision === 'flag')
          const sorted = reasons.toSorted((a, b) => b.points - a.points)
          expect(body.reasons).toEqual(
            sorted.map(({ code, points, list, basis }) => ({
              code: REASON_CODES[code],
              basis: BASES[basis],
              ...(list === 1 ? { list: 'a', kind: 'deny' } : list === 2 ? { list: 'b', kind: 'watch' } : {}),
              points,
            })),
          )
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('is the same in bytes, for a call id that stands in other bytes', () => {
    const decision = createDecision()
    const reason = fc.record({ code: fc.nat(REASON_CODES.length - 1), points: fc.integer({ min: -100, max: 100 }) })
    const plain = fc.string({ maxLength: 300 }).filter((text) => !/["\\]/.test(text))
    fc.assert(
      fc.property(
        fc.nat(2),
        fc.array(reason, { maxLength: 8 }),
        plain,
        fc.array(fc.nat(0xffffffff), { minLength: 4, maxLength: 4 }),
        fc.constantFrom(undefined, 'verdict' as const),
        (verdict, reasons, callId, id, type) => {
          clearDecision(decision, 3)
          for (const { code, points } of reasons) addReason(decision, code, points, 1, ANALYTICS)
          decision.verdict = verdict
          decision.verdictId.set(id)
          const source = Buffer.from(`..${callId}..`)
          const bytes = renderer.jsonBytes(decision, source, 2, 2 + callId.length, type)
          expect(Buffer.from(bytes).toString()).toBe(renderer.json(decision, callId, type))
        },
      ),
      { numRuns: 2_000 },
    )
  })

  it('has room in bytes for names of any length', () => {
    const name = 'é'.repeat(20_000)
    const world = openWorld({ lists: [{ name, kind: 'deny' }] })
    const fresh = createVerdictRenderer({ labelLanguage: 'ru' }, world.screener)
    const decision = createDecision()
    for (const reasonCount of [1, 0, 2, 0]) {
      clearDecision(decision, 3)
      for (let i = 0; i < reasonCount; i++) addReason(decision, 4, 10, 1, ANALYTICS)
      const text = fresh.json(decision, '')
      expect(text.includes(name)).toBe(reasonCount > 0)
      expect(Buffer.from(fresh.jsonBytes(decision, Buffer.alloc(0), 0, 0)).toString()).toBe(text)
    }
  })

  it('stays right when more shapes come than are kept', () => {
    const decision = createDecision()
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 5_000; i++) {
        clearDecision(decision, 3)
        addReason(decision, i % REASON_CODES.length, i % 101, 0, ANALYTICS)
        decision.score = i % 97
        const body = JSON.parse(renderer.json(decision, ''))
        expect([body.score, body.reasons[0].points]).toEqual([i % 97, i % 101])
      }
    }
  })

  it('follows a new policy at once', () => {
    const world = openWorld()
    const fresh = createVerdictRenderer({ labelLanguage: 'ru' }, world.screener)
    const decision = createDecision()
    clearDecision(decision, 3)
    decision.verdict = 1
    expect(fresh.text(decision)).toBe('flag suspected-fraud')
    expect(JSON.parse(fresh.json(decision, '')).label.text).toBe('Возможно, мошенники')
    const label = { code: 'scam-likely', text: { kk: 'x' } }
    world.screener.install({ ...world.snapshot, generation: 2, policyVersion: 4, policy: { ...DEFAULT_POLICY, label } })
    decision.policyVersion = 4
    expect(fresh.text(decision)).toBe('flag scam-likely')
    expect(JSON.parse(fresh.json(decision, '')).label).toEqual({ code: 'scam-likely', text: 'x' })
  })
})

describe('an answer that was remembered', () => {
  function remembered(policyVersion: number) {
    const decision = createDecision()
    clearDecision(decision, policyVersion)
    decision.verdict = 2
    return decision
  }
  const replyOf = (renderer: VerdictRenderer, version: number) => {
    const { sip, policy } = JSON.parse(renderer.json(remembered(version), ''))
    return [sip.status, policy]
  }

  it('is rendered by the policy that gave it, for the newest four of them', () => {
    const { screener, snapshot } = openWorld()
    const renderer = createVerdictRenderer({ labelLanguage: 'en' }, screener)
    const install = (version: number, analytics: '603' | '607' | '608') => {
      const sip = { ...DEFAULT_POLICY.sip, analytics }
      screener.install({ ...snapshot, generation: version, policyVersion: version, policy: { ...DEFAULT_POLICY, sip } })
      expect(replyOf(renderer, version)).toEqual([Number(analytics), `default@${version}`])
    }
    for (let version = 4; version <= 8; version++) install(version, version % 2 === 0 ? '607' : '608')
    for (const version of [4, 6]) expect(replyOf(renderer, version)).toEqual([607, `default@${version}`])
    for (const version of [5, 7, 8]) expect(replyOf(renderer, version)[1]).toBe(`default@${version}`)
    install(9, '603')
    expect(replyOf(renderer, 8)).toEqual([607, 'default@8'])
    // Forgotten: the number of the policy is right, its reply is that of the policy in force.
    expect(replyOf(renderer, 3)).toEqual([603, 'default@3'])
  })

  it('tells the number of a policy that has not come here yet, and takes its words when it comes', () => {
    const { screener, snapshot } = openWorld()
    const renderer = createVerdictRenderer({ labelLanguage: 'en' }, screener)
    expect(replyOf(renderer, 4)).toEqual([603, 'default@4'])
    const sip = { ...DEFAULT_POLICY.sip, analytics: '608' as const }
    screener.install({ ...snapshot, generation: 2, policyVersion: 4, policy: { ...DEFAULT_POLICY, sip } })
    expect(replyOf(renderer, 4)).toEqual([608, 'default@4'])
    screener.install({ ...snapshot, generation: 3, policyVersion: 5 })
    expect(replyOf(renderer, 5)).toEqual([603, 'default@5'])
    expect(replyOf(renderer, 4)).toEqual([608, 'default@4'])
  })
})

describe('the SIP reply to a block', () => {
  const policy = (sip: Partial<PolicyDocument['sip']>): PolicyDocument => ({
    ...DEFAULT_POLICY,
    sip: { ...DEFAULT_POLICY.sip, redressUrl: 'https://r.example/{verdictId}', ...sip },
  })

  it.each([
    [
      '603+',
      603,
      'Network Blocked',
      { Reason: 'SIP;cause=603;text="v=analytics1;url=https://r.example/{verdictId}";location=LN' },
    ],
    ['603', 603, 'Decline', {}],
    ['607', 607, 'Unwanted', { Reason: 'SIP;cause=607;text="Unwanted"' }],
    ['608', 608, 'Rejected', { 'Call-Info': '<https://r.example/{verdictId}>;purpose=jwscard' }],
  ] as const)('is as the standard of %s says', (style, status, phrase, headers) => {
    const reply = sipReplies(policy({ analytics: style, deterministic: '603' }))[ANALYTICS]
    expect(reply).toEqual({ style, status, phrase, headers })
  })

  it('follows the basis', () => {
    const replies = sipReplies(policy({ analytics: '608', deterministic: '607' }))
    expect([replies[DETERMINISTIC]?.status, replies[ANALYTICS]?.status]).toEqual([607, 608])
  })

  it('is a plain 603 without a policy', () => {
    expect(sipReplies(undefined).map(({ status, headers }) => ({ status, headers }))).toEqual([
      { status: 603, headers: {} },
      { status: 603, headers: {} },
    ])
  })

  it('cannot be made to carry another header line', () => {
    const [, reply] = sipReplies(policy({ redressUrl: 'https://r"\r\nEvil: 1\\' }))
    expect(reply?.headers.Reason).toBe('SIP;cause=603;text="v=analytics1;url=https://r\\"Evil: 1\\\\";location=LN')
  })
})
