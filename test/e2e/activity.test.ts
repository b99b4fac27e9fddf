import { readdirSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { type RunningService, runService } from '../support/run-service.ts'
import { post, report } from '../support/service-requests.ts'

const CALLER = '+79070100001'
const CALLEES = Array.from({ length: 60 }, (_, i) => `+7916${String(1_000_000 + i * 7)}`)

let service: RunningService | undefined
afterEach(async () => {
  await service?.stop()
  service = undefined
})

/** What GET /v1/numbers answers, as far as it is of interest here. */
type Dossier = {
  readonly activity?: { readonly outgoing: Readonly<Record<string, { attempts60: number; others60: number }>> }
  readonly reports: readonly { readonly opinion?: string }[]
  readonly numberBlock?: Readonly<Record<string, number>>
}

/** Each on a connection of its own, so that the kernel chooses a process anew. */
async function call(running: RunningService, caller: string, callees: readonly string[]): Promise<void> {
  for (const callee of callees) {
    const query = new URLSearchParams({ caller, callee })
    const response = await fetch(`${running.verdictUrl}/v1/verdict?${query}`, { headers: { connection: 'close' } })
    expect(response.status).toBe(200)
    await response.arrayBuffer()
  }
}

async function lookUp(running: RunningService, number: string): Promise<Dossier> {
  const response = await fetch(`${running.adminUrl}/v1/numbers/${encodeURIComponent(number)}`)
  return (await response.json()) as Dossier
}

async function outgoing(running: RunningService, number: string) {
  return Object.values((await lookUp(running, number)).activity?.outgoing ?? {})[0]
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200 && !(await isSo()); tries++) await sleep(50)
  expect(await isSo()).toBe(true)
}

describe('what numbers have been doing', () => {
  it('is seen as a whole though two processes take the calls', async () => {
    service = await runService({ processes: 2 })
    const running = service
    await call(running, CALLER, CALLEES)
    await until(async () => (await outgoing(running, CALLER))?.attempts60 === CALLEES.length)
    expect(await outgoing(running, CALLER)).toMatchObject({ others60: CALLEES.length, days: 1 })
  })

  it('is remembered over a restart', async () => {
    const dataDirectory = temporaryDirectory()
    service = await runService({ dataDirectory })
    await call(service, CALLER, CALLEES)
    await service.stop()
    service = await runService({ dataDirectory })
    expect(service.output()).toContain('remembered from before the restart')
    expect(await outgoing(service, CALLER)).toMatchObject({ attempts60: CALLEES.length, others60: CALLEES.length })
  }, 60_000)

  it('is remembered with pairs and decisions when the stop comes while a snapshot is written', async () => {
    const dataDirectory = temporaryDirectory()
    const snapshots = path.join(dataDirectory, 'snapshots')
    const isWriting = async () => readdirSync(snapshots).some((name) => name.endsWith('.draft'))
    const environment = { ZASLON_SAMPLE_ONE_IN: '1' }
    service = await runService({ dataDirectory, environment })
    await call(service, CALLER, CALLEES.slice(0, 30))
    for (let tries = 0; tries < 1_000 && !(await isWriting()); tries++) await sleep(50)
    expect(await isWriting()).toBe(true)
    await call(service, CALLER, CALLEES.slice(30))
    expect(await service.stop()).toBe(0)
    expect(await isWriting()).toBe(false)

    service = await runService({ dataDirectory, environment })
    expect(await outgoing(service, CALLER)).toMatchObject({ attempts60: CALLEES.length, others60: CALLEES.length })
    const matches = []
    for (const reporter of CALLEES.slice(50)) {
      const body = { number: CALLER, channel: 'app', scenario: 'bank', reporter }
      matches.push(((await (await post(service, '/v1/reports', body)).json()) as { callMatch: string }).callMatch)
    }
    // A verdict process that is kept from its processor for 20 ms leaves a report `unknown`.
    expect(matches).toContain('yes')
    const found = await fetch(`${service.adminUrl}/v1/decisions?caller=${encodeURIComponent(CALLER)}&limit=100`)
    expect(((await found.json()) as { decisions: unknown[] }).decisions).toHaveLength(CALLEES.length)
  }, 120_000)

  it('speaks for a reported number when people talk with it for long', async () => {
    service = await runService()
    const running = service
    await report(running, CALLER, 'subscriber-1')
    // Nobody reported this one.
    const other = '+79070100002'
    const callees = CALLEES.slice(0, 10)
    for (const caller of [CALLER, other]) {
      await call(running, caller, callees)
      const ends = callees.map((callee) => ({ caller, callee, answered: true, ringMs: 5_000, talkMs: 90_000 }))
      const response = await fetch(`${running.verdictUrl}/v1/call-ends`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(ends),
      })
      expect(response.status).toBeLessThan(300)
    }
    await until(async () => (await lookUp(running, CALLER)).reports.length === 2)
    const { reports } = await lookUp(running, CALLER)
    expect(reports.find(({ opinion }) => opinion === 'not-spam')).toMatchObject({ channel: 'network', weight: 0.5 })
    expect((await lookUp(running, other)).reports).toEqual([])
  })

  it('around reported numbers is the same after a restart', async () => {
    const dataDirectory = temporaryDirectory()
    service = await runService({ dataDirectory })
    let running = service
    for (const number of CALLEES.slice(0, 12)) await report(running, number, `subscriber-${number.slice(-3)}`)
    const neighbour = '+79161000001'
    const harm = async () => Math.max(...Object.values((await lookUp(running, neighbour)).numberBlock ?? {}))
    await until(async () => (await harm()) > 0)
    const before = await harm()
    await service.stop()
    service = await runService({ dataDirectory })
    running = service
    await until(async () => Math.abs((await harm()) - before) <= 0.001)
  }, 60_000)
})
