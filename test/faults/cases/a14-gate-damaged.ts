import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { FaultCase } from '../lib/fault-case.ts'
import { untilWhole } from '../lib/node-state.ts'

/** Ways in which a file is not what was written. */
const DAMAGES: Record<string, (file: string) => void> = {
  'a byte flipped': (file) => {
    const bytes = readFileSync(file)
    const at = Math.floor(bytes.length / 2)
    bytes[at] = (bytes[at] ?? 0) ^ 0xff
    writeFileSync(file, bytes)
  },
  'cut in half': (file) => truncateSync(file, Math.floor(readFileSync(file).length / 2)),
  empty: (file) => truncateSync(file, 0),
  zeros: (file) => writeFileSync(file, Buffer.alloc(readFileSync(file).length)),
}

const UNREPORTED = 50_000

export const gateDamaged: FaultCase = {
  id: 'A14',
  what: `the gate files are damaged: ${Object.keys(DAMAGES).join(', ')}`,
  expected: 'The checksum refuses them and they are made anew from the lists: no wrong verdict, no call unanswered.',
  needs: ['ss'],
  isCheap: true,
  async run(world) {
    let node = await world.startNode()
    const { dataDirectory } = node
    let isNew = true
    const damages = Object.entries(DAMAGES).slice(0, world.isQuick ? 1 : undefined)
    for (const [name, damage] of damages) {
      if (isNew) {
        const trial = await world.startTrial(node)
        await trial.finish()
      }
      isNew = false
      await node.stop()
      const gates = path.join(dataDirectory, 'gates')
      const files = readdirSync(gates).filter((file) => file.endsWith('.gate'))
      for (const file of files) damage(path.join(gates, file))
      node = await world.startNode({ dataDirectory })
      await untilWhole(node)
      // Numbers that nobody has reported yet: those of the first trial are blocked, and rightly.
      const seed = (world.seed % 1_000_000) + UNREPORTED
      const trial = await world.startTrial(node, { isNew: false, hasWriter: false, seed })
      await trial.phase(name, world.isQuick ? 300 : 2_000)
      await trial.finish()
      world.figure('files damaged', files.length)
      world.expect('there is something to damage', files.length > 0)
    }
  },
}
