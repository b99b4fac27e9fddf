import { askVerdict, report } from '../../support/service-requests.ts'
import { ask } from '../lib/api.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { until } from '../lib/node-state.ts'
import { LISTS, numberIn } from '../lib/numbers.ts'
import { run } from '../lib/shell.ts'

const DAY_MS = 86_400_000
/** Beyond those that the calls ask for. */
const FIRST_NUMBER = 50_000

export const clockJump: FaultCase = {
  id: 'A27',
  what: 'the service starts two days ahead, then two days back (faketime)',
  expected:
    'Nothing runs out or comes back by the jump: the node goes on by the time that has passed and says so. When an operator accepts the clock, verdicts are right by it: an entry for a day has expired two days ahead and is in force two days back. Nothing is lost, changes are taken and in force at once. Calls carry no deadline of another clock.',
  needs: ['faketime', 'settled-clock'],
  isCheap: true,
  async run(world) {
    let node = await world.startNode()
    const { dataDirectory } = node
    const trial = await world.startTrial(node)
    await trial.phase('today', 1_000)
    const [soon, later, reported] = [0, 1, 2].map((index) => numberIn('listed', FIRST_NUMBER + index)) as [
      string,
      string,
      string,
    ]
    const entry = (number: string, days: number) => ({ number, expires: Date.now() + days * DAY_MS })
    await ask(node, 'POST', `/v1/lists/${LISTS.written}/entries`, { entries: [entry(soon, 1), entry(later, 30)] })
    for (let nth = 0; nth < 5; nth++) await report(node, reported, `clock-${nth}`)
    await trial.finish()
    await node.stop()
    let soonWas: 'allow' | 'block' = 'block'
    for (const [name, offset, soonIs] of [
      ['ahead', '+2d', 'allow'],
      ['back', '-2d', 'block'],
      ['again', '+0d', 'block'],
    ] as const) {
      node = await world.startNode({ dataDirectory, environment: clockAt(offset) })
      const expectVerdicts = async (when: string, soonNow: 'allow' | 'block') => {
        const expected = { soon: soonNow, later: 'block', reported: 'block' }
        const got = {
          soon: (await askVerdict(node, soon)).decision,
          later: (await askVerdict(node, later)).decision,
          reported: (await askVerdict(node, reported)).decision,
        }
        world.figure(`${name}, ${when}`, `${got.soon} ${got.later} ${got.reported}`)
        world.expect(`${name}: verdicts are right ${when}`, JSON.stringify(got) === JSON.stringify(expected), got)
      }
      const clock = (await ask(node, 'GET', '/v1/clock')) as { state: string }
      world.expect(`${name}: the jump is said`, clock.state === 'jumped', clock)
      await expectVerdicts('before it is accepted', soonWas)
      await ask(node, 'POST', '/v1/clock/accept')
      await until('the clock is accepted everywhere', async () => (await askVerdict(node, soon)).decision === soonIs)
      await expectVerdicts('by its clock', soonIs)
      soonWas = soonIs
      await world.verify(node, trial.acknowledged)
      // Each start writes numbers of its own.
      const seed = (world.seed % 1_000_000) + { ahead: 1_000, back: 2_000, again: 3_000 }[name]
      const moved = await world.startTrial(node, { isNew: false, sendsDeadline: false, seed })
      await moved.phase(name, world.isQuick ? 1_000 : 3_000)
      // Under faketime every look at the clock costs more.
      await moved.finish({ mayBeLate: true })
      await node.stop()
      // Versions of the list go on with every start.
      trial.acknowledged.importedVersion = Math.max(
        trial.acknowledged.importedVersion,
        moved.acknowledged.importedVersion,
      )
    }
  },
}

/** Not through the `faketime` program itself: it stays in between, and a signal would reach it instead of the service. */
function clockAt(offset: string): Record<string, string> {
  return { LD_PRELOAD: run('faketime', '-f', offset, 'printenv', 'LD_PRELOAD'), FAKETIME: offset }
}
