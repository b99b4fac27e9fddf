import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { isLoopback, loadConfig } from '../../../src/config/load-config.ts'
import { CONFIG_SCHEMA } from '../../../src/config/schema.ts'
import { ScreeningError } from '../../../src/domain/errors.ts'
import { ACTIVITY_MAX } from '../../../src/shm/activity-layout.ts'
import { BLOCK_TABLE_CAPACITY_MAX } from '../../../src/shm/block-table.ts'
import { COUNTER_THREADS_MAX } from '../../../src/shm/counters.ts'
import { PAIRS_PER_DAY_MAX } from '../../../src/shm/pair-memory.ts'
import { RECENT_CALLS_MAX } from '../../../src/shm/recent-calls.ts'
import { REPUTATIONS_MAX } from '../../../src/shm/reputation-table.ts'
import { TRAFFIC_CAPACITY_MAX } from '../../../src/shm/traffic.ts'

const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-config-'))
afterAll(() => rmSync(directory, { recursive: true }))
let files = 0

function file(text: string): string {
  const name = path.join(directory, `${files++}.yaml`)
  writeFileSync(name, text)
  return name
}

function refusal(environment: Record<string, string>, text = ''): ScreeningError {
  try {
    loadConfig(environment, file(text))
  } catch (error) {
    if (error instanceof ScreeningError) return error
    throw error
  }
  throw new Error('The configuration was accepted.')
}

describe('the configuration', () => {
  it('is complete without a file or a variable', () => {
    const config = loadConfig({}, file(''))
    expect(config.verdict).toMatchObject({ host: '127.0.0.1', port: 8090, processes: 1, deadlineMs: 50 })
    expect(config.admin).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(config.homeCountry).toBe('RU')
    expect(config.isDefaultDataDirectory).toBe(true)
    expect(path.basename(config.dataDirectory)).toBe('var')
  })

  it('lets a variable win over the file, and the file over the default', () => {
    const text = 'verdict: { port: 9001, threads: 3 }\nhomeCountry: DE\n'
    const config = loadConfig({ ZASLON_VERDICT_PORT: '9002', ZASLON_DATA_DIR: directory }, file(text))
    expect(config.verdict).toMatchObject({ port: 9002, threads: 3 })
    expect(config.homeCountry).toBe('DE')
    expect(config.isDefaultDataDirectory).toBe(false)
  })

  it('takes an empty variable for an absent one', () => {
    expect(loadConfig({ ZASLON_VERDICT_PORT: '' }, file('')).verdict.port).toBe(8090)
  })

  it.each([
    ['true', true],
    ['false', false],
  ])('reads %s as what it says', (text, expected) => {
    expect(loadConfig({ ZASLON_VERDICT_SHARE_PORT: text }, file('')).verdict.sharePort).toBe(expected)
    expect(refusal({ ZASLON_VERDICT_SHARE_PORT: 'yes' }).message).toContain('ZASLON_VERDICT_SHARE_PORT')
  })

  it('names every mistake at once, with the variable it came from', () => {
    const error = refusal(
      { ZASLON_VERDICT_PORT: '65536', ZASLON_THREADS: 'four' },
      'verdict: { prot: 1 }\nlog: { level: loud }\n',
    )
    expect(error.code).toBe('CONFIG_INVALID')
    expect(error.message).toContain('ZASLON_VERDICT_PORT')
    expect(error.message).toContain('ZASLON_THREADS')
    expect(error.message).toContain('/verdict/prot is not a known key')
    expect(error.message).toContain('/log/level')
  })

  it.each([
    ['a verdict port beyond the last', { ZASLON_VERDICT_PORT: '65536' }],
    ['no process', { ZASLON_VERDICT_PROCESSES: '0' }],
    ['one process too many', { ZASLON_VERDICT_PROCESSES: '33' }],
    ['one thread too many', { ZASLON_THREADS: '65' }],
    ['a country that is no code', { ZASLON_HOME_COUNTRY: 'Russia' }],
    ['an unknown time zone', { ZASLON_TIME_ZONE: 'Europe/Atlantis' }],
    ['the same port for both planes', { ZASLON_VERDICT_PORT: '9000', ZASLON_ADMIN_PORT: '9000' }],
    ['a port of the system’s choice for several threads', { ZASLON_VERDICT_PORT: '0', ZASLON_THREADS: '2' }],
  ])('refuses %s', (_, environment) => {
    expect(refusal(environment as Record<string, string>).code).toBe('CONFIG_INVALID')
  })

  it('reads where Redis is from the environment', () => {
    const environment = { ZASLON_REDIS_URL: 'redis://127.0.0.1', ZASLON_REDIS_CA_FILE: 'ca.pem' }
    const { redis } = loadConfig(environment, file(''))
    expect(redis).toMatchObject({ url: 'redis://127.0.0.1', caFile: 'ca.pem', ackReplicas: 0, outboxMax: 100_000 })
    expect(refusal({}, 'redis: { ackReplicas: 6 }\n').message).toContain('/redis/ackReplicas')
    expect(refusal({}, 'redis: { outboxMax: 0 }\n').message).toContain('/redis/outboxMax')
    expect(refusal({}, 'redis: { certFile: a.pem }\n').message).toContain('/redis/keyFile')
  })

  // The schema may not import shared memory, so this is where the two meet.
  it.each([
    ['threads', COUNTER_THREADS_MAX],
    ['recentCalls', RECENT_CALLS_MAX],
    ['callersPerHour', TRAFFIC_CAPACITY_MAX],
    ['pairsPerDay', PAIRS_PER_DAY_MAX],
    ['activeNumbers', ACTIVITY_MAX],
    ['blocks', BLOCK_TABLE_CAPACITY_MAX],
    ['recentEnds', RECENT_CALLS_MAX],
    ['reputations', REPUTATIONS_MAX],
  ])('refuses more than shared memory has room for: verdict.%s', (key, max) => {
    expect(refusal({}, `verdict: { ${key}: ${max + 1} }\n`).message).toContain(`/verdict/${key}`)
  })

  it.each([
    ['activeNumbers', 1_024, 8_388_608],
    ['blocks', 1_024, 16_777_216],
    ['recentEnds', 1_024, 16_777_216],
    ['pairsPerDay', 1_024, 67_108_864],
    ['reputations', 1_024, 16_777_216],
    ['listTableBytes', 0, 17_179_869_184],
  ])('takes verdict.%s from %i to %i', (key, min, max) => {
    for (const value of [min, max]) {
      expect(loadConfig({}, file(`verdict: { ${key}: ${value} }\n`)).verdict).toMatchObject({ [key]: value })
    }
    for (const value of [min - 1, max + 1, min + 0.5]) {
      expect(refusal({}, `verdict: { ${key}: ${value} }\n`).message).toContain(`/verdict/${key}`)
    }
  })

  it('remembers the calls of a peak of 17,000 a second for a minute, unless told otherwise', () => {
    expect(loadConfig({}, file('')).verdict.recentCalls).toBeGreaterThanOrEqual(17_000 * 60)
  })

  it('refuses an address others can reach while no key guards it', () => {
    expect(refusal({ ZASLON_VERDICT_HOST: '0.0.0.0' }).message).toContain('/verdict/host')
    const agentOnly = `keys: [{ name: a, role: agent, sha256: ${'ab'.repeat(32)} }]\n`
    expect(refusal({ ZASLON_VERDICT_HOST: '0.0.0.0' }, agentOnly).message).toContain('role switch or admin')
    const config = loadConfig({ ZASLON_ADMIN_HOST: '0.0.0.0' }, file(agentOnly))
    expect(config.admin.host).toBe('0.0.0.0')
  })

  it('refuses the same key or trunk name twice', () => {
    const key = `{ name: a, role: agent, sha256: ${'ab'.repeat(32)} }`
    expect(refusal({}, `keys: [${key}, ${key}]\n`).message).toContain('/keys names a twice')
    const trunk = '{ name: t, kind: national }'
    expect(refusal({}, `trunks: [${trunk}, ${trunk}]\n`).message).toContain('/trunks names t twice')
  })

  it.each(['- a list', 'just text', '{ broken'])('refuses a file that is no mapping: %s', (text) => {
    expect(refusal({}, text).code).toBe('CONFIG_INVALID')
  })

  it('refuses a named file that is not there', () => {
    expect(() => loadConfig({}, path.join(directory, 'absent.yaml'))).toThrow('cannot be read')
  })

  it('has every key of the verdict processes in docs/OPERATIONS.md once', () => {
    const docs = readFileSync(path.join(import.meta.dirname, '../../../docs/OPERATIONS.md'), 'utf8')
    for (const key of Object.keys(CONFIG_SCHEMA.properties.verdict.properties)) {
      expect(docs.split(`| \`verdict.${key}\` |`).length - 1, key).toBe(1)
    }
  })

  it('knows this machine’s own addresses', () => {
    for (const host of ['127.0.0.1', '127.9.9.9', 'localhost', '::1']) expect(isLoopback(host)).toBe(true)
    for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', '128.0.0.1']) {
      expect(isLoopback(host)).toBe(false)
    }
  })
})
