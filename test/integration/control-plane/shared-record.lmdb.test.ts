import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { embeddedRecordDesk, type RecordView } from '../../../src/services/record-desk.ts'
import { partitionOfNumber } from '../../../src/stores/fact.ts'
import { recordView } from '../../../src/stores/redis/record-view.ts'
import { report } from '../../contract/record-store.contract.ts'
import { openRecordNode, RECORD_ID, type RecordNode } from '../../support/redis-node.ts'
import { createSimulatedRecord } from '../../support/simulated-streams.ts'
import { type ControlFixture, HOST, openControlPlane } from './fixture.ts'

const LOST = 79160000001 as PhoneNumber
const KEPT = 79160000002 as PhoneNumber
const OUTBOX_MAX = 10

let node: RecordNode
let control: ControlFixture
let ids = 0
let openedMs: number
const record = createSimulatedRecord()
const link = record.connect()
const gone = record.connect()

beforeEach(async () => {
  openedMs = Date.now()
  node = await openRecordNode({
    streams: link,
    newFactId: () => (++ids).toString(16).padStart(32, '0'),
    outboxMax: OUTBOX_MAX,
    pollMs: 2,
    touchMs: 10,
  })
  await node.store.follower.caughtUp()
  const view = () => recordView(node.store.recordStatus(), { redis: 'redis://10.0.0.5:6379', outboxMax: OUTBOX_MAX })
  control = await openControlPlane({ record: { ...embeddedRecordDesk, view } })
})
afterEach(async () => {
  await control.close()
  await node.store.close()
})

type Shared = Extract<RecordView, { kind: 'redis' }>
type Shown = Omit<Shared, 'freshMs'> & { freshAt?: string }

async function shown(): Promise<Shown> {
  return (await control.app.inject({ url: '/v1/record', headers: HOST })).json()
}

async function until(isSo: (view: Shown) => boolean): Promise<Shown> {
  for (let i = 0; i < 500; i++) {
    const view = await shown()
    if (isSo(view)) return view
    await sleep(5)
  }
  throw new Error(`The record was not as awaited: ${JSON.stringify(await shown())}`)
}

async function reasons(atMs: number): Promise<string[]> {
  control.nowMs = atMs
  return (await control.app.inject({ url: '/health/ready', headers: HOST })).json().reasons
}

describe('a node on streams', () => {
  it('follows, is away with its reports waiting, and follows again', async () => {
    const well = await until(({ state }) => state === 'following')
    expect(well).toMatchObject({ recordId: RECORD_ID, partitions: { following: 65 }, behind: 0, outbox: { facts: 0 } })
    // Read since the node was opened.
    expect(Date.parse(well.freshAt ?? '')).toBeGreaterThanOrEqual(openedMs)
    expect(await reasons(Date.now())).toEqual(['No verdict process answers.'])

    link.isReachable = false
    const away = await until(({ state, partitions }) => state === 'away' && partitions.away === 65)
    expect(await node.store.appendReport(report('r1', { number: KEPT }), 'agent')).toMatchObject({ outcome: 'queued' })
    const waiting = await shown()
    expect(waiting.outbox).toMatchObject({ facts: 1, max: OUTBOX_MAX, oldestAt: expect.any(String) })
    expect(waiting.problem?.code).toBe('UNAVAILABLE')
    expect(waiting.freshAt).toBe(away.freshAt)
    expect((await reasons(Date.now() + 10_000)).join()).toMatch(/Redis does not answer: the state here is \d+ s old\./)

    link.isReachable = true
    const again = await until(({ state, outbox }) => state === 'following' && outbox.facts === 0)
    expect(Date.parse(again.freshAt ?? '')).toBeGreaterThan(Date.parse(away.freshAt ?? ''))
    expect(node.store.report('r1')).toBeDefined()
  })

  it('does not know how far it is behind before Redis has answered', async () => {
    const { store } = await openRecordNode({ streams: gone, newFactId: () => '0'.repeat(32), pollMs: 2, touchMs: 10 })
    gone.isReachable = false
    expect(store.recordStatus().behind).toBeUndefined()
    gone.isReachable = true
    await expect.poll(() => store.recordStatus().behind).toBe(0)
    await store.close()
  })

  it('names the worst state when one partition is lost, and goes on with the others', async () => {
    expect(partitionOfNumber(LOST)).not.toBe(partitionOfNumber(KEPT))
    await node.store.appendReport(report('r2', { number: LOST }), 'agent')
    record.flush(partitionOfNumber(LOST))
    const view = await until(({ state }) => state === 'lost')
    expect(view).toMatchObject({ partitions: { following: 64, lost: 1 }, problem: { code: 'RECORD_LOST' } })
    expect(await node.store.appendReport(report('r3', { number: LOST }), 'agent')).toMatchObject({ outcome: 'queued' })
    expect(await node.store.appendReport(report('r4', { number: KEPT }), 'agent')).toMatchObject({
      outcome: 'recorded',
    })
    expect((await reasons(Date.now() + 10_000)).join()).toContain('The record in Redis, or a part of it, is gone')
  })
})
