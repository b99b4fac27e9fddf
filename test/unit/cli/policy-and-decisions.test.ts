import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkNumbering } from '../../../src/cli/doctor/check-numbering.ts'
import { createServiceClient } from '../../../src/cli/service-client.ts'
import { type FakeService, startFakeService, zaslon } from './fake-service.ts'

const DECISION = {
  at: '2026-03-01T10:00:00.000Z',
  verdictId: 'cd'.repeat(16),
  caller: '+79160000002',
  decision: 'block',
  score: 97,
  trunk: 'carrier-a',
  reasons: [{ code: 'listed', points: 97, list: 'scammers' }],
}

describe('zaslon policy, decisions, report, reviews', () => {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-cli-'))
  const bad = path.join(directory, 'bad.yaml')
  writeFileSync(bad, 'name: x\nrules:\n  - {signal: deny-listd, mode: enforce, points: 10}\n')
  const good = path.resolve('data/policy.yaml')
  let service: FakeService
  beforeAll(async () => {
    service = await startFakeService({
      'GET /v1/policy': {
        body: { version: 3, text: 'name: default\n', policy: { numbering: { staleAfterDays: 35 } } },
      },
      'PUT /v1/policy': { body: { version: 4, name: 'default' } },
      'POST /v1/policy/rehearse': {
        body: {
          decisions: 2_000,
          changed: 3,
          changes: [{ from: 'allow', to: 'block', count: 3 }],
          caveats: ['An estimate.'],
        },
      },
      'GET /v1/numbering': {
        body: {
          plans: [
            { name: 'ru', ranges: 5_000, asOf: '2026-02-28T00:00:00Z', version: 2, covers: ['+79'] },
            { name: 'kz', ranges: 70, asOf: '2026-01-24T00:00:00Z', version: 1, covers: ['+77'] },
          ],
        },
      },
      'POST /v1/numbering/kz/imports': { body: { name: 'kz', asOf: '2026-01-24T00:00:00Z', rows: 1, accepted: 1 } },
      'POST /v1/numbering/ru/imports': {
        body: {
          name: 'ru',
          asOf: '2026-02-27T00:00:00Z',
          rows: 12,
          accepted: 10,
          covers: ['+79', '+78', '+73', '+74'],
        },
      },
      'GET /v1/decisions': { body: { decisions: [DECISION] } },
      // The first is about a protected number, the second comes while Redis is away.
      'POST /v1/reports': (_request, times) => ({
        status: 202,
        body:
          times === 1
            ? {
                reportId: 'r1',
                accepted: true,
                duplicate: true,
                state: 'recorded',
                reviewId: 'r-17',
                reputation: { score: 41, reporters: 1 },
              }
            : { reportId: 'r2', accepted: true, duplicate: false, state: 'queued' },
      }),
      'POST /v1/reviews/r-17': { body: { reviewId: 'r-17', effect: 'blocked' } },
    })
  })
  afterAll(async () => {
    await service.close()
    rmSync(directory, { recursive: true })
  })

  it('prints the policy as it was written', async () => {
    expect((await zaslon(['policy', 'show'], service.url)).out).toBe('name: default\n')
  })

  it('checks a policy without a node, and names every mistake', async () => {
    expect(await zaslon(['policy', 'validate', good])).toMatchObject({ code: 0, err: '' })
    const { code, err } = await zaslon(['policy', 'validate', bad])
    expect(code).toBe(1)
    expect(err).toContain('deny-listed')
  })

  it('sends no policy that is not valid', async () => {
    const before = service.seen.length
    expect((await zaslon(['policy', 'set', bad], service.url)).code).toBe(1)
    expect(service.seen.length).toBe(before)
    const { out } = await zaslon(['policy', 'set', good, '--if-version', '3'], service.url)
    expect(JSON.parse(service.seen.at(-1)?.body ?? '')).toEqual({
      text: readFileSync(good, 'utf8'),
      expectedVersion: 3,
    })
    expect(out).toBe('default is in force as version 4.\n')
  })

  it('rehearses a policy over recorded calls', async () => {
    const { out, err } = await zaslon(['policy', 'rehearse', good, '--since', '1h'], service.url, {
      nowMs: Date.UTC(2026, 2, 1, 12),
    })
    expect(JSON.parse(service.seen.at(-1)?.body ?? '')).toMatchObject({ from: '2026-03-01T11:00:00.000Z' })
    expect(out).toContain('3 of 2,000 recorded decisions would change.')
    expect(out).toMatch(/^allow +block +3$/m)
    expect(err).toBe('An estimate.\n')
  })

  it('loads a numbering plan', async () => {
    const { out, err } = await zaslon(['numbering', 'import', 'ru', good, '--as-of', '2026-02-27'], service.url)
    expect(service.seen.findLast((request) => request.method === 'POST')?.query).toBe('asOf=2026-02-27')
    expect(err).toContain('warning: The plan ru of 2026-02-27 replaced a newer one, of 2026-02-28.')
    expect(err).not.toContain('only flags')
    expect(out).toContain('The plan ru of 2026-02-27 is in force: 10 of 12 rows taken.')
    expect(out).toContain('covers +79, +78, +73 and 1 more')
  })

  it('warns of a numbering plan that only flags', async () => {
    const { code, err } = await zaslon(['numbering', 'import', 'kz', good], service.url)
    expect(code).toBe(0)
    expect(err).toContain('warning: The plan kz is 36 days old: it only flags.')
    expect(err).not.toContain('replaced')
  })

  it('shows how old numbering plans are', async () => {
    const { out } = await zaslon(['numbering', 'ls'], service.url)
    expect(out).toMatch(/^ru +5,000 +2026-02-28 +1 day +2 +\+79$/m)
    expect(out).toMatch(/^kz +70 +2026-01-24 +36 days, stale +1 +\+77$/m)
  })

  it('finds stale numbering plans in its examination of a running service', async () => {
    const finding = (nowMs: number) => {
      const signal = new AbortController().signal
      const client = createServiceClient(
        { adminUrl: service.url, verdictUrl: service.url, timeoutMs: 1_000 },
        { signal },
      )
      return checkNumbering(client, nowMs)
    }
    expect(await finding(Date.UTC(2026, 1, 28))).toMatchObject({ status: 'ok' })
    expect(await finding(Date.UTC(2026, 2, 1))).toMatchObject({ status: 'warn', detail: 'kz is 36 days old' })
  })

  it('searches decisions, with times relative to now', async () => {
    const words = ['decisions', '--caller', '+79160000002', '--verdict', 'block', '--since', '12h', '--limit', '5']
    const { out } = await zaslon(words, service.url, { nowMs: Date.UTC(2026, 2, 1, 12) })
    const query = new URLSearchParams(service.seen.at(-1)?.query)
    expect(Object.fromEntries(query)).toEqual({
      caller: '+79160000002',
      decision: 'block',
      from: '2026-03-01T00:00:00.000Z',
      limit: '5',
    })
    expect(out).toMatch(/^2026-03-01 10:00:00 +block +97 +\+79160000002 +carrier-a +listed:scammers$/m)
  })

  it('files a report and says what it did', async () => {
    const words = ['report', '+79160000003', '--reporter', '+79160000500', '--scenario', 'bank', '--kind', 'national']
    const { out } = await zaslon(words, service.url)
    expect(JSON.parse(service.seen.at(-1)?.body ?? '')).toEqual({
      number: '+79160000003',
      channel: 'hotline',
      scenario: 'bank',
      reporter: '+79160000500',
      ingress: { kind: 'national' },
    })
    expect(out).toContain('counts once')
    expect(out).toContain('waits for a review')
    expect(out).toContain('reputation: 41 of 100, reported by 1 person in the window')
    expect(out).toContain('Recorded as report r1.')
    const queued = await zaslon(words, service.url)
    expect(queued.out).toBe(
      "Queued as report r2: it waits on the node's disk for Redis, and counts when that is back.\n",
    )
  })

  it('files that a number is no spam, and says when it does not count', async () => {
    const words = ['report', '+79160000004', '--reporter', 'x', '--opinion', 'not-spam', '--household', 'flat 12']
    const answering = await startFakeService({
      'POST /v1/reports': {
        body: { reportId: 'r3', state: 'recorded', duplicate: false, notCounted: 'opinion-known' },
      },
    })
    const { out } = await zaslon(words, answering.url)
    expect(JSON.parse(answering.seen.at(-1)?.body ?? '')).toMatchObject({ opinion: 'not-spam', household: 'flat 12' })
    expect(out).toBe('Recorded as report r3.\nIt does not count: this person has said so before.\n')
    await answering.close()
  })

  it('closes a review with an outcome', async () => {
    const { out } = await zaslon(['reviews', 'close', 'r-17', '--outcome', 'confirmed', '--note', 'sure'], service.url)
    expect(JSON.parse(service.seen.at(-1)?.body ?? '')).toEqual({ outcome: 'confirmed', note: 'sure' })
    expect(out).toContain('blocked from now on')
    expect((await zaslon(['reviews', 'close', 'r-17'], service.url)).code).toBe(2)
  })
})
