/**
 * `node --import …/with-fastify.js`: a verdict thread that would listen with node:http listens with fastify. The thread is one
 * file (npm run build), so it is its text that changes, in the one place where an adapter is chosen; all else is as it was.
 */
import { register } from 'node:module'

const replacement = JSON.stringify(new URL('./fastify-adapter.js', import.meta.url).href)
const hook = `export async function load(url, context, next) {
  const loaded = await next(url, context)
  if (!url.endsWith('/workers/verdict.bundle.js')) return loaded
  const parts = String(loaded.source).split('? listenOnUws : listenOnNode;')
  if (parts.length !== 2) throw new Error('The verdict thread chooses its adapter otherwise than bench/load/with-fastify.ts knows.')
  return { ...loaded, source: \`import { listenOnNode as listenOnFastify } from ${replacement};\${parts.join('? listenOnUws : listenOnFastify;')}\` }
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
