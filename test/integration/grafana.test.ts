import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { COUNTER_NAMES } from '../../src/shm/counters.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const folder = path.resolve(import.meta.dirname, '../../grafana')
const hasPromtool = spawnSync('promtool', ['--version']).status === 0

/** Every metric this version exports, with all state there is. */
async function exportedMetrics(): Promise<Set<string>> {
  const metrics = createMetrics({ version: 'test' })
  const process = {
    label: 'verdict-1',
    adapter: 'uws',
    threads: 1,
    seen: 1,
    inForce: 1,
    freshMs: 0,
    counters: new Float64Array(COUNTER_NAMES.length),
    globalGateBytes: 0,
    globalGateNumbers: 0,
    decisionLog: { written: 0, lost: 0 },
    pairs: { day: 1, calls: 1, contacts: 0, isFull: false, sinceMs: 0 },
    activity: { sinceMs: 0, overruns: 0, lost: 0, refusedRows: 0 },
    blocks: { entries: 0, capacity: 1_024, lost: 0 },
    uptimeSeconds: 1,
    memoryBytes: 1,
  }
  const record = {
    lists: [{ name: 'l', kind: 'deny' as const, entryCount: 1, version: 1 }],
    plans: [{ name: 'p', asOfMs: 0 }],
    policyVersion: 1,
    reviewsOpen: 0,
    lastSequence: 1,
  }
  const recordView = {
    kind: 'redis' as const,
    recordId: 'r',
    redis: 'redis://10.0.0.5:6379',
    state: 'following' as const,
    partitions: { following: 65 },
    freshMs: 1,
    behind: 0,
    applied: 0,
    rewound: 0,
    outbox: { facts: 0, max: 1 },
  }
  const text = await metrics.render({ record, recordView, processes: [process], nowMs: 1, clockAheadMs: 0 })
  metrics.close()
  return new Set([...text.matchAll(/^# TYPE (\w+)/gm)].map((match) => match[1] ?? ''))
}

function metricsIn(text: string): string[] {
  return [...text.matchAll(/\b(zaslon_\w+)/g)].map((match) => (match[1] ?? '').replace(/_(bucket|sum|count)$/, ''))
}

describe('what watches a node', () => {
  it.each(['alerts.yml', 'overview.json'])('%s uses only metrics that exist', async (file) => {
    const exported = await exportedMetrics()
    const used = metricsIn(readFileSync(path.join(folder, file), 'utf8'))
    expect(used.length).toBeGreaterThan(4)
    expect(used.filter((name) => !exported.has(name))).toEqual([])
  })

  it('gives every alert a runbook that exists', () => {
    const alerts = readFileSync(path.join(folder, 'alerts.yml'), 'utf8')
    expect(alerts.match(/runbook:/g)).toHaveLength(alerts.match(/- alert:/g)?.length ?? 0)
    const operations = readFileSync(path.join(folder, '../docs/OPERATIONS.md'), 'utf8')
    const [, runbooks = ''] = operations.split('\n## When\n')
    for (const [, name] of alerts.matchAll(/- alert: (\w+)/g)) expect(runbooks).toContain(`| alert ${name} |`)
  })

  it('is spoken of in OPERATIONS by names that exist', async () => {
    const exported = await exportedMetrics()
    const operations = readFileSync(path.join(folder, '../docs/OPERATIONS.md'), 'utf8')
    expect(metricsIn(operations).filter((name) => !exported.has(name))).toEqual([])
  })

  it.skipIf(!hasPromtool)('is configuration and rules Prometheus accepts', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'config', 'prometheus.yml'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(stdout + stderr).toContain('12 rules found')
    expect(status).toBe(0)
  })

  it.skipIf(!hasPromtool)('alerts when it should, and not otherwise', () => {
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', 'alerts.test.yml'], {
      cwd: folder,
      encoding: 'utf8',
    })
    expect(stdout + stderr).toContain('SUCCESS')
    expect(status).toBe(0)
  })

  it('says the next step of every alert about the record', () => {
    const alerts = readFileSync(path.join(folder, 'alerts.yml'), 'utf8').split('- alert: ')
    const about = alerts.filter((rule) => rule.includes('zaslon_record_'))
    expect(about).toHaveLength(4)
    for (const rule of about) expect(rule).toMatch(/^ +next: .+\.$/m)
  })
})
