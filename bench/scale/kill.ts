import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ImportRecord } from '../../src/domain/import.ts'
import { freePort, type RunningService, runService } from '../../test/support/run-service.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { recordResult } from '../lib/record-result.ts'
import { call, importFile } from '../lib/service-client.ts'
import { round, summarize } from '../lib/stats.ts'

/**
 * Kill -9 of each process at random moments, during reports and imports. After each: is the service there again, is every
 * acknowledged report there, is one list active as a whole and not older than the last that was said to be active?
 */
const ROLES = ['control', 'verdict', 'supervisor'] as const
type Role = (typeof ROLES)[number]

const LIST_ROWS = 20_000
/** Two lists without a number in common: whichever is active must be active whole. */
const SEEDS = { a: 0, b: 400_000_000 } as const

export type KillOptions = { readonly kills: number; readonly seed: number }

/** The first three must be 0. */
export type KillOutcome = {
  lost: number
  halfLists: number
  /** Times the list was older than the newest version an import had said to be active. */
  staleLists: number
  reports: number
  imports: number
  readonly recovery: Record<Role, number[]>
}

export async function benchKill(options: KillOptions): Promise<void> {
  const { recovery, ...outcome } = await runKills(options, (line) => process.stderr.write(`${line}\n`))
  const recoveryMs = Object.fromEntries(ROLES.map((role) => [role, mapValues(summarize(recovery[role]), round)]))
  recordResult(options.kills >= 200 ? 'kill' : 'kill-quick', { ...options, ...outcome, recoveryMs })
}

export async function runKills(options: KillOptions, onProgress: (line: string) => void): Promise<KillOutcome> {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-kill-'))
  const files = { a: path.join(directory, 'a.csv'), b: path.join(directory, 'b.csv') }
  for (const name of ['a', 'b'] as const) writeNumbersFile(files[name], LIST_ROWS, SEEDS[name])
  const ports = { adminPort: await freePort(), verdictPort: await freePort() }
  const run = () => runService({ ...ports, dataDirectory: path.join(directory, 'data'), processes: 2, threads: 1 })
  const random = seeded(options.seed)
  const recovery: Record<Role, number[]> = { control: [], verdict: [], supervisor: [] }
  const outcome: KillOutcome = { lost: 0, halfLists: 0, staleLists: 0, reports: 0, imports: 0, recovery }
  let service = await run()
  try {
    await call(service, 'PUT', '/v1/lists/swapped', { kind: 'deny' })
    await importFile(service, 'swapped', files.a, 'mode=replace')
    for (let kill = 0; kill < options.kills; kill++) {
      const role = ROLES[kill % ROLES.length] ?? 'control'
      const work = startWork(service, files, kill)
      await sleep(20 + random() * 400)
      const startMs = performance.now()
      if (role === 'supervisor') {
        process.kill(service.pid, 'SIGKILL')
        await untilGone(service)
        service = await run()
      } else {
        const pids = service.pids(role)
        const pid = pids[Math.floor(random() * pids.length)]
        if (pid !== undefined) process.kill(pid, 'SIGKILL')
        await sleep(5)
        await service.ready()
        await untilChildren(service)
      }
      recovery[role].push(performance.now() - startMs)
      const done = await work.stop()
      outcome.reports += done.acknowledged.length
      outcome.imports += done.imports
      outcome.lost += await countLost(service, done.acknowledged)
      outcome.halfLists += (await isListWhole(service)) ? 0 : 1
      outcome.staleLists += (await activeVersion(service)) >= done.version ? 0 : 1
      if ((kill + 1) % 20 === 0) onProgress(`${kill + 1} kills: ${outcome.reports} reports, ${outcome.lost} lost`)
    }
  } finally {
    await service.stop()
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
  }
  return outcome
}

function mapValues(record: Record<string, number>, change: (value: number) => number): Record<string, number> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]))
}

/** mulberry32: the seed is in the result, so a run can be had again. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Reports and imports until stopped; what fails meanwhile was not acknowledged and does not count. */
function startWork(service: RunningService, files: Record<'a' | 'b', string>, kill: number) {
  const acknowledged: { number: string; reportId: string }[] = []
  let imports = 0
  let version = 0
  let stopped = false
  const report = async () => {
    for (let i = 0; !stopped; i++) {
      const number = generatedNumber(kill * 10_000 + i, 800_000_000)
      try {
        const body = { number, channel: 'hotline', scenario: 'bank', reporter: `k${kill}-${i}` }
        const { reportId } = await call<{ reportId: string }>(service, 'POST', '/v1/reports', body)
        acknowledged.push({ number, reportId })
      } catch {
        await sleep(10)
      }
    }
  }
  const imported = async () => {
    for (let i = kill; !stopped; i++) {
      try {
        const { record } = await importFile(service, 'swapped', i % 2 ? files.a : files.b, 'mode=replace')
        // Replacing a whole list waits for a person; here the person is quick.
        const active =
          record.state === 'held'
            ? await call<ImportRecord>(service, 'POST', `/v1/imports/${record.importId}/activate`, {})
            : record
        if (active.state !== 'active') continue
        imports++
        version = Math.max(version, active.version ?? 0)
      } catch {
        await sleep(10)
      }
    }
  }
  const work = [report(), report(), imported()]
  return {
    async stop() {
      stopped = true
      await Promise.all(work)
      return { acknowledged, imports, version }
    },
  }
}

async function activeVersion(service: RunningService): Promise<number> {
  return (await call<{ activeVersion: number }>(service, 'GET', '/v1/lists/swapped')).activeVersion
}

async function untilGone(service: RunningService): Promise<void> {
  for (;;) {
    try {
      await fetch(`${service.verdictUrl}/health/live`, { signal: AbortSignal.timeout(200) })
      await sleep(5)
    } catch {
      return
    }
  }
}

async function untilChildren(service: RunningService): Promise<void> {
  while (service.pids('control').length < 1 || service.pids('verdict').length < 2) await sleep(5)
  await service.ready()
}

async function countLost(
  service: RunningService,
  acknowledged: { number: string; reportId: string }[],
): Promise<number> {
  let lost = 0
  for (const { number, reportId } of acknowledged) {
    const known = await call<{ reports: { reportId: string }[] }>(
      service,
      'GET',
      `/v1/numbers/${encodeURIComponent(number)}`,
    )
    if (!known.reports.some((report) => report.reportId === reportId)) lost++
  }
  return lost
}

/** Asks for numbers spread over both lists: all of one are blocked, none of the other. */
async function isListWhole(service: RunningService): Promise<boolean> {
  const blocked = { a: 0, b: 0 }
  const asked = 50
  for (const name of ['a', 'b'] as const) {
    const events = Array.from({ length: asked }, (_, i) => ({
      caller: generatedNumber(Math.floor((i / asked) * LIST_ROWS), SEEDS[name]),
      callee: '+79161234567',
    }))
    const response = await fetch(`${service.verdictUrl}/v1/verdicts`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(events),
    })
    const verdicts = (await response.json()) as { decision: string }[]
    blocked[name] = verdicts.filter((verdict) => verdict.decision === 'block').length
  }
  return (blocked.a === asked && blocked.b === 0) || (blocked.a === 0 && blocked.b === asked)
}
