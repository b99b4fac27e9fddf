/**
 * What the benches are held to: each row has a figure that must be reached (`pass`) and one we aim at (`aim`), nearly all
 * ratios of two sides that were measured in turn in one run. A part of the suite measures the rows that name it.
 */
export type Measure = {
  readonly part: PartName
  readonly text: string
  readonly unit: string
  readonly better: 'higher' | 'lower'
  readonly pass: number
  readonly aim: number
}

export const PART_NAMES = ['micro', 'load', 'peers', 'latency', 'scale', 'import', 'soak', 'country'] as const
export type PartName = (typeof PART_NAMES)[number]

function higher(part: PartName, text: string, pass: number, aim: number, unit = 'x'): Measure {
  return { part, text, unit, better: 'higher', pass, aim }
}

function lower(part: PartName, text: string, pass: number, aim: number, unit = 'x'): Measure {
  return { part, text, unit, better: 'lower', pass, aim }
}

/** In the order of the table; an id is the key of results and of baselines, and never changes its meaning. */
export const MEASURES = {
  'http-vs-bare': higher('load', 'HTTP POST verdicts per core, to a bare uWebSockets.js app', 0.85, 0.95),
  'http-vs-fastify': higher('load', 'HTTP POST, to fastify with the same decision', 2.5, 4),
  'pipelined-vs-fastify': higher('load', 'HTTP POST 16 in a pipe, to fastify with the same decision', 5, 8.5),
  'post-vs-fastify-ioredis': higher('peers', 'HTTP POST, to fastify + ioredis', 5, 10),
  'post-vs-fastify-bloom': higher('peers', 'HTTP POST, to fastify + bloom-filters + ioredis', 4, 8),
  'get-vs-kamailio': higher('peers', 'HTTP GET per core, to Kamailio xhttp + htable', 2.5, 4),
  'binary-vs-kamailio': higher('peers', 'binary WebSocket 256 a frame per core, to Kamailio xhttp + htable', 15, 40),
  'binary-rate': higher('load', 'binary WebSocket, 256 a frame, on one core', 1_200_000, 2_500_000, '/s'),
  'binary-vs-http': higher('load', 'binary WebSocket, 256 a frame, to HTTP POST', 10, 20),
  'half-p99': lower('latency', 'HTTP at half of capacity, p99', 1, 0.5, 'ms'),
  'half-p999': lower('latency', 'HTTP at half of capacity, p99.9', 3, 1, 'ms'),
  'half-p999-vs-bare': lower('latency', 'HTTP at half of capacity, p99.9 to the bare app at the same rate', 1.5, 1.1),
  'import-p999': lower('latency', 'p99.9 during an import, to quiet', 2, 1.2),
  'rebuild-p999': lower('latency', 'p99.9 during a rebuild of the gate, to quiet', 2, 1.2),
  'reload-p999': lower('latency', 'p99.9 during reloads of the policy, to quiet', 2, 1.2),
  'gate-vs-bloom-filters': higher('micro', 'gate look-up, to bloom-filters', 50, 150),
  'gate-vs-set': higher('micro', 'gate look-up, to Set', 3, 5),
  'gate-vs-c': lower('micro', 'time of a gate look-up, to a blocked filter in C', 3, 2),
  'scale-rate': higher('scale', 'rate with the most listed numbers, to 1,000', 0.85, 0.95),
  'scale-bytes': lower('scale', 'memory of a listed number, steady', 3, 2.5, 'bytes'),
  'scale-bytes-swap': lower('scale', 'memory of a listed number while a gate is swapped', 6, 5, 'bytes'),
  'import-vs-redis': higher('import', 'import to active, to redis-cli --pipe of the same rows', 1, 2),
  'threads-cpu': lower('load', 'processor time of a verdict with two threads, to one', 1.1, 1.02),
  'overload-goodput': higher('latency', 'goodput at 1.1 times capacity, to the peak', 0.9, 0.97),
  'overload-p99': lower('latency', 'p99 of accepted calls at 4 times capacity', 50, 25, 'ms'),
  'overload-memory': lower('latency', 'growth of memory at 4 times capacity', 64, 16, 'MiB'),
  'overload-recovery': lower('latency', 'recovery from 4 times capacity', 2, 0.5, 's'),
  'soak-slope': lower('soak', 'slope of memory after warm-up', 1, 0, 'MB/h'),
  'country-cpu': lower('country', 'share of a core for 21,000 calls/s and 50,000 reports/h', 50, 25, '%'),
  'country-p9999': lower('country', 'p99.99 of the same', 5, 2, 'ms'),
} as const satisfies Record<string, Measure>

export type MeasureId = keyof typeof MEASURES

/** `pass` reaches what must be, `aim` what we aim at as well. */
export type Standing = 'aim' | 'pass' | 'short' | 'not run'

export function standingOf(measure: Measure, value: number | undefined): Standing {
  if (!isFigure(value)) return 'not run'
  const reaches = (limit: number) => (measure.better === 'higher' ? value >= limit : value <= limit)
  if (reaches(measure.aim)) return 'aim'
  return reaches(measure.pass) ? 'pass' : 'short'
}

/** False for what JSON makes of a figure that is none. */
export function isFigure(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}
