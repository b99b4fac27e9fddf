import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { Say } from '../lib/run-bench.ts'
import { startWorld } from '../lib/standard-world.ts'
import { type Contender, serviceContender, startServer } from './contender.ts'

export const CONTENDER_IDS = ['ours', 'bare', 'fastify', 'node'] as const
export type ContenderId = (typeof CONTENDER_IDS)[number]
/** Without node:http in a quick run. */
export type Contenders = Readonly<Record<Exclude<ContenderId, 'node'>, Contender> & { node: Contender | undefined }>

export const NAMES: Readonly<Record<ContenderId, string>> = {
  ours: 'Zaslon',
  bare: 'bare uWebSockets.js',
  fastify: 'fastify',
  node: 'node:http',
}

/** Three whole services over the same world, of which two have another HTTP library, and the limit. */
export async function startContenders(listed: number, isQuick: boolean, say: Say): Promise<Contenders> {
  const withFastify = path.join(PACKAGE_DIRECTORY, 'dist/bench/load/with-fastify.js')
  const service = async (id: ContenderId, environment: Readonly<Record<string, string>>) => {
    const world = await startWorld({ listed, environment, isQuick }, (text) => say(`${NAMES[id]}: ${text}`))
    return serviceContender(NAMES[id], world)
  }
  const [ours, node, fastify, bare] = await Promise.all([
    service('ours', {}),
    isQuick ? undefined : service('node', { ZASLON_VERDICT_ADAPTER: 'node' }),
    service('fastify', {
      ZASLON_VERDICT_ADAPTER: 'node',
      NODE_OPTIONS: `--import ${pathToFileURL(withFastify).href}`,
    }),
    startServer(NAMES.bare, 'bench/load/bare-uws.js'),
  ])
  await ensureFastify(fastify)
  return { ours, node, fastify, bare }
}

/** What fastify says of a path that it has not, and nobody else. Throws when another library answers in its name. */
async function ensureFastify({ name, port }: Contender): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/none`)
  const text = await response.text()
  if (!text.includes('Route GET:/none not found')) throw new Error(`${name} does not answer as fastify does: ${text}`)
}
