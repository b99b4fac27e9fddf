import type { FaultCase } from '../lib/fault-case.ts'
import { breakVerdictProcess } from './break-verdict-process.ts'

export const verdictKilled: FaultCase = {
  id: 'A1',
  what: 'a verdict process is killed (SIGKILL), again and again',
  expected:
    'Its siblings answer on; what was in flight in it is lost, at most one call a connection; it is back within 2 s.',
  needs: ['ss'],
  isCheap: true,
  run: (world) => breakVerdictProcess(world, { signal: 'SIGKILL', times: world.isQuick ? 1 : 8 }),
}

export const verdictAborted: FaultCase = {
  id: 'A2',
  what: 'a verdict process aborts as native code does (SIGABRT)',
  expected: 'As A1. The signal comes from outside: no handler of Zaslon is known that makes uWebSockets.js abort.',
  needs: ['ss'],
  run: (world) => breakVerdictProcess(world, { signal: 'SIGABRT', times: world.isQuick ? 1 : 4 }),
}
