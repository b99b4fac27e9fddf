import { round } from '../../../bench/lib/stats.ts'
import { LATE_AFTER_MS } from '../lib/calls.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { allPids } from '../lib/node-state.ts'
import { makeControlGroup } from '../lib/processes.ts'

const QUOTA_US = 20_000
const PERIOD_US = 100_000
/** An answer that was decided in time leaves in the next period when the quota ran out just then. */
const LATE_MAX_MS = LATE_AFTER_MS + PERIOD_US / 1_000
const RECOVERY_MS = 2_000

export const cpuStarved: FaultCase = {
  id: 'A8',
  what: 'the whole node gets a fifth of one core',
  expected:
    'Every call is answered; late answers say `overloaded`, or are late by one sleep of the quota at most, which came between deciding and sending. Two seconds later all is as before.',
  needs: ['cgroup-cpu'],
  async run(world) {
    const node = await world.startNode()
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const group = makeControlGroup(world.cleanup, 'cpu', 'c')
    for (const pid of allPids(node)) group.add(pid)
    group.write('cpu.cfs_period_us', PERIOD_US)
    group.write('cpu.cfs_quota_us', QUOTA_US)
    const { calls } = await trial.phase('fault', world.isQuick ? 2_000 : 8_000)
    group.write('cpu.cfs_quota_us', -1)
    await trial.phase('recovery', RECOVERY_MS)
    const after = await trial.phase('after', 2_000)
    world.figure('goodput', `${round((100 * (calls.answered - calls.overloaded)) / Math.max(1, calls.asked))} %`)
    world.expect('nothing says overloaded afterwards', after.calls.overloaded === 0, after.calls.overloaded)
    world.figure('latest answer that does not say so, ms', round(calls.unmarkedMaxMs))
    world.expect(
      'no answer is later than that and does not say so',
      calls.unmarkedMaxMs <= LATE_MAX_MS,
      calls.unmarkedMaxMs,
    )
    await trial.finish({ mayBeLate: true })
  },
}
