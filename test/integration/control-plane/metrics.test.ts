import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { COUNTER_NAMES } from '../../../src/shm/counters.ts'
import type { VerdictProcessState } from '../../../src/telemetry/verdict-metrics.ts'
import { type ControlFixture, fakeSharedRecord, HOST, NOW_MS, openControlPlane } from './fixture.ts'

let control: ControlFixture
beforeEach(async () => {
  control = await openControlPlane()
})
afterEach(() => control.close())

function processState(counts: Record<string, number>, more: Partial<VerdictProcessState> = {}): VerdictProcessState {
  const counters = new Float64Array(COUNTER_NAMES.length)
  for (const [name, count] of Object.entries(counts)) counters[COUNTER_NAMES.indexOf(name)] = count
  return {
    label: 'verdict-0',
    adapter: 'uws',
    threads: 2,
    seen: 1,
    inForce: 1,
    freshMs: NOW_MS - 1_500,
    counters,
    globalGateBytes: 4_096,
    globalGateNumbers: 10,
    decisionLog: { written: 1, lost: 0 },
    pairs: { day: 20_784, calls: 30, contacts: 20, isFull: false, sinceMs: NOW_MS - 90_000 },
    activity: { sinceMs: NOW_MS - 60_000, overruns: 7, lost: 6, refusedRows: 5 },
    blocks: { entries: 40, capacity: 1_024, lost: 3 },
    uptimeSeconds: 12,
    memoryBytes: 1_000_000,
    ...more,
  }
}

async function scrape(): Promise<string> {
  const answer = await control.app.inject({ url: '/metrics', headers: HOST })
  expect(answer.headers['content-type']).toContain('text/plain')
  return answer.body
}

const hasPromtool = spawnSync('promtool', ['--version']).error === undefined

describe('GET /metrics', () => {
  it('shows what the verdict processes counted', async () => {
    const counts = {
      'verdicts.block': 5,
      'reasons.listed': 4,
      'gate.misses': 990,
      'gate.false-hits': 10,
      'decision-time.0': 1,
      'decision-time.9': 6,
      'decision-time.31': 1,
      'decision-time.sum-ns': 2_000_000_000,
    }
    control.processes.push(processState(counts), processState({ 'verdicts.block': 1 }, { label: 'verdict-1' }))
    const text = await scrape()
    expect(text).toContain('zaslon_verdicts_total{process="verdict-0",decision="block"} 5')
    expect(text).toContain('zaslon_verdicts_total{process="verdict-1",decision="block"} 1')
    expect(text).toContain('zaslon_reasons_total{process="verdict-0",code="listed"} 4')
    expect(text).toContain('zaslon_gate_false_hit_ratio{process="verdict-0"} 0.01')
    expect(text).toContain('zaslon_verdict_staleness_seconds{process="verdict-0"} 1.5')
    expect(text).toContain('zaslon_pairs_today{process="verdict-0",relation="calls"} 30')
    expect(text).toContain('zaslon_pairs_today{process="verdict-0",relation="contacts"} 20')
    expect(text).toContain('zaslon_pairs_full{process="verdict-0"} 0')
    expect(text).toContain('zaslon_pairs_covered_seconds{process="verdict-0"} 90')
    expect(text).toContain('zaslon_activity_covered_seconds{process="verdict-0"} 60')
    expect(text).toContain('zaslon_activity_overruns_total{process="verdict-0"} 7')
    expect(text).toContain('zaslon_activity_lost_total{process="verdict-0"} 6')
    expect(text).toContain('zaslon_activity_refused_rows_total{process="verdict-0"} 5')
    expect(text).toContain('zaslon_number_blocks{process="verdict-0"} 40')
    expect(text).toContain('zaslon_number_blocks_max{process="verdict-0"} 1024')
    expect(text).toContain('zaslon_number_blocks_lost_total{process="verdict-0"} 3')
    expect(text).toContain('zaslon_decision_duration_seconds_bucket{le="0.000001024",process="verdict-0"} 7')
    expect(text).toContain('zaslon_decision_duration_seconds_bucket{le="+Inf",process="verdict-0"} 8')
    expect(text).toContain('zaslon_decision_duration_seconds_sum{process="verdict-0"} 2')
    expect(text).toContain('zaslon_decision_duration_seconds_count{process="verdict-0"} 8')
  })

  it('has a metric for every counter', async () => {
    control.processes.push(processState(Object.fromEntries(COUNTER_NAMES.map((name) => [name, 1]))))
    const text = await scrape()
    for (const name of COUNTER_NAMES) {
      const [group = '', value = ''] = name.split('.')
      if (group === 'decision-time') continue
      const isLabel = group === 'reasons' || ['allow', 'flag', 'block'].includes(value)
      expect(text).toContain(
        isLabel ? `="${value}"} 1` : `zaslon_${name.replaceAll(/[.-]/g, '_')}_total{process="verdict-0"} 1`,
      )
    }
  })

  it('counts from the processes anew at every scrape, and forgets one that is gone', async () => {
    control.processes.push(processState({ 'call-ends': 3 }))
    await scrape()
    expect(await scrape()).toContain('zaslon_call_ends_total{process="verdict-0"} 3')
    control.processes.length = 0
    expect(await scrape()).not.toContain('verdict-0')
  })

  it('shows the record, reports and its own health', async () => {
    await control.app.inject({
      method: 'POST',
      url: '/v1/reports',
      headers: HOST,
      payload: { number: '+79160000002', channel: 'bot', scenario: 'bank', reporter: 'r' },
    })
    await control.app.inject({ method: 'PUT', url: '/v1/lists/hotline', headers: HOST, payload: { kind: 'deny' } })
    const text = await scrape()
    expect(text).toContain('zaslon_build_info{version="0.0.0-test",node="')
    expect(text).toContain('zaslon_reports_total{channel="bot",outcome="recorded"} 1')
    expect(text).toContain('zaslon_list_entries{list="hotline",kind="deny"} 0')
    expect(text).toContain('zaslon_policy_version 1')
    expect(text).toContain(
      'zaslon_http_request_duration_seconds_count{method="POST",route="/v1/reports",status="2xx"} 1',
    )
    expect(text).toMatch(/zaslon_event_loop_lag_seconds\{statistic="p99"\} [\d.e-]+/)
  })

  it('says nothing of a shared record on a node that is its own', async () => {
    expect(await scrape()).not.toContain('zaslon_record_')
  })

  it('shows how the node stands to a record in Redis', async () => {
    await control.close()
    const record = fakeSharedRecord({
      state: 'lost',
      partitions: { following: 62, away: 1, lost: 2 },
      freshMs: NOW_MS - 90_000,
      behind: 7,
      outbox: { facts: 3, max: 10_000, oldestMs: NOW_MS - 5_500 },
    })
    control = await openControlPlane({ record })
    await scrape()
    const text = await scrape()
    const lines = [
      'zaslon_record_state{state="following"} 0',
      'zaslon_record_state{state="lost"} 1',
      'zaslon_record_partitions{state="following"} 62',
      'zaslon_record_partitions{state="lost"} 2',
      'zaslon_record_partitions{state="stopped"} 0',
      'zaslon_record_age_seconds 90',
      'zaslon_record_behind_facts 7',
      'zaslon_record_outbox_facts 3',
      'zaslon_record_outbox_oldest_seconds 5.5',
      'zaslon_record_outbox_max 10000',
      'zaslon_record_applied_total 12',
      'zaslon_record_rewound_total 2',
    ]
    for (const line of lines) expect(text.split('\n')).toContain(line)
    expect(text).not.toContain('10.0.0.5')
  })

  it('calls the age of a state infinite that nobody has compared with the record yet', async () => {
    await control.close()
    control = await openControlPlane({ record: fakeSharedRecord({ state: 'away', freshMs: 0 }, false) })
    control.processes.push(processState({}, { freshMs: 0 }))
    const text = await scrape()
    expect(text).toContain('zaslon_record_age_seconds +Inf')
    expect(text).not.toMatch(/^zaslon_record_behind_facts /m)
    expect(text).toContain('zaslon_verdict_staleness_seconds{process="verdict-0"} +Inf')
    expect(text).toContain('zaslon_record_outbox_oldest_seconds 0')
  })

  it.skipIf(!hasPromtool)('passes promtool check metrics', async () => {
    await control.close()
    control = await openControlPlane({ record: fakeSharedRecord() })
    control.processes.push(processState({ 'verdicts.block': 5, 'decision-time.9': 6 }))
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await scrape(),
      encoding: 'utf8',
    })
    expect(`${stdout}${stderr}`.trim()).toBe('')
    expect(status).toBe(0)
  })
})

describe('health', () => {
  it('is ready when a verdict process answers, and says how far it is', async () => {
    control.processes.push(processState({}, { inForce: control.store.lastSequence() }))
    const answer = await control.app.inject({ url: '/health/ready', headers: HOST })
    expect(answer.json()).toMatchObject({
      status: 'ready',
      policyVersion: 1,
      verdictProcesses: [{ label: 'verdict-0', behind: 0 }],
    })
  })

  it('names no moment up to which a verdict process is fresh when that is not known', async () => {
    control.processes.push(processState({}, { freshMs: 0 }))
    const { verdictProcesses } = (await control.app.inject({ url: '/health/ready', headers: HOST })).json()
    expect(verdictProcesses).toMatchObject([{ label: 'verdict-0' }])
    expect(verdictProcesses[0]).not.toHaveProperty('freshAt')
  })

  it('is degraded, but up, without one or when one lags', async () => {
    expect((await control.app.inject({ url: '/health/ready', headers: HOST })).json().status).toBe('degraded')
    control.processes.push(processState({}, { inForce: 0, freshMs: NOW_MS - 60_000 }))
    const answer = await control.app.inject({ url: '/health/ready', headers: HOST })
    expect([answer.statusCode, answer.json().status]).toEqual([200, 'degraded'])
  })
})
