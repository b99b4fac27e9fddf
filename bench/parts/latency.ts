/** How long an answer takes: by load, while something else goes on, and when more is asked than can be answered. */
import { latencyCharts } from '../latency/charts.ts'
import {
  disturbancesTable,
  measureDisturbances,
  measuredDisturbances,
  writeOtherNumbers,
} from '../latency/disturbances.ts'
import { type Sizes, startLatencyWorld } from '../latency/latency-world.ts'
import { loadsTable, measuredHalf, measureLoads } from '../latency/loads.ts'
import { measuredOverload, measureOverload, overloadTable } from '../latency/overload.ts'
import { ROUNDS } from '../lib/interleave.ts'
import type { Part, PartResult } from '../suite/part.ts'

const FULL: Sizes = { isQuick: false, listed: 10_000_000, rounds: ROUNDS, rowRounds: 2, seconds: 2 }
const QUICK: Sizes = { isQuick: true, listed: 300_000, rounds: 3, rowRounds: 1, seconds: 0.5 }

export const part: Part = {
  about: 'open-loop latency by load, during imports, rebuilds and reloads, and in overload',
  minutes: 12,
  async run({ quick, say }): Promise<PartResult> {
    const sizes = quick ? QUICK : FULL
    const world = await startLatencyWorld(sizes, say)
    const loads = await measureLoads(world, sizes, say)
    const overload = await measureOverload(world, sizes, say)
    const disturbing = { world, capacity: loads.capacity.zaslon, files: writeOtherNumbers(sizes, say) }
    const disturbed = await measureDisturbances(disturbing, sizes, say)
    await world.stop()
    return {
      measured: {
        ...measuredHalf(loads),
        ...measuredDisturbances(disturbed),
        ...measuredOverload(overload),
      },
      tables: [loadsTable(loads), disturbancesTable(disturbed, sizes.listed), overloadTable(overload)],
      charts: latencyCharts(loads),
      raw: {
        sizes,
        capacity: loads.capacity,
        loads: loads.loads.map(({ share, side, callsPerSecond, rounds }) => ({
          share,
          side,
          callsPerSecond,
          rounds: rounds.map(({ times: _, ...counts }) => counts),
        })),
        disturbed,
        overload: { ...overload, offered: Object.fromEntries(overload.offered) },
      },
    }
  },
}
