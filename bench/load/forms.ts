import {
  batchTraffic,
  type CallMix,
  getTraffic,
  postTraffic,
  socketBinaryTraffic,
  socketJsonTraffic,
} from '../generator/traffic.ts'
import type { Form } from './round.ts'

export const BINARY_SIZES = [1, 16, 256, 1_000] as const
export type FormId = 'post' | 'get' | 'pipelined' | 'batch' | 'json' | `binary${(typeof BINARY_SIZES)[number]}`

/**
 * Many connections for single requests, few for large ones: a queue of more than the deadline, 50 ms, would be answered with
 * `overloaded`. On a WebSocket a switch keeps several frames on their way.
 */
export function formsOf(mix: CallMix): Readonly<Record<FormId, Form>> {
  return {
    post: { name: 'HTTP POST', traffic: () => postTraffic(mix), calls: 1, connections: 32, depth: 1 },
    get: { name: 'HTTP GET', traffic: () => getTraffic(mix), calls: 1, connections: 32, depth: 1 },
    pipelined: {
      name: 'HTTP POST, 16 in a pipe',
      traffic: () => postTraffic(mix),
      calls: 1,
      connections: 8,
      depth: 16,
    },
    batch: {
      name: 'HTTP POST, batches of 100',
      traffic: () => batchTraffic(mix, 100),
      calls: 100,
      connections: 4,
      depth: 1,
    },
    json: {
      name: 'WebSocket JSON',
      traffic: () => socketJsonTraffic(mix),
      calls: 1,
      connections: 4,
      depth: 16,
      socket: { path: '/v1/calls', protocol: 'zaslon.json.v1' },
    },
    binary1: binary(mix, 1, 16),
    binary16: binary(mix, 16, 16),
    binary256: binary(mix, 256, 2),
    binary1000: binary(mix, 1_000, 1),
  }
}

function binary(mix: CallMix, calls: number, depth: number): Form {
  return {
    name: `WebSocket binary, ${calls} a frame`,
    traffic: () => socketBinaryTraffic(mix, calls),
    calls,
    connections: 4,
    depth,
    socket: { path: '/v1/calls', protocol: 'zaslon.bin.v1' },
  }
}

/**
 * Half of the callers listed, none twice, no ends: for streams whose verdicts are compared. Without the forms whose frames make no
 * whole stream, or are of another one but for their way of being sent.
 */
export function comparedForms(listed: number): Readonly<Record<Exclude<FormId, 'pipelined' | 'binary256'>, Form>> {
  const { pipelined, binary256, ...compared } = formsOf({ listed, listedShare: 0.5, hasEnds: false })
  return compared
}
