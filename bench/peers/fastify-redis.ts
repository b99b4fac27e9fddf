/**
 * What a team builds first: fastify, and one question to Redis for each call. With `bloom` a Bloom filter of `bloom-filters` in
 * the process stands before Redis, which is asked about its hits alone.
 *
 *   node dist/bench/peers/fastify-redis.js PORT REDIS_PORT plain|pipelined|bloom LISTED
 */
import bloomFilters from 'bloom-filters'
import { fastify } from 'fastify'
import { Redis } from 'ioredis'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { SET_KEY } from './set-key.ts'

const [port, redisPort, form, listed] = process.argv.slice(2)
/** Of ten thousand callers that are not listed one is looked up in vain. */
const BLOOM_ERRORS = 0.0001

const redis = new Redis({ port: Number(redisPort), host: '127.0.0.1', enableAutoPipelining: form === 'pipelined' })
const filter = form === 'bloom' ? createFilter(Number(listed)) : undefined

const app = fastify()
const text = { type: 'string' }
const response = { 200: { type: 'object', properties: { callId: text, decision: text, reason: text } } }
app.post<{ Body: { callId: string; caller: string } }>('/v1/verdict', { schema: { response } }, async ({ body }) => {
  const caller = body.caller.slice(1)
  const isListed = (filter === undefined || filter.has(caller)) && (await redis.sismember(SET_KEY, caller)) === 1
  return { callId: body.callId, decision: isListed ? 'block' : 'allow', reason: isListed ? 'listed' : 'no-evidence' }
})
await app.listen({ host: '127.0.0.1', port: Number(port) })

function createFilter(count: number) {
  const created = bloomFilters.BloomFilter.create(count, BLOOM_ERRORS)
  for (let index = 0; index < count; index++) created.add(generatedNumber(index).slice(1))
  return created
}
