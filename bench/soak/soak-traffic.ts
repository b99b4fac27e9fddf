/** The traffic of a soak: HTTP and binary frames at once, each at its rate for as long as it lasts. */
import os from 'node:os'
import path from 'node:path'
import type { RunningService } from '../../test/support/run-service.ts'
import { type Generated, type GeneratorOptions, generate } from '../generator/generator.ts'
import { EVENTS, postTraffic, socketBinaryTraffic } from '../generator/traffic.ts'
import { writeTrafficFile } from '../generator/traffic-file.ts'
import type { Say } from '../lib/run-bench.ts'

export const CALLS_A_FRAME = 16
/** Each of its own capacity, so that both together take about a quarter of the core. */
const SHARE = 0.125
/** Longer than any run. */
const SECONDS_MAX = 7_200
const CONNECTIONS = 16

export type SoakTraffic = {
  /** Calls a second over HTTP, and in frames. */
  readonly rates: readonly [http: number, frames: number]
  /** Runs until the promise resolves. */
  run(until: Promise<unknown>): Promise<readonly [http: Generated, frames: Generated]>
}

/** Half of them are blocked: more than fill the ring of the decision log (65,536 records), which takes its pages as they are written. */
const FILL_CALLS = { full: 200_000, quick: 140_000 } as const

/** Finds the rates by `seconds` of closed loop each, which also fills the tables that grow with traffic until they are full. */
export async function prepareTraffic(
  service: RunningService,
  { listed, seconds, quick }: { readonly listed: number; readonly seconds: number; readonly quick: boolean },
  say: Say,
): Promise<SoakTraffic> {
  const to = { port: service.verdictPort, connections: CONNECTIONS, sleeps: true, comesFirst: true }
  const [post, frames] = ['soak-post', 'soak-frames'].map((name) => path.join(os.tmpdir(), `${name}.traffic`))
  const forms: readonly [Form, Form] = [
    { ...to, traffic: post ?? '' },
    { ...to, traffic: frames ?? '', depth: 4, socket: { path: '/v1/calls', protocol: 'zaslon.bin.v1' } },
  ]
  writeTrafficFile(forms[0].traffic, postTraffic({ listed }), EVENTS)
  writeTrafficFile(forms[1].traffic, socketBinaryTraffic({ listed }, CALLS_A_FRAME), EVENTS)
  const blocked = path.join(os.tmpdir(), 'soak-blocked.traffic')
  writeTrafficFile(blocked, postTraffic({ listed, listedShare: 0.5 }), EVENTS)
  say('blocks, to fill the decision log')
  await generate({ ...to, traffic: blocked, answers: quick ? FILL_CALLS.quick : FILL_CALLS.full, seconds: 60 })
  const rateOf = async (form: Form) => {
    say(`closed loop for ${seconds} s`)
    return ((await generate({ ...form, seconds })).answeredCalls / seconds) * SHARE
  }
  const rates = [await rateOf(forms[0]), await rateOf(forms[1])] as const
  return {
    rates,
    run: (until) =>
      Promise.all([
        generate({ ...forms[0], rate: rates[0], seconds: SECONDS_MAX, until }),
        generate({ ...forms[1], rate: rates[1] / CALLS_A_FRAME, seconds: SECONDS_MAX, until }),
      ]),
  }
}

type Form = Pick<GeneratorOptions, 'port' | 'traffic' | 'connections' | 'socket' | 'sleeps' | 'comesFirst' | 'depth'>
