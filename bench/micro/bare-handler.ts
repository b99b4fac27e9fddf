/** The real handler without sockets, of which whatever is not an answer is a failure; and a screener that decides nothing. */
import { diallingRules } from '../../src/domain/parse-phone-number.ts'
import { createCallHasher } from '../../src/engine/call-hasher.ts'
import { addReason, clearDecision } from '../../src/engine/decision.ts'
import type { Screener } from '../../src/engine/screener.ts'
import { numberReaders } from '../../src/transports/data-plane/read-call.ts'
import { createVerdictHandler } from '../../src/transports/data-plane/verdict-http.ts'
import type { VerdictHandler } from '../../src/transports/data-plane/verdict-server.ts'

export const constantScreener: Screener = {
  install() {},
  generation: 1,
  policyLabel: 'default@1',
  trunkIndex: () => 0,
  trunkIngress: () => 0,
  snapshot: undefined,
  ...createCallHasher(Uint32Array.of(1, 2)),
  screen(_call, decision) {
    clearDecision(decision, 1)
    addReason(decision, 0, 0, 0, 1)
  },
  expect() {},
  endCall() {},
}

export function bareHandler(screener: Screener, now: () => number): VerdictHandler {
  return createVerdictHandler(
    {
      deadlineMs: 50,
      // One turn of the loop may read a whole round.
      callsPerWebSocket: Number.MAX_SAFE_INTEGER,
      labelLanguage: 'en',
      apiKeyDigests: [],
      allowedHosts: ['127.0.0.1'],
      webSocketPath: '/v1/calls',
    },
    {
      screener,
      ...numberReaders(diallingRules('RU')),
      now,
      processHealth: () => ({ freshMs: now(), isUnsupervised: false }),
      events: {
        refused: () => fail('refused'),
        callEndsRefused: (count) => fail(`${count} ends refused`),
        connectionRefused: () => fail('connection refused'),
        socketOpened() {},
        socketFrame() {},
        fault: fail,
      },
    },
  )
}

export function fail(why: unknown): never {
  throw new Error('The handler does not answer.', { cause: why })
}
