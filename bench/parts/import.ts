import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { hasRedis } from '../../test/support/redis.ts'
import { compareWithRedis } from '../lists/against-redis.ts'
import { importBesideTraffic } from '../lists/beside-traffic.ts'
import type { Part, ResultTable } from '../suite/part.ts'

/** A round of Redis takes 20 s on these cores: three of them, where other parts have seven. */
const FULL = { rows: 10_000_000, rounds: 3, repeats: 3 }
const QUICK = { rows: 300_000, rounds: 3, repeats: 1 }

const NO_REDIS = 'Redis is missing (redis-server, redis-cli): apt-get install redis, and run it again'
const NOT_COMPARED: ResultTable = {
  title: 'Numbers into a running server, against Redis',
  head: ['', 'seconds'],
  rows: [['redis-cli --pipe', 'not run']],
  note: `${NO_REDIS}.`,
}

export const part: Part = {
  about: '10 M rows to active against redis-cli --pipe of the same rows, and beside live traffic',
  minutes: 5,
  async run({ quick, say }) {
    const { rows, rounds, repeats } = quick ? QUICK : FULL
    const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
    try {
      if (!hasRedis) say(NO_REDIS)
      const redis = hasRedis ? await compareWithRedis({ rows, rounds, directory }, say) : undefined
      // Quick: what the comparison has is all there is time for.
      const traffic =
        quick && redis !== undefined ? undefined : await importBesideTraffic({ rows, repeats, directory }, say)
      return {
        measured: redis?.measured ?? {},
        tables: [...(redis?.tables ?? [NOT_COMPARED]), ...(traffic?.tables ?? [])],
        raw: { againstRedis: redis?.raw, besideTraffic: traffic?.raw },
      }
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
}
