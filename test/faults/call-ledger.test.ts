import { beforeEach, describe, expect, it } from 'vitest'
import { type Call, type CallLedger, createCallLedger } from './lib/call-ledger.ts'
import type { CallerGroup } from './lib/calls.ts'

const GROUP: CallerGroup = {
  name: 'g',
  callers: ['c'],
  share: 100,
  callee: '',
  allowed: ['allow'],
  isNeverBlocked: false,
}
let ledger: CallLedger
beforeEach(() => {
  ledger = createCallLedger()
})

/** A call that is due at `dueMs`, and sent then or when the asking thread comes to it. */
function begin(dueMs: number, group: Partial<CallerGroup> = {}, begunMs = dueMs): Call {
  const call = {
    id: '',
    group: { ...GROUP, ...group },
    caller: 'c',
    dueMs,
    begunMs,
    sentMs: begunMs,
    localPort: 1,
  }
  const open: Call = { ...call, isOver: false }
  ledger.begin(open)
  return open
}

describe('the judgement of a verdict', () => {
  it('calls wrong what the caller may not get', () => {
    ledger.answer(begin(0), 'allow', [], 1)
    ledger.answer(begin(0), 'block', [], 1)
    expect(ledger.take()).toMatchObject({ answered: 2, wrongCount: 1, wrong: [{ got: 'block', allowed: ['allow'] }] })
  })

  it('lets an answer without evidence be anything but a block of who is never blocked', () => {
    ledger.answer(begin(0, { allowed: ['block'] }), 'allow', ['overloaded'], 1)
    ledger.answer(begin(0, { isNeverBlocked: true }), 'block', ['not-ready'], 1)
    expect(ledger.take()).toMatchObject({ overloaded: 2, wrongCount: 1 })
  })

  it('asks for what is known from the next call on: stale for a second, then wrong', () => {
    const onItsWay = begin(10)
    ledger.onKnown('c', ['block'], ['allow'], 20)
    ledger.answer(onItsWay, 'allow', [], 30)
    expect(ledger.take()).toMatchObject({ stale: 0, wrongCount: 0 })
    ledger.answer(begin(500), 'allow', [], 501)
    ledger.answer(begin(500), 'flag', [], 501)
    ledger.answer(begin(1_100), 'allow', [], 1_101)
    expect(ledger.take()).toMatchObject({ stale: 1, wrongCount: 2 })
  })
})

describe('the time of an answer', () => {
  it('is late beyond the deadline unless it says so', () => {
    for (let ms = 0; ms <= 60; ms++) ledger.onTurn(ms)
    ledger.answer(begin(0), 'allow', [], 51)
    ledger.answer(begin(0), 'allow', ['overloaded'], 51)
    ledger.answer(begin(5), 'allow', [], 51)
    expect(ledger.take()).toMatchObject({ late: 1, overloaded: 1 })
  })

  it('is not late by what the asking thread itself was late', () => {
    for (const ms of [0, 1, 2, 42, 43, 60]) ledger.onTurn(ms)
    ledger.answer(begin(0), 'allow', [], 60)
    expect(ledger.take().late).toBe(0)
  })

  it('is not missed by a thread that did not run and has yet to read it', () => {
    for (const ms of [0, 1, 1_500]) ledger.onTurn(ms)
    const sentBefore = begin(1)
    begin(2, {}, 1_500)
    expect(ledger.overdue(1_500)).toEqual([])
    ledger.onTurn(1_501)
    expect(ledger.overdue(1_501)).toEqual([sentBefore])
  })

  it('is none at all after a second, once', () => {
    const call = begin(0)
    expect(ledger.overdue(999)).toEqual([])
    expect(ledger.overdue(1_000)).toEqual([call])
    ledger.fail(call, 'silent')
    ledger.answer(call, 'allow', [], 1_001)
    expect(ledger.take()).toMatchObject({ asked: 1, silent: 1, answered: 0, unansweredPorts: { 1: 1 } })
  })
})
