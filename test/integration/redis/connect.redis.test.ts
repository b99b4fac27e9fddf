import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { connectRedis } from '../../../src/stores/redis/connect-redis.ts'
import { createFactStreams } from '../../../src/stores/redis/fact-streams-redis.ts'
import { openRecord } from '../../../src/stores/redis/open-record.ts'
import { createRedisLink } from '../../../src/stores/redis/redis-link.ts'
import type { RedisSettings } from '../../../src/stores/redis/redis-settings.ts'
import { hasOpenssl, hasRedis, type RedisServer, startRedis, startRedisCluster } from '../../support/redis.ts'
import { newFactId, PSEUDONYM_CHECK, refusalOf, untilDone } from '../../support/redis-record.ts'
import { freePort } from '../../support/run-service.ts'

const refused = async (url: string, files: Partial<RedisSettings> = {}) =>
  await refusalOf(connectRedis({ url, ...files }).then(({ link }) => link.close()))

describe.skipIf(!hasRedis || !hasOpenssl)('connecting to Redis', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'zaslon-tls-'))
  const at = (name: string) => path.join(folder, name)
  let plain: RedisServer
  let guarded: RedisServer
  let replica: RedisServer
  let tlsPort: number
  let tls: RedisServer

  beforeAll(async () => {
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', ['req', '-x509', ...made, '-keyout', at('key.pem'), '-out', at('cert.pem'), ...subject], {
      stdio: 'ignore',
    })
    plain = await startRedis()
    guarded = await startRedis({ args: ['--requirepass', 'se:cret'] })
    replica = await startRedis({ args: ['--replicaof', `127.0.0.1 ${plain.port}`] })
    tlsPort = await freePort()
    const tlsFiles = ['--tls-cert-file', at('cert.pem'), '--tls-key-file', at('key.pem'), '--tls-auth-clients', 'no']
    tls = await startRedis({ args: ['--tls-port', String(tlsPort), ...tlsFiles] })
  })
  afterAll(async () => {
    for (const server of [plain, guarded, replica, tls]) await server?.close()
    rmSync(folder, { recursive: true })
  })

  it('signs in with the password of the URL', async () => {
    const { link, probe } = await connectRedis({ url: `redis://:se%3Acret@127.0.0.1:${guarded.port}` })
    expect(probe.kind).toBe('single')
    expect(await untilDone(() => link.call('a ping', () => link.client.ping()))).toBe('PONG')
    link.close()
  })

  it.each([
    ['a wrong password', ':wrong-one@', 'refuses the sign-in'],
    ['no password', '', 'refuses the sign-in'],
    ['an unknown user', 'nobody:wrong-one@', 'refuses the sign-in'],
  ])('refuses %s, and does not repeat it', async (_, signIn, text) => {
    const error = await refused(`redis://${signIn}127.0.0.1:${guarded.port}`)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain(text)
    expect(error.message).toContain(`127.0.0.1:${guarded.port}`)
    expect(JSON.stringify([error.message, error.details])).not.toContain('wrong-one')
  })

  it('refuses a password for a server that has none', async () => {
    const error = await refused(`redis://:se%3Acret@127.0.0.1:${plain.port}`)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain('has no password')
  })

  it('speaks TLS with the authority it is given, and says what is wrong otherwise', async () => {
    const { link } = await connectRedis({ url: `rediss://127.0.0.1:${tlsPort}`, caFile: at('cert.pem') })
    expect(await untilDone(() => link.call('a ping', () => link.client.ping()))).toBe('PONG')
    link.close()
    const unknown = await refused(`rediss://127.0.0.1:${tlsPort}`)
    expect(unknown.message).toContain('is not trusted')
    expect(unknown.details.hint).toContain('ZASLON_REDIS_CA_FILE')
    const reversed = await refused(`rediss://127.0.0.1:${plain.port}`, { caFile: at('cert.pem') })
    expect(reversed.code).toBe('CONFIG_INVALID')
    expect(reversed.details.hint).toContain('redis://')
    const plainToTls = await refused(`redis://127.0.0.1:${tlsPort}`)
    expect(plainToTls.code).toBe('CONFIG_INVALID')
    expect(`${plainToTls.message} ${plainToTls.details.hint}`).toContain('rediss://')
    const noFile = await refused(`rediss://127.0.0.1:${tlsPort}`, { caFile: at('none.pem') })
    expect(noFile.message).toContain('none.pem')
  })

  it('shows the client certificate that Redis wants, and checks the name it is told', async () => {
    const port = await freePort()
    const tlsFiles = ['--tls-cert-file', at('cert.pem'), '--tls-key-file', at('key.pem'), '--tls-ca-cert-file']
    const strict = await startRedis({ args: ['--tls-port', String(port), ...tlsFiles, at('cert.pem')] })
    onTestFinished(() => strict.close())
    const url = `rediss://127.0.0.1:${port}`
    const caFile = at('cert.pem')
    const files = { caFile, certFile: at('cert.pem'), keyFile: at('key.pem') }
    const { link } = await connectRedis({ url, ...files })
    expect(await untilDone(() => link.call('a ping', () => link.client.ping()))).toBe('PONG')
    link.close()
    const none = await refused(url, { caFile })
    expect(none.code).toBe('CONFIG_INVALID')
    expect(none.details.hint).toContain('certFile')
    const named = await connectRedis({ url, ...files, serverName: 'localhost' })
    named.link.close()
    const other = await refused(url, { ...files, serverName: 'redis.example' })
    expect(other.code).toBe('CONFIG_INVALID')
    expect(other.details.hint).toContain('redis.serverName')
  })

  it('reaches a cluster over TLS', async () => {
    const cluster = await startRedisCluster({
      nodeTimeoutMs: 5_000,
      tls: { certFile: at('cert.pem'), keyFile: at('key.pem') },
    })
    onTestFinished(() => cluster.close())
    const settings = { url: cluster.url, caFile: at('cert.pem') }
    const { link, probe } = await untilDone(() => connectRedis(settings))
    expect(probe.kind).toBe('cluster')
    const { recordId } = await untilDone(() => openRecord(link, { pseudonymCheck: PSEUDONYM_CHECK, mayCreate: true }))
    const record = createFactStreams(link, recordId)
    for (let partition = 0; partition < 65; partition++) {
      await untilDone(() => record.append(partition, newFactId(), Buffer.from('a fact')))
    }
    link.close()
  }, 60_000)

  it('refuses a Redis that has no functions yet', async () => {
    // Such a server is not at hand: this one says no more than what is asked.
    const info = '# Server\r\nredis_version:6.2.0\r\nredis_mode:standalone\r\n'
    const old = net.createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', () => socket.write(`$${info.length}\r\n${info}\r\n*2\r\n$11\r\nappendfsync\r\n$2\r\nno\r\n`))
    })
    old.listen(0, '127.0.0.1')
    await new Promise((resolve) => old.once('listening', resolve))
    const error = await refused(`redis://127.0.0.1:${(old.address() as AddressInfo).port}`)
    old.close()
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain('is Redis 6.2.0, at least 7.0 is needed')
    expect(error.details.hint).toBe('Upgrade Redis.')
  })

  it('refuses an HTTP server', async () => {
    const server = http.createServer((_, answer) => answer.end('hello')).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    const error = await refused(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain('is not a Redis')
    server.close()
  })

  it('refuses a replica, several servers that are no cluster, and one that evicts', async () => {
    expect((await refused(replica.url)).message).toContain('is a replica')
    expect((await refused(`${plain.url},${tls.url}`)).message).toContain('no Redis Cluster together')
    plain.cli('config', 'set', 'maxmemory', '100mb')
    const { link, probe } = await connectRedis({ url: plain.url })
    expect(probe.maxmemoryBytes).toBe(100 * 1024 * 1024)
    link.close()
    plain.cli('config', 'set', 'maxmemory-policy', 'allkeys-lru')
    expect((await refused(plain.url)).message).toContain('allkeys-lru')
    plain.cli('config', 'set', 'maxmemory', '0')
    const evictsNothing = await connectRedis({ url: plain.url })
    evictsNothing.link.close()
    plain.cli('config', 'set', 'maxmemory-policy', 'noeviction')
  })

  it.each([
    ['an answer without an end', '+'.padEnd(65_536, 'x')],
    ['arrays in arrays', '*1\r\n'.repeat(16_384)],
  ])('refuses %s', async (_, text) => {
    const sockets: net.Socket[] = []
    const server = net.createServer((socket) => {
      sockets.push(socket)
      const send = () => {
        while (!socket.destroyed && socket.write(text));
      }
      socket.on('drain', send).on('error', () => {})
      send()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const error = await refused(`redis://127.0.0.1:${(server.address() as AddressInfo).port}`)
    expect(error).toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining('is not a Redis') })
    for (const socket of sockets) socket.destroy()
    server.close()
  })

  it('says that nobody answers, refused or silent', async () => {
    const nobody = await refused(`redis://:se%3Acret@127.0.0.1:${await freePort()}`)
    expect(nobody.code).toBe('UNAVAILABLE')
    expect(nobody.message).not.toContain('cret')
    const silent = net.createServer(() => {}).listen(0, '127.0.0.1')
    await new Promise((resolve) => silent.once('listening', resolve))
    expect((await refused(`redis://127.0.0.1:${(silent.address() as AddressInfo).port}`)).code).toBe('UNAVAILABLE')
    silent.close()
  })

  it('makes a link while Redis is away, which refuses calls at once and connects when it comes', async () => {
    const port = await freePort()
    const link = createRedisLink({ url: `redis://127.0.0.1:${port}` }, 'single')
    const refusal = refusalOf(link.call('a ping', () => link.client.ping()))
    // At once: before anything that this process waits for comes in.
    const first = await Promise.race([refusal, new Promise((resolve) => setImmediate(resolve))])
    expect(first).toMatchObject({ code: 'UNAVAILABLE' })
    const server = await startRedis({ port })
    expect(await link.whenReady(10_000)).toBe(true)
    expect(await untilDone(() => link.call('a ping', () => link.client.ping()))).toBe('PONG')
    link.close()
    await server.close()
  })
})
