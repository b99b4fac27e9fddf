import os from 'node:os'
import path from 'node:path'
import type { RunningService } from '../../test/support/run-service.ts'
import { generate } from '../generator/generator.ts'
import { EVENTS, socketBinaryTraffic } from '../generator/traffic.ts'
import { writeTrafficFile } from '../generator/traffic-file.ts'
import type { Say } from './run-bench.ts'

const CALLS_A_FRAME = 250
/** More than any takes. */
const SECONDS_MAX = 120
/** Tables of 900 MB have each of their pages touched after some hundred thousand calls; those of QUICK_CONFIGURATION sooner. */
const CALLS = { quick: 150_000, full: 3_000_000 } as const

/**
 * Calls until the tables that remember them have all their memory: of a service that has just started each call would take some
 * new pages from the kernel, which takes several times as long as the call itself.
 */
export async function fillTables(
  service: RunningService,
  listed: number,
  size: 'quick' | 'full',
  say: Say,
): Promise<void> {
  say(`${CALLS[size]} calls to fill the tables`)
  const traffic = path.join(os.tmpdir(), 'fill.traffic')
  writeTrafficFile(traffic, socketBinaryTraffic({ listed }, CALLS_A_FRAME), EVENTS)
  await generate({
    port: service.verdictPort,
    traffic,
    connections: 4,
    depth: 2,
    seconds: SECONDS_MAX,
    answers: CALLS[size] / CALLS_A_FRAME,
    socket: { path: '/v1/calls', protocol: 'zaslon.bin.v1' },
  })
}
