import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, get } from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { LEFT_BEHIND_MS } from '../../src/processes/left-behind.ts'
import { isAlive, until } from '../faults/lib/node-state.ts'
import { freePort, type RunningService, runService } from '../support/run-service.ts'
import { askVerdict, put, report } from '../support/service-requests.ts'

/** Asks on one kept connection after the other's answer, and on a new one each time, until told. */
function keepAsking(port: number) {
  let asked = 0
  const failures: string[] = []
  let isOver = false
  let resets = 0
  const get200 = async (agent: Agent | false) => {
    const request = get({ host: '127.0.0.1', port, path: '/v1/verdict?caller=%2B79070100001', agent })
    const [response] = await once(request, 'response')
    response.resume()
    await once(response, 'end')
    if (response.statusCode !== 200) throw new Error(String(response.statusCode))
  }
  const ask = async (agent: Agent | false) => {
    try {
      // The kernel resets a connection that waits in the queue of a process that ends: asked once more, as a switch would.
      await get200(agent).catch((error: Error & { code?: string }) => {
        if (error.code !== 'ECONNRESET') throw error
        resets++
        return get200(agent)
      })
    } catch (error) {
      failures.push(String(error))
    }
    asked++
  }
  const loop = async (agent: Agent | false) => {
    while (!isOver) {
      await ask(agent)
      await sleep(2)
    }
  }
  const kept = new Agent({ keepAlive: true, maxSockets: 1 })
  const loops = Promise.all([loop(kept), loop(false)])
  return async () => {
    isOver = true
    await loops
    kept.destroy()
    return { asked, failures, resets }
  }
}

describe('a service whose supervisor is killed', () => {
  let service: RunningService
  const left: number[] = []
  const services: RunningService[] = []
  const other = mkdtempSync(path.join(os.tmpdir(), 'zaslon-other-'))
  const run = async (options: Parameters<typeof runService>[0]) => {
    const started = await runService(options)
    services.push(started)
    return started
  }
  beforeAll(async () => {
    const dataDirectory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-left-'))
    service = await run({ dataDirectory, processes: 2 })
    await until('it is ready', () => service.output().includes('Zaslon is ready'))
  })
  afterAll(async () => {
    for (const one of services) await one.kill()
    rmSync(service.dataDirectory, { recursive: true, force: true })
    rmSync(other, { recursive: true, force: true })
  })
  const again = () => {
    const { dataDirectory, adminPort, verdictPort } = service
    return run({ dataDirectory, adminPort, verdictPort, processes: 2 })
  }
  const killSupervisor = () => {
    left.splice(0, left.length, ...service.pids('verdict'))
    expect(left).toHaveLength(2)
    process.kill(service.pid, 'SIGKILL')
  }

  it('answers every call until the next one serves, which then is alone on the port', async () => {
    const done = keepAsking(service.verdictPort)
    await sleep(200)
    killSupervisor()
    await until('who is left says so', async () => {
      const health = (await (await fetch(`${service.verdictUrl}/health/ready`)).json()) as object
      return 'unsupervised' in health
    })
    await sleep(1_000)
    expect(left.every(isAlive)).toBe(true)
    const next = await again()
    await until('the next one serves', () => next.output().includes('Zaslon is ready'))
    await until('who was left has ended', () => !left.some(isAlive))
    await sleep(200)
    service = next
    const { asked, failures, resets } = await done()
    expect(failures).toEqual([])
    expect(resets).toBeLessThan(5)
    expect(asked).toBeGreaterThan(100)
    expect(next.output()).toContain('taking over')
    expect(service.output()).not.toContain('answers no calls any more')
    service = next
  })

  it('is taken over by its own successor with everything it was told', async () => {
    await put(service, '/v1/lists/fraud', { kind: 'deny' })
    for (let reporter = 1; reporter <= 6; reporter++) await report(service, '+79070100040', `subscriber-${reporter}`)
    expect((await askVerdict(service, '+79070100040')).decision).toBe('block')
    killSupervisor()
    service = await again()
    await until('who was left has ended', () => !left.some(isAlive))
    expect((await askVerdict(service, '+79070100040')).decision).toBe('block')
  })

  it('ends by itself when nobody comes, and a service with other data waits so long for the port', async () => {
    const { verdictPort } = service
    killSupervisor()
    const startMs = performance.now()
    const stranger = await run({ dataDirectory: other, adminPort: await freePort(), verdictPort, waitMs: 30_000 })
    await until('it has the port', () => stranger.output().includes('Zaslon is ready'), 30_000)
    expect(performance.now() - startMs).toBeGreaterThan(LEFT_BEHIND_MS - 3_000)
    // The port is given back first, and the logs are closed after that.
    await until('who was left has ended', () => !left.some(isAlive))
    const lines = service.output().split('\n')
    const nobody = lines.filter((line) => line.includes('answers no calls any more'))
    expect(nobody.map((line) => JSON.parse(line))).toMatchObject(
      left.map(() => ({ level: 'error', port: verdictPort })),
    )
  }, 60_000)
})
