import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { createDecision } from '../../../src/engine/decision.ts'
import { CALLER, call, openWorld, reports } from '../../fixtures/screening-world.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const CALLS = 500_000
/** Compiled code and feedback of functions that turn hot late; a single kept byte per call would be twice as much. */
const SLACK_BYTES = 256 * 1024

it('keeps nothing of half a million calls', () => {
  const world = openWorld({
    lists: [
      { name: 'watch', kind: 'watch', layers: [{ numbers: [CALLER] }] },
      { name: 'own', kind: 'own', ranges: [{ from: CALLER + 100, to: CALLER + 200 }] },
    ],
    reports: reports(4, { number: (CALLER + 1) as typeof CALLER }),
    plans: [{ covers: [[79160000000, 79169999999]], allocated: [[79160000000, 79160000500]] }],
    sampleOneIn: 100,
  })
  const decision = createDecision()
  const asked = call()
  const run = (calls: number) => {
    for (let index = 0; index < calls; index++) {
      asked.caller = CALLER + (index & 0x3ff)
      asked.ingress = index & 3
      asked.attestation = (index >>> 2) & 3
      asked.verstat = (index >>> 4) & 3
      // Every hash comes twice in a row: decided once, recalled once.
      asked.callHashLow = index >>> 1
      asked.callHashHigh = 1
      world.screener.screen(asked, decision)
    }
    collectGarbage()
    return process.memoryUsage().heapUsed
  }
  run(CALLS / 4)
  const before = run(CALLS / 4)
  expect(run(CALLS) - before).toBeLessThan(SLACK_BYTES)
}, 60_000)
