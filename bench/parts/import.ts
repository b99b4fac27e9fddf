import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { hasRedis } from '../../test/support/redis.ts'
import { compareWithRedis } from '../lists/against-redis.ts'
import { importBesideTraffic } from '../lists/beside-traffic.ts'
import type { Part } from '../suite/part.ts'

/** A round of Redis takes 20 s on these cores: three of them, where other parts have seven. */
const FULL = { rows: 10_000_000, rounds: 3, repeats: 3 }
const QUICK = { rows: 300_000, rounds: 3, repeats: 1 }

export const part: Part = {
  about: '10 M rows to active against redis-cli --pipe of the same rows, and beside live traffic',
  minutes: 5,
  async run({ quick, say }) {
    const { rows, rounds, repeats } = quick ? QUICK : FULL
    const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
    try {
      if (!hasRedis) say('not compared with Redis, which is missing: apt-get install redis, and run it again')
      const redis = hasRedis ? await compareWithRedis({ rows, rounds, directory }, say) : undefined
      // Quick: what the comparison has is all there is time for.
      const traffic =
        quick && redis !== undefined ? undefined : await importBesideTraffic({ rows, repeats, directory }, say)
      return {
        measured: redis?.measured ?? {},
        tables: [...(redis?.tables ?? []), ...(traffic?.tables ?? [])],
        raw: { againstRedis: redis?.raw, besideTraffic: traffic?.raw },
      }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
}
