import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { openListContents } from '../../../src/stores/lmdb/list-contents.ts'
import { openRecordStore } from '../../../src/stores/lmdb/record-store.ts'
import { openVerdictStore } from '../../../src/stores/lmdb/verdict-store.ts'
import { type ControlFixture, HOST, NOW_MS, openControlPlane } from './fixture.ts'

let directory = ''
let control: ControlFixture
beforeEach(async () => {
  directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-lmdb-'))
  control = await open()
})
afterEach(async () => {
  await control.close()
  await rm(directory, { recursive: true, force: true })
})

/** The embedded store under a control plane, closed with it. */
async function open(): Promise<ControlFixture> {
  const record = await openRecordStore({ directory }, { now: () => NOW_MS })
  const contents = openListContents({ directory, readOnly: false })
  const reading = await openVerdictStore({ directory })
  const close = async () => {
    await reading.close()
    await contents.close()
    await record.close()
  }
  return openControlPlane({ store: { ...record, contents, lookup: reading.lookup, close } })
}

function ask(method: 'GET' | 'PUT' | 'POST', url: string, payload?: object, headers: Record<string, string> = {}) {
  return control.app.inject({ method, url, headers: { ...HOST, ...headers }, ...(payload ? { payload } : {}) })
}

const REPORT = { number: '+79160000002', channel: 'hotline', scenario: 'bank', reporter: '+79161234567' }

describe('a control plane on the embedded store', () => {
  it('knows after a restart what it acknowledged, and answers a retry as it did before', async () => {
    const key = { 'idempotency-key': 'k1' }
    const first = await ask('POST', '/v1/reports', REPORT, key)
    await ask('PUT', '/v1/lists/hotline', { kind: 'deny' })
    await ask('POST', '/v1/lists/hotline/entries', {
      entries: [{ number: '+7495123*', reason: 'call centre' }, { number: '+79160000003' }],
    })
    await control.close()
    control = await open()
    expect((await ask('POST', '/v1/reports', REPORT, key)).body).toBe(first.body)
    expect((await ask('POST', '/v1/reports', { ...REPORT, reportId: first.json().reportId })).json().duplicate).toBe(
      true,
    )
    const { entries } = (await ask('GET', '/v1/lists/hotline/entries')).json()
    expect(entries.map((entry: { number: string }) => entry.number)).toContain('+79160000003')
    expect((await ask('GET', '/v1/numbers/84951230001')).json().lists).toMatchObject([
      { list: 'hotline', match: 'range', reason: 'call centre' },
    ])
    expect((await ask('GET', '/v1/audit')).json().entries.length).toBeGreaterThanOrEqual(4)
  })

  it('blocks a confirmed number', async () => {
    const { reviewId } = (
      await control.store.openReview(
        { number: 79160000002 as PhoneNumber, cause: 'watched', score: 60, atMs: NOW_MS },
        'system',
      )
    ).review
    expect((await ask('POST', `/v1/reviews/${reviewId}`, { outcome: 'confirmed' })).json().effect).toBe('blocked')
    expect((await ask('POST', '/v1/explain', { caller: '+79160000002' })).json().decision).toBe('block')
  })
})
