import { execFileSync } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { hasRedis, startRedis } from '../../test/support/redis.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { pin } from '../lib/pin.ts'
import { type Contender, startServer } from '../load/contender.ts'
import { SET_KEY } from './set-key.ts'

export type RedisPeers = { readonly plain: Contender; readonly pipelined: Contender; readonly bloom: Contender }

const PER_COMMAND = 1_000

/**
 * A Redis with the listed numbers, and three servers that ask it. Redis has the core of the servers too, so that each of them
 * with Redis has one core, and its processor time counts. Undefined without Redis.
 */
export async function startRedisPeers(listed: number): Promise<RedisPeers | undefined> {
  if (!hasRedis) return undefined
  const redis = await startRedis()
  pin([redis.pid])
  fill(redis.port, listed)
  const start = async (name: string, form: keyof RedisPeers): Promise<Contender> => {
    const words = [String(redis.port), form, String(listed)]
    const server = await startServer(name, 'bench/peers/fastify-redis.js', words)
    return { ...server, pids: [...server.pids, redis.pid] }
  }
  const [plain, pipelined, bloom] = await Promise.all([
    start('fastify + ioredis', 'plain'),
    start('fastify + ioredis, auto-pipelining', 'pipelined'),
    start('fastify + bloom-filters + ioredis', 'bloom'),
  ])
  return { plain: { ...plain, stop: () => Promise.all([plain.stop(), redis.close()]) }, pipelined, bloom }
}

function fill(port: number, listed: number): void {
  const file = path.join(os.tmpdir(), 'sadd.txt')
  const handle = openSync(file, 'w')
  for (let at = 0; at < listed; at += PER_COMMAND) {
    const count = Math.min(PER_COMMAND, listed - at)
    const numbers = Array.from({ length: count }, (_, index) => generatedNumber(at + index).slice(1))
    writeSync(handle, `SADD ${SET_KEY} ${numbers.join(' ')}\n`)
  }
  closeSync(handle)
  const input = openSync(file, 'r')
  try {
    execFileSync('redis-cli', ['-p', String(port), '--pipe'], { stdio: [input, 'ignore', 'inherit'] })
  } finally {
    closeSync(input)
    rmSync(file)
  }
  const held = execFileSync('redis-cli', ['-p', String(port), 'scard', SET_KEY], { encoding: 'utf8' }).trim()
  if (held !== String(listed)) throw new Error(`Redis holds ${held} numbers, not ${listed}.`)
}
