import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import { hasRedis, startRedis } from '../../support/redis.ts'
import { joinRecord, newFactId, refusalOf, untilDone } from '../../support/redis-record.ts'

const NOT_KNOWN = 'not known yet'
const payload = Buffer.from('a fact')

async function joinedRedis(options: { ackReplicas?: number } = {}) {
  const server = await startRedis()
  const joined = await joinRecord(server.url, options)
  onTestFinished(async () => {
    joined.link.close()
    await server.close()
  })
  const append = () => joined.impatient.append(5, newFactId(), payload)
  return { server, joined, append }
}

describe.skipIf(!hasRedis)('an append that fails', () => {
  it('says that nobody knows what became of it when the connection breaks', async () => {
    const { server, joined, append } = await joinedRedis()
    await untilDone(() => joined.record.append(5, newFactId(), payload))
    server.signal('SIGSTOP')
    const refused = refusalOf(append())
    await sleep(20)
    await server.kill()
    expect((await refused).message).toContain(NOT_KNOWN)
    await expect.poll(async () => (await refusalOf(append())).message).toContain('is not connected')
    expect((await refusalOf(append())).message).not.toContain(NOT_KNOWN)
  })

  it('says so when replicas are missing, for it is appended', async () => {
    const { joined, append } = await joinedRedis({ ackReplicas: 1 })
    const wanted = expect.stringMatching(/0 of 1 replicas.*not known yet/)
    await expect.poll(async () => (await refusalOf(append())).message).toEqual(wanted)
    expect((await joined.record.touch(5)).sequence).toBeGreaterThan(0)
  })

  it('does not say so when Redis refuses it', async () => {
    const { server, joined, append } = await joinedRedis()
    await untilDone(() => joined.record.append(5, newFactId(), payload))
    server.cli('replicaof', '127.0.0.1', '1')
    await expect.poll(async () => (await refusalOf(append())).message).toMatch(/READONLY(?!.*not known yet)/)
  })
})
