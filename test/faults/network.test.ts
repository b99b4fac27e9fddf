import { execFileSync } from 'node:child_process'
import { afterEach, expect, it } from 'vitest'
import { startRedis } from '../support/redis.ts'
import { missing } from './lib/capabilities.ts'
import { createCleanup } from './lib/cleanup.ts'
import { makeNetwork } from './lib/network.ts'
import { run } from './lib/shell.ts'

const cleanup = createCleanup()
afterEach(async () => {
  expect(await cleanup.run()).toEqual([])
  expect(run('ip', 'netns', 'list')).not.toContain(`zf${process.pid}-`)
})

const why = (['namespaces', 'iptables', 'tbf', 'redis'] as const).map(missing).find((reason) => reason !== undefined)

it.skipIf(why !== undefined)(
  'makes a host that can be cut off, slowed and healed, and takes it away again',
  async () => {
    const host = makeNetwork(cleanup).addHost('redis')
    const redis = await startRedis({ host: host.address, prefix: host.prefix })
    cleanup.defer(() => redis.close())
    const answers = () => {
      try {
        const args = ['0.5', 'redis-cli', '-h', host.address, '-p', String(redis.port), 'ping']
        return execFileSync('timeout', args, { encoding: 'utf8', stdio: 'pipe' }).includes('PONG')
      } catch {
        return false
      }
    }
    expect(answers()).toBe(true)
    for (const fault of [
      () => host.drop(redis.port, 'in'),
      () => host.drop(redis.port, 'out'),
      () => host.reject(redis.port),
      () => host.lose(1),
    ]) {
      fault()
      expect(answers()).toBe(false)
      host.heal()
      expect(answers()).toBe(true)
    }
    host.shape(1_000)
    expect(answers()).toBe(true)
    host.heal()
    host.setLink(false)
    expect(answers()).toBe(false)
    host.setLink(true)
  },
)
