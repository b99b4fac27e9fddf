import { afterEach, describe, expect, it } from 'vitest'
import { type ControlFixture, HOST, NOW_MS, openControlPlane } from './fixture.ts'

const HOUR_MS = 3_600_000
let control: ControlFixture
afterEach(() => control.close())
const ask = async (method: 'GET' | 'POST', url: string) => {
  const response = await control.app.inject({ method, url, headers: HOST })
  return { status: response.statusCode, body: response.json() as Record<string, unknown> }
}

describe('a clock that jumps', () => {
  it('is said in /v1/clock, readiness and metrics, until somebody accepts it', async () => {
    control = await openControlPlane()
    const iso = (ms: number) => new Date(ms).toISOString()
    expect((await ask('GET', '/v1/clock')).body).toMatchObject({ state: 'steady', aheadSeconds: 0 })
    control.nowMs += 1_000
    control.jumpClock(48 * HOUR_MS)
    expect((await ask('GET', '/v1/clock')).body).toEqual({
      state: 'jumped',
      now: iso(NOW_MS + 1_000),
      machine: iso(NOW_MS + 1_000 + 48 * HOUR_MS),
      aheadSeconds: 172_800,
    })
    expect((await ask('GET', '/health/ready')).body.reasons).toContainEqual(
      expect.stringContaining('zaslon clock status'),
    )
    const metrics = await control.app.inject({ url: '/metrics', headers: HOST })
    expect(metrics.body).toContain('zaslon_clock_ahead_seconds 172800')
    const accepted = await ask('POST', '/v1/clock/accept')
    expect(accepted).toMatchObject({ status: 200, body: { state: 'steady', aheadSeconds: 0 } })
    expect(control.logged).toContain('clock accepted')
    expect(control.store.audit(1)).toMatchObject([{ action: 'clock.accept', detail: { aheadMs: 48 * HOUR_MS } }])
    // Again, for a process that saw it otherwise.
    expect(await ask('POST', '/v1/clock/accept')).toMatchObject({ status: 200, body: { state: 'steady' } })
    expect(control.logged.filter((line) => line === 'clock accepted')).toHaveLength(2)
    expect(JSON.stringify((await ask('GET', '/health/ready')).body.reasons)).not.toContain('clock')
  })
})
