import { beforeEach, describe, expect, it } from 'vitest'
import { numberReaders } from '../../../src/transports/data-plane/read-call.ts'
import { addHeader, createRequestHead } from '../../../src/transports/data-plane/request-head.ts'
import { createVerdictHandler } from '../../../src/transports/data-plane/verdict-http.ts'
import { HOME, openWorld } from '../../fixtures/screening-world.ts'

describe('a body of many events', () => {
  const expected: [calls: number, ends: number][] = []
  const decidedMs: number[] = []
  let nowMs = 0
  const handler = createVerdictHandler(
    {
      deadlineMs: 50,
      callsPerWebSocket: 1,
      labelLanguage: 'en',
      apiKeyDigests: [],
      allowedHosts: ['127.0.0.1'],
      webSocketPath: '/v1/calls',
    },
    {
      ...numberReaders(HOME),
      screener: {
        ...openWorld().screener,
        generation: 1,
        expect: (_calls, calls, _ends, ends) => void expected.push([calls, ends]),
        screen(call) {
          decidedMs.push(call.nowMs)
          nowMs += 10
        },
        endCall() {},
      },
      now: () => nowMs,
      processHealth: () => ({ freshMs: 0, isUnsupervised: false }),
      events: {
        refused: () => expect.fail('refused'),
        callEndsRefused: () => expect.fail('ends refused'),
        connectionRefused() {},
        socketOpened() {},
        socketFrame() {},
        fault: (error) => expect.fail(String(error)),
      },
    },
  )

  beforeEach(() => {
    expected.length = 0
    decidedMs.length = 0
    nowMs = 0
  })

  function post(path: string, count: number): void {
    const events = Array.from({ length: count }, (_, index) => ({
      callId: `call-${index}`,
      caller: '+79161234567',
      callee: '+79031112233',
      ...(path === '/v1/call-ends' ? { answered: false } : {}),
    }))
    const body = Buffer.from(JSON.stringify(events))
    const head = createRequestHead('POST', path, '')
    addHeader(head, 'host', '127.0.0.1:8090')
    addHeader(head, 'content-type', 'application/json')
    addHeader(head, 'content-length', String(body.length))
    expect(handler.refuse(head)).toBeUndefined()
    head.body = body
    head.receivedMs = 0
    handler.handle(head)
  }

  it('has 16 calls expected together', () => {
    post('/v1/verdicts', 37)
    expect(expected).toEqual([
      [16, 0],
      [16, 0],
      [5, 0],
    ])
  })

  it('has 16 ends expected together', () => {
    post('/v1/call-ends', 17)
    expect(expected).toEqual([
      [0, 16],
      [0, 1],
    ])
  })

  it('has the clock read before each call: what one has waited for the disk makes those behind it late', () => {
    post('/v1/verdicts', 20)
    expect(decidedMs).toEqual(Array.from({ length: 20 }, (_, index) => index * 10))
  })
})
