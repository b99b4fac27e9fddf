import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, type RunningService, runService, serveAndFail } from '../support/run-service.ts'
import { askVerdict, post, put, report, uploadList } from '../support/service-requests.ts'

const main = path.resolve(import.meta.dirname, '../../dist/src/cli/main.js')

async function until(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let i = 0; i < 1_000; i++) {
    if (await isTrue()) return
    await sleep(10)
  }
  throw new Error(`It never came true that ${what}.`)
}

describe('a running service', () => {
  let service: RunningService
  beforeAll(async () => {
    service = await runService({ processes: 2, threads: 2 })
  })
  afterAll(() => service.stop())

  it('blocks a number on every thread the moment its import is active', async () => {
    await put(service, '/v1/lists/moment', { kind: 'deny' })
    const record = await uploadList(service, 'moment', '+79070100001\n+79070100002\n', 'mode=replace')
    expect(record).toMatchObject({ state: 'active', counts: { rows: 2, accepted: 2, rejected: 0, added: 2 } })
    // A new connection each: the kernel spreads them over the four threads.
    for (let i = 0; i < 40; i++) expect((await askVerdict(service, '+79070100001')).decision).toBe('block')
  })

  it('flags after three reporters and blocks after five, on every thread, by the time the report is answered', async () => {
    const decisions: string[] = []
    for (let reporter = 1; reporter <= 5; reporter++) {
      expect((await report(service, '+79070100010', `subscriber-${reporter}`)).accepted).toBe(true)
      const all = await Promise.all(Array.from({ length: 20 }, () => askVerdict(service, '+79070100010')))
      const distinct = [...new Set(all.map((verdict) => verdict.decision))]
      expect(distinct).toHaveLength(1)
      decisions.push(distinct[0] ?? '')
    }
    expect(decisions).toEqual(['allow', 'allow', 'flag', 'flag', 'block'])
  })

  it('answers while control is dead, and control comes back with everything acknowledged', async () => {
    await report(service, '+79070100020', 'subscriber-1')
    const [control = 0] = service.pids('control')
    process.kill(control, 'SIGKILL')
    for (let i = 0; i < 20; i++) expect((await askVerdict(service, '+79070100001')).decision).toBe('block')
    await until(() => service.pids('control').some((pid) => pid !== control), 'control is back')
    await service.ready()
    const known = await (await fetch(`${service.adminUrl}/v1/numbers/%2B79070100020`)).json()
    expect(known).toMatchObject({ reports: [{ channel: 'hotline' }] })
  })

  it('says how old its state is while control is frozen, and that it is fresh again', async () => {
    const ages = async () => {
      const states = await Promise.all(
        Array.from({ length: 10 }, async () => (await fetch(`${service.verdictUrl}/health/ready`)).json()),
      )
      return states.map((state) => (state as { stateAgeMs: number }).stateAgeMs)
    }
    await until(async () => Math.max(...(await ages())) < 1_000, 'the state is fresh')
    const [control = 0] = service.pids('control')
    process.kill(control, 'SIGSTOP')
    try {
      await sleep(5_000)
      expect(Math.min(...(await ages()))).toBeGreaterThan(3_000)
    } finally {
      process.kill(control, 'SIGCONT')
    }
    await until(async () => Math.max(...(await ages())) < 1_000, 'the state is fresh again')
  })

  it('brings a killed verdict process back, with its gates', async () => {
    const before = service.pids('verdict')
    for (const pid of before) process.kill(pid, 'SIGKILL')
    await until(
      () => service.pids('verdict').length === 2 && service.pids('verdict').every((pid) => !before.includes(pid)),
      'both verdict processes are back',
    )
    await service.ready()
    expect((await askVerdict(service, '+79070100001')).decision).toBe('block')
    expect((await askVerdict(service, '+79070100010')).decision).toBe('block')
    expect(service.output()).not.toContain('gate file rebuilt')
  })

  it('makes the gates anew when their files are gone or damaged, and keeps them', async () => {
    const gates = path.join(service.dataDirectory, 'gates')
    const before = readdirSync(gates).sort()
    const contents = before.map((name) => readFileSync(path.join(gates, name)))
    const [first = '', ...rest] = before
    writeFileSync(path.join(gates, first), 'damaged')
    for (const name of rest) rmSync(path.join(gates, name))
    const [killed = 0] = service.pids('verdict')
    process.kill(killed, 'SIGKILL')
    await until(() => service.pids('verdict').length === 2 && !service.pids('verdict').includes(killed), 'it is back')
    await until(() => service.output().includes('gate file rebuilt'), 'its gates are made anew')
    // Without a draft: another process may just write the same.
    await until(() => readdirSync(gates).sort().join() === before.join(), 'the files are there again, and no others')
    await service.ready()
    expect(before.map((name) => readFileSync(path.join(gates, name)))).toEqual(contents)
    for (let i = 0; i < 40; i++) expect((await askVerdict(service, '+79070100001')).decision).toBe('block')
  })

  it('waits longer each time for a process that keeps dying, and says why', async () => {
    for (let i = 0; i < 3; i++) {
      await until(() => service.pids('verdict').length === 2, 'two verdict processes run')
      for (const pid of service.pids('verdict')) process.kill(pid, 'SIGKILL')
      await until(() => service.pids('verdict').length < 2, 'they are gone')
    }
    await until(() => service.pids('verdict').length === 2, 'two verdict processes run')
    await service.ready()
    const waits = [...service.output().matchAll(/"child":"verdict-1","why":"SIGKILL","waitMs":(\d+)/g)].map((match) =>
      Number(match[1]),
    )
    expect(waits.length).toBeGreaterThanOrEqual(4)
    expect(waits.slice(0, 4)).toEqual([...waits.slice(0, 4)].sort((a, b) => a - b))
    expect(waits[3]).toBeGreaterThan(waits[0] ?? 0)
  })

  it('puts a suspicious protected caller into the review queue instead of blocking', async () => {
    await put(service, '/v1/lists/banks', { kind: 'protected' })
    await uploadList(service, 'banks', '+79070100030\n', 'mode=replace')
    for (let reporter = 1; reporter <= 6; reporter++) await report(service, '+79070100030', `subscriber-${reporter}`)
    expect(await askVerdict(service, '+79070100030')).toMatchObject({ decision: 'flag' })
    await until(async () => {
      const { reviews } = (await (await fetch(`${service.adminUrl}/v1/reviews`)).json()) as {
        reviews: { number: string; causes: string[] }[]
      }
      return reviews.some(
        (review) => review.number === '+79070100030' && review.causes.includes('protected-suspicious'),
      )
    }, 'the review is open')
  })

  it('prints no telephone number', () => {
    expect(service.output()).not.toMatch(/7907010\d{4}/)
  })

  it('lists what it decided', async () => {
    await until(async () => {
      const response = await fetch(`${service.adminUrl}/v1/decisions?caller=%2B79070100001`)
      const { decisions } = (await response.json()) as { decisions: { decision: string }[] }
      return decisions.length >= 40 && decisions.every(({ decision }) => decision === 'block')
    }, 'the decisions are in the log')
  })

  it('refuses a second service on its data directory', () => {
    const second = serveAndFail({
      ZASLON_DATA_DIR: service.dataDirectory,
      ZASLON_ADMIN_PORT: '18098',
      ZASLON_VERDICT_PORT: '18099',
    })
    expect(second.code).toBe(1)
    expect(second.output).toContain('STORAGE_LOCKED')
  })

  it('shares its verdict port with no second service, unless that is wanted', async () => {
    const dataDirectory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-second-'))
    const adminPort = await freePort()
    const second = serveAndFail({
      ZASLON_DATA_DIR: dataDirectory,
      ZASLON_ADMIN_PORT: String(adminPort),
      ZASLON_VERDICT_PORT: String(service.verdictPort),
    })
    expect(second.code).toBe(1)
    expect(second.output).toContain('PORT_IN_USE')
    expect(second.output).not.toContain('Zaslon is ready')
    const sharing = await runService({
      dataDirectory,
      adminPort,
      verdictPort: service.verdictPort,
      environment: { ZASLON_VERDICT_SHARE_PORT: 'true' },
    })
    await until(() => sharing.output().includes('Zaslon is ready'), 'it serves beside the other one')
    expect(await sharing.stop()).toBe(0)
    rmSync(dataDirectory, { recursive: true })
  })
})

describe('a service that cannot start', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-start-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  it.each(['ZASLON_ADMIN_PORT', 'ZASLON_VERDICT_PORT'] as const)(
    'says so when another program has %s',
    async (variable) => {
      const other = createServer().listen(0, '127.0.0.1')
      await new Promise((resolve) => other.once('listening', resolve))
      const address = other.address()
      const taken = typeof address === 'object' && address ? address.port : 0
      const ports = { ZASLON_ADMIN_PORT: String(await freePort()), ZASLON_VERDICT_PORT: String(await freePort()) }
      const { code, output } = serveAndFail({ ZASLON_DATA_DIR: directory, ...ports, [variable]: String(taken) })
      other.close()
      expect(code).toBe(1)
      expect(output).toContain('PORT_IN_USE')
      expect(output).toContain(variable)
      // The next start finds nothing half done.
      expect(readdirSync(directory)).toEqual([])
    },
  )

  it.each(['ADMIN', 'VERDICT'])('says so when this machine has no address ZASLON_%s_HOST', async (name) => {
    const configFile = `${directory}.yaml`
    writeFileSync(configFile, `keys: [{ name: sbc, role: admin, sha256: "${'0'.repeat(64)}" }]\n`)
    const ports = { ZASLON_ADMIN_PORT: String(await freePort()), ZASLON_VERDICT_PORT: String(await freePort()) }
    // Of a network for documents (RFC 5737).
    const host = { [`ZASLON_${name}_HOST`]: '192.0.2.1', ZASLON_CONFIG: configFile }
    const { code, output } = serveAndFail({ ZASLON_DATA_DIR: directory, ...ports, ...host })
    rmSync(configFile)
    expect(code).toBe(1)
    expect(output).toContain('this machine has no such address')
    expect(output).toContain(`Set ZASLON_${name}_HOST`)
    expect(output).not.toContain('starting it again')
    expect(readdirSync(directory)).toEqual([])
  })

  const canDrop = spawnSync('setpriv', ['--version']).status === 0
  // Containers often let everybody have every port.
  const isGuarded = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8')) > 81
  it.skipIf(!canDrop || !isGuarded).each(['ADMIN', 'VERDICT'])(
    'says so when its user may not have the port ZASLON_%s_PORT',
    async (name) => {
      const ports = { ZASLON_ADMIN_PORT: String(await freePort()), ZASLON_VERDICT_PORT: String(await freePort()) }
      const low = { [`ZASLON_${name}_PORT`]: '81' }
      const asUser = ['setpriv', '--bounding-set', '-net_bind_service', '--inh-caps', '-net_bind_service']
      const { code, output } = serveAndFail(
        { ZASLON_DATA_DIR: directory, ...ports, ...low },
        process.getuid?.() === 0 ? asUser : [],
      )
      expect(code).toBe(1)
      expect(output).toContain('EACCES')
      expect(output).toContain(`from 1024 on with ZASLON_${name}_PORT`)
      expect(readdirSync(directory)).toEqual([])
    },
  )

  it('refuses an address others can reach without keys', () => {
    const { code, output } = serveAndFail({ ZASLON_DATA_DIR: directory, ZASLON_VERDICT_HOST: '0.0.0.0' })
    expect(code).toBe(1)
    expect(output).toContain('/verdict/host is 0.0.0.0')
  })

  it('refuses a data directory that cannot be made', () => {
    const { code, output } = serveAndFail({ ZASLON_DATA_DIR: path.join(main, 'below-a-file') })
    expect(code).toBe(1)
    expect(output).toContain('STORAGE_FAILED')
    expect(output).toContain('ZASLON_DATA_DIR')
  })
})

describe('a service that watches its processes', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-frozen-'))
  const configFile = path.join(directory, 'zaslon.yaml')
  let service: RunningService
  beforeAll(async () => {
    writeFileSync(configFile, 'verdict: { frozenSeconds: 3 }\n')
    service = await runService({ threads: 2, environment: { ZASLON_CONFIG: configFile } })
    await until(() => service.output().includes('Zaslon is ready'), 'it is ready')
  })
  afterAll(async () => {
    await service.stop()
    rmSync(directory, { recursive: true })
  })

  it('lets everything live that slept with the machine', async () => {
    const running = () => [service.pid, ...service.pids('control'), ...service.pids('verdict')]
    const processes = running()
    for (const pid of processes) process.kill(pid, 'SIGSTOP')
    await sleep(5_000)
    for (const pid of processes) process.kill(pid, 'SIGCONT')
    await sleep(4_500)
    expect(running()).toEqual(processes)
    expect(service.output()).not.toContain('move')
  })

  it('kills a verdict process that is frozen, and starts it again', async () => {
    const [frozen = 0] = service.pids('verdict')
    process.kill(frozen, 'SIGSTOP')
    await until(() => service.pids('verdict').some((pid) => pid !== frozen), 'another verdict process runs')
    await service.ready()
    expect((await askVerdict(service, '+79070100001')).decision).toBe('allow')
    expect(service.output()).toContain('a process does not move; killing it')
    // It is watched in its turn, and moves.
    const [back = 0] = service.pids('verdict')
    await sleep(4_500)
    expect(service.pids('verdict')).toEqual([back])
  })
})

describe('a service on node:http', () => {
  it('serves with one process and one thread, whatever is configured, and says so', async () => {
    const service = await runService({ processes: 2, threads: 2, environment: { ZASLON_VERDICT_ADAPTER: 'node' } })
    try {
      await until(() => service.output().includes('Zaslon is ready'), 'it is ready')
      expect((await askVerdict(service, '+79070100001')).decision).toBe('allow')
      expect(service.pids('verdict')).toHaveLength(1)
      expect(service.output()).toContain('one process with one thread')
    } finally {
      await service.stop()
    }
  })
})

describe('a service with keys', () => {
  it('answers who shows the right one, and nobody else', async () => {
    const { createHash } = await import('node:crypto')
    const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-keys-'))
    const digest = (key: string) => createHash('sha256').update(key).digest('hex')
    writeFileSync(
      path.join(directory, 'zaslon.yaml'),
      `keys:\n  - { name: sbc, role: switch, sha256: "${digest('s')}" }\n  - { name: desk, role: analyst, sha256: "${digest('d')}" }\n`,
    )
    const service = await runService({ environment: { ZASLON_CONFIG: path.join(directory, 'zaslon.yaml') } })
    try {
      const ask = (key?: string) =>
        fetch(
          `${service.verdictUrl}/v1/verdict?caller=1`,
          key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } },
        )
      expect((await ask()).status).toBe(401)
      expect((await ask('d')).status).toBe(401)
      expect((await ask('s')).status).toBe(200)
      const lists = (key: string) =>
        fetch(`${service.adminUrl}/v1/lists`, { headers: { authorization: `Bearer ${key}` } })
      expect((await lists('d')).status).toBe(200)
      expect((await lists('s')).status).toBe(403)
      expect((await post(service, '/v1/reports', {})).status).toBe(401)
    } finally {
      await service.stop()
      rmSync(directory, { recursive: true })
    }
  })
})
