import { generatedNumber } from '../../../bench/lib/generate-numbers.ts'
import { importList, Refusal } from '../lib/api.ts'
import type { FaultCase } from '../lib/fault-case.ts'
import { isAlive, untilWhole } from '../lib/node-state.ts'
import { LISTS } from '../lib/numbers.ts'
import { makeControlGroup } from '../lib/processes.ts'

const ROOM_BYTES = 32 * 2 ** 20

export const memoryPressure: FaultCase = {
  id: 'A7',
  what: 'memory runs out during an import: 32 MiB above what the node uses',
  expected:
    'No verdict process dies and every call is answered, some late while the kernel looks for memory. The import may fail and control may be started again.',
  needs: ['ss', 'cgroup-memory'],
  async run(world) {
    const group = makeControlGroup(world.cleanup, 'memory', 'm')
    const node = await world.startNode({ prefix: group.prefix })
    const trial = await world.startTrial(node)
    await trial.phase('before', 1_000)
    const used = Number(group.read('memory.usage_in_bytes'))
    group.write('memory.limit_in_bytes', used + ROOM_BYTES)
    const verdicts = node.pids('verdict')
    const rows = world.isQuick ? 200_000 : 1_000_000
    const csv = Array.from({ length: rows }, (_, index) => generatedNumber(index, 900_000_000)).join('\n')
    let outcome = 'active'
    try {
      await importList(node, LISTS.large, csv, 'replace')
    } catch (error) {
      outcome = error instanceof Refusal ? error.code : 'no answer'
    }
    await trial.phase('fault', 2_000)
    const killed = /oom_kill (\d+)/.exec(group.read('memory.oom_control'))?.[1] ?? '0'
    group.write('memory.limit_in_bytes', -1)
    await untilWhole(node)
    await trial.phase('after', 1_500)
    world.figure('the import ended', outcome)
    world.figure('killed for memory', Number(killed))
    world.expect('no verdict process has died', verdicts.every(isAlive), verdicts)
    await trial.finish({ mayBeLate: true })
  },
}
