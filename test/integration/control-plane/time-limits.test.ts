import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { type ControlFixture, HOST, openControlPlane } from './fixture.ts'

/** Longer than the short limit of these tests, shorter than the long one. */
const SLOW_MS = 300

let control: ControlFixture
afterEach(() => control.close())

/** A control plane whose writes to lists and to the audit log take a while. */
async function openSlow(limits: { handlerTimeoutMs: number; longHandlerTimeoutMs: number }) {
  control = await openControlPlane({ limits })
  await control.store.putList({ name: 'hotline', kind: 'deny', title: '' }, 'test')
  const { stageVersion, appendAudit } = control.store
  control.store.stageVersion = (...given) => sleep(SLOW_MS).then(() => stageVersion(...given))
  control.store.appendAudit = (...given) => sleep(SLOW_MS).then(() => appendAudit(...given))
}

const send = (method: 'POST' | 'DELETE', url: string, payload?: object) =>
  control.app.inject({ method, url, headers: HOST, ...(payload ? { payload } : {}) })

it('waits long for what takes turns with an import: entries, activation, closing a review', async () => {
  await openSlow({ handlerTimeoutMs: 100, longHandlerTimeoutMs: 5_000 })
  const entries = [{ number: '+79160000002' }]
  expect((await send('POST', '/v1/lists/hotline/entries', { entries })).statusCode).toBe(200)
  expect((await send('DELETE', '/v1/lists/hotline/entries', { entries })).statusCode).toBe(200)
  const upload = { url: '/v1/lists/hotline/imports?dryRun=true', headers: { ...HOST, 'content-type': 'text/csv' } }
  const begun = await control.app.inject({ method: 'POST', ...upload, payload: '+79160000003\n' })
  expect((await send('POST', `/v1/imports/${begun.json().importId}/activate`)).statusCode).toBe(200)
  const request = { number: 79160000002 as PhoneNumber, cause: 'reported', score: 70, atMs: 1 } as const
  const { review } = await control.store.openReview(request, 'system')
  expect((await send('POST', `/v1/reviews/${review.reviewId}`, { outcome: 'confirmed' })).statusCode).toBe(200)
})

it('does not say that a request was given up which goes on', async () => {
  await openSlow({ handlerTimeoutMs: 100, longHandlerTimeoutMs: 100 })
  const answer = await send('POST', '/v1/lists/hotline/entries', { entries: [{ number: '+79160000002' }] })
  expect(answer.statusCode).toBe(503)
  expect(answer.json()).toMatchObject({ code: 'UNAVAILABLE', detail: expect.stringContaining('not known') })
  expect(answer.json().hint).toContain('Look whether it was done')
  await expect.poll(() => control.store.list('hotline')?.active.entryCount).toBe(1)
})
