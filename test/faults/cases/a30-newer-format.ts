import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { openEnvironment } from '../../../src/stores/lmdb/environment.ts'
import { LIVE_SPACE, makeKey } from '../../../src/stores/lmdb/keys.ts'
import { LISTS_FILE } from '../../../src/stores/lmdb/list-contents.ts'
import { LIVE_FILE } from '../../../src/stores/lmdb/live-format.ts'
import { decodeJson, encodeJson } from '../../../src/stores/lmdb/values.ts'
import type { FaultCase } from '../lib/fault-case.ts'

const NEWER = 9

export const newerFormat: FaultCase = {
  id: 'A30',
  what: 'the data was written by a newer version: each of the two files in turn',
  expected: 'The service ends with STORAGE_FORMAT and both versions, the file stays as it was, byte for byte.',
  needs: [],
  async run(world) {
    let node = await world.startNode()
    const { dataDirectory } = node
    const trial = await world.startTrial(node)
    await trial.phase('before', 500)
    await trial.finish()
    await node.stop()
    for (const file of [LIVE_FILE, LISTS_FILE]) {
      const ours = await putFormat(path.join(dataDirectory, file), NEWER)
      const before = digest(path.join(dataDirectory, file))
      let words = 'the service started'
      try {
        await (await world.startNode({ dataDirectory })).stop()
      } catch (error) {
        words = String(error)
      }
      const isUnchanged = digest(path.join(dataDirectory, file)) === before
      world.figure(file, words.match(/STORAGE_FORMAT/) ? 'refused' : 'not refused')
      world.expect(`${file} is refused with both versions`, /STORAGE_FORMAT.*v9.*v1/s.test(words), words)
      world.expect(`${file} is unchanged`, isUnchanged)
      await putFormat(path.join(dataDirectory, file), ours)
    }
    node = await world.startNode({ dataDirectory })
    await world.verify(node, trial.acknowledged)
  },
}

/** Resolves with the format that was there. */
async function putFormat(file: string, version: number): Promise<number> {
  const key = makeKey(LIVE_SPACE.meta, { text: 'format' })
  const environment = openEnvironment({ path: file, readOnly: false })
  const before = decodeJson<{ version: number }>(environment.bytes(key) ?? encodeJson({ version: 1 })).version
  environment.db.transactionSync(() => void environment.db.put(key, encodeJson({ version })))
  await environment.close()
  return before
}

function digest(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex')
}
