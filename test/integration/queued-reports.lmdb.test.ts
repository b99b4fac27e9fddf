import { afterEach, expect, it } from 'vitest'
import { ScreeningError } from '../../src/domain/errors.ts'
import type { Report } from '../../src/domain/report.ts'
import { createReportIntake, REPORT_INTAKE_DEFAULTS } from '../../src/services/accept-report.ts'
import { report } from '../contract/record-store.contract.ts'
import { openRecordNode, type RecordNode } from '../support/redis-node.ts'
import { createSimulatedRecord } from '../support/simulated-streams.ts'

let ids = 0
const newFactId = () => (++ids).toString(16).padStart(32, '0')
const nodes: RecordNode[] = []
afterEach(() => Promise.all(nodes.splice(0).map(({ store }) => store.close())))

/** A node whose Redis has gone. */
async function openAway(directory?: string): Promise<RecordNode> {
  const streams = createSimulatedRecord().connect()
  const given = directory === undefined ? {} : { directory }
  const node = await openRecordNode({ streams, newFactId, pollMs: 2, touchMs: 10, ...given })
  nodes.push(node)
  if (directory === undefined) await node.store.follower.caughtUp()
  streams.isReachable = false
  await expect.poll(() => node.store.recordStatus().states.away).toBe(65)
  return node
}

function intakeOf(store: RecordNode['store']) {
  return createReportIntake(
    { ...REPORT_INTAKE_DEFAULTS, inFlightMax: 10 },
    {
      store,
      pseudonyms: { reporter: () => '1'.repeat(32), household: () => '2'.repeat(32) },
      membership: {
        of: () => [{ list: 'banks', kind: 'protected', isExpired: false }],
      } as unknown as Parameters<typeof createReportIntake>[1]['membership'],
      parse: (text) => Number(text.slice(1)) as Report['number'],
      callMatch: async () => 'unknown',
      standingOf: async () => 'unknown',
      notify: async () => {},
      now: Date.now,
      metrics: { accepted: () => {} },
    },
  )
}

it('a report about a protected number is accepted while Redis is away, without a review', async () => {
  const { store } = await openAway()
  const intake = intakeOf(store)
  const body = { number: '+79160000001', channel: 'hotline', scenario: 'bank', reporter: 'x', reportId: 'r1' } as const
  for (let i = 0; i < 3; i++) {
    const answer = await intake.accept(body, 'agent')
    expect(answer).toMatchObject({ reportId: 'r1', state: 'queued', duplicate: false })
    expect(answer.reviewId).toBeUndefined()
  }
  expect(store.recordStatus().outbox.facts).toBe(1)
})

it('a report that waits is known by its id, after a restart too, and another one with its id is refused', async () => {
  const { store, directory } = await openAway()
  const first = report('r1', { note: 'the first' })
  expect(await store.appendReport(first, 'agent')).toMatchObject({ outcome: 'queued' })
  expect(await store.appendReport(report('r2'), 'agent')).toMatchObject({ outcome: 'queued' })
  await store.close()
  nodes.length = 0
  const again = (await openAway(directory)).store
  const kept = await again.appendReport(report('r1', { note: 'sent again' }), 'agent')
  expect(kept).toMatchObject({ outcome: 'queued', report: { note: 'the first' } })
  expect(again.recordStatus().outbox.facts).toBe(2)
  const other = report('r1', { reporter: '2'.repeat(32) })
  const refusal: unknown = await again.appendReport(other, 'agent').catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(ScreeningError)
  expect(refusal).toMatchObject({ code: 'REPORT_CONFLICT' })
})

it('a node that has missed much says that it catches up, not that Redis is away', async () => {
  const record = createSimulatedRecord()
  const author = await openRecordNode({ streams: record.connect(), newFactId, pollMs: 2, touchMs: 10 })
  nodes.push(author)
  await author.store.follower.caughtUp()
  // More than a look and one page more.
  for (let i = 0; i < 200; i++) await author.store.appendReport(report(`far-${i}`), 'agent')
  const streams = record.connect()
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  const slow: typeof streams = {
    ...streams,
    async read(partition, after, how) {
      if (how.isBulk) await released
      return streams.read(partition, after, how)
    },
  }
  const late = await openRecordNode({ streams: slow, newFactId, pollMs: 2, touchMs: 10 })
  nodes.push(late)
  await expect.poll(() => late.store.recordStatus().states).toEqual({ following: 64, 'catching-up': 1 })
  expect(late.store.recordStatus().problem).toBeUndefined()
  expect(await late.store.appendReport(report('meanwhile'), 'agent')).toMatchObject({ outcome: 'queued' })
  release()
  await late.store.follower.caughtUp()
  await expect.poll(() => late.store.recordStatus().states).toEqual({ following: 65 })
  await expect.poll(() => author.store.report('meanwhile')).toBeDefined()
})
