import os from 'node:os'
import path from 'node:path'
import { generateTimed, percentileMs } from '../generator/generator.ts'
import {
  batchTraffic,
  EVENTS,
  getTraffic,
  postTraffic,
  socketBinaryTraffic,
  socketJsonTraffic,
} from '../generator/traffic.ts'
import { writeTrafficFile } from '../generator/traffic-file.ts'
import { cpuMicroseconds } from '../lib/process-cpu.ts'
import { startWorld } from '../lib/standard-world.ts'
import type { Part } from '../suite/part.ts'

export const part: Part = {
  about: 'x',
  minutes: 5,
  async run({ say }) {
    const listed = 1_000_000
    const service = await startWorld({ listed }, say)
    const [pid = 0] = service.pids('verdict')
    const mix = { listed }
    const forms: Record<string, () => import('../generator/traffic-file.ts').TrafficRequest[]> = {
      post: () => postTraffic(mix),
      get: () => getTraffic(mix),
      batch: () => batchTraffic(mix, 100),
      json: () => socketJsonTraffic(mix),
      bin256: () => socketBinaryTraffic(mix, 256),
      bin1: () => socketBinaryTraffic(mix, 1),
      bin1000: () => socketBinaryTraffic(mix, 1000),
    }
    for (const [form, make] of Object.entries(forms)) {
      const file = path.join(os.tmpdir(), `${form}.traffic`)
      writeTrafficFile(file, make(), EVENTS)
      const socket =
        form === 'json'
          ? { path: '/v1/calls', protocol: 'zaslon.json.v1' }
          : form.startsWith('bin')
            ? { path: '/v1/calls', protocol: 'zaslon.bin.v1' }
            : undefined
      for (let i = 0; i < 2; i++) {
        const before = cpuMicroseconds(pid)
        const got = await generateTimed({
          port: service.verdictPort,
          traffic: file,
          connections: 32,
          seconds: 3,
          depth: 1,
          ...(socket ? { socket } : {}),
        })
        const cpu = cpuMicroseconds(pid) - before
        const { times, overloadedTimes, ...rest } = got
        say(
          `${form} ${Math.round(rest.answeredCalls / rest.seconds)}/s cpu ${(cpu / rest.answeredCalls).toFixed(2)} us p50 ${percentileMs(times, 50)} p99 ${percentileMs(times, 99)} ${JSON.stringify(rest)}`,
        )
      }
    }
    await service.stop()
    return { measured: {}, tables: [], raw: {} }
  },
}
