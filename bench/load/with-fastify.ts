/** `node --import …/with-fastify.js`: a verdict thread that listens with node:http listens with fastify instead. */
import { register } from 'node:module'

const replacement = new URL('./fastify-adapter.js', import.meta.url).href
const hook = `export async function resolve(specifier, context, next) {
  const isAdapter = specifier === './node.js' && context.parentURL?.endsWith('/data-plane/choose-adapter.js')
  return isAdapter ? { url: ${JSON.stringify(replacement)}, shortCircuit: true } : next(specifier, context)
}`
register(`data:text/javascript,${encodeURIComponent(hook)}`)
