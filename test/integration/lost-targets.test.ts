import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { DESK_PARTITION, type FactBody } from '../../src/stores/fact.ts'
import { encodeFact } from '../../src/stores/fact-codec.ts'
import { LIVE_FORMAT_VERSION } from '../../src/stores/lmdb/live-format.ts'
import type { LayerRef } from '../../src/stores/ports.ts'
import { policyMark } from '../../src/stores/record-marks.ts'
import { openRecordNode, type RecordNode } from '../support/redis-node.ts'
import { POLICY } from '../support/sample-policy.ts'
import { createSimulatedRecord, type SimulatedRecord } from '../support/simulated-streams.ts'

const [X, Y] = [79160000001, 79160000002] as [PhoneNumber, PhoneNumber]
const layer = (layerId: number): LayerRef => ({ layerId, numberCount: 1, rangeCount: 0, stamp: layerId })
const staged = (layerId: number, listKind: 'deny' | 'allow' = 'deny') =>
  ({ kind: 'list-stage', name: 'black', listKind, version: { layers: [layer(layerId)], entryCount: 1 } }) as const

let ids = 0
const newFactId = () => (++ids).toString(16).padStart(32, '0')
let record: SimulatedRecord
let node: RecordNode
afterEach(() => node.store.close())

async function open(): Promise<void> {
  record = createSimulatedRecord()
  node = await openRecordNode({ streams: record.connect(), newFactId, pollMs: 2, touchMs: 10 })
  await node.store.follower.caughtUp()
}

async function appendAsBob(...facts: FactBody[]): Promise<void> {
  const link = record.connect()
  for (const [index, fact] of facts.entries()) {
    await link.append(DESK_PARTITION, newFactId(), encodeFact({ ...fact, actor: 'bob', atMs: 3 + index }))
  }
}

/** Redis loses the newest facts of the desk, and before this node offers them again another one writes. */
async function overtake(lost: number, ...facts: FactBody[]): Promise<void> {
  record.failover(DESK_PARTITION, lost)
  await appendAsBob(...facts)
  await settled()
}

async function settled(): Promise<void> {
  const giveUpMs = Date.now() + 5_000
  const isSettled = () => {
    const { states, outbox } = node.store.recordStatus()
    const { sequence } = node.replica.position(DESK_PARTITION)
    return states.following === 65 && outbox.facts === 0 && sequence === record.entries(DESK_PARTITION).length
  }
  for (let seen = 0; seen < 2; seen = isSettled() ? seen + 1 : 0) {
    if (Date.now() > giveUpMs) throw new Error(JSON.stringify(node.store.recordStatus()))
    await sleep(30)
  }
}

describe('a fact that is offered again', () => {
  it('closes the review that was meant, not the one that has its id now', async () => {
    await open()
    const { review } = await node.store.openReview({ number: X, cause: 'reported', score: 90, atMs: 1 }, 'system')
    await node.store.closeReview(review.reviewId, { outcome: 'confirmed', atMs: 2 }, 'anna')
    await overtake(2, { kind: 'review-open', review: { number: Y, cause: 'reported', score: 50, atMs: 1 } })
    expect(node.store.reviewOf(Y)).toMatchObject({ reviewId: review.reviewId, state: 'open' })
    expect(node.store.reviewOf(X)).toMatchObject({ state: 'closed', outcome: 'confirmed' })
  })

  it('closes no review that somebody else opened meanwhile', async () => {
    await open()
    const { review } = await node.store.openReview({ number: X, cause: 'reported', score: 90, atMs: 1 }, 'system')
    await node.store.closeReview(review.reviewId, { outcome: 'confirmed', atMs: 2 }, 'anna')
    await overtake(
      2,
      { kind: 'review-open', review: { number: Y, cause: 'reported', score: 50, atMs: 1 } },
      { kind: 'review-open', review: { number: X, cause: 'watched', score: 10, atMs: 7 } },
    )
    expect(node.store.reviewOf(Y)?.state).toBe('open')
    expect(node.store.reviewOf(X)).toMatchObject({ state: 'open', causes: ['watched', 'reported'] })
  })

  it('puts the version into force that was meant, whatever number it has now', async () => {
    await open()
    await node.store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna')
    const { version } = await node.store.stageVersion('black', { layers: [layer(1)], entryCount: 1 }, 'anna')
    await node.store.activateVersion('black', version, {}, 'anna')
    await overtake(2, staged(2))
    expect(node.store.list('black')).toMatchObject({ activeVersion: 2, active: { layers: [layer(1)] } })
  })

  it('puts no version into force on top of another one than was meant', async () => {
    await open()
    await node.store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna')
    await node.store.stageVersion('black', { layers: [layer(1)], entryCount: 1 }, 'anna')
    await node.store.activateVersion('black', 1, { expectedActive: 0 }, 'anna')
    await node.store.stageVersion('black', { layers: [layer(2), layer(1)], entryCount: 2 }, 'anna')
    await node.store.activateVersion('black', 2, { expectedActive: 1 }, 'anna')
    await overtake(4, staged(9), {
      kind: 'list-activate',
      name: 'black',
      version: 1,
      mark: '9-9 3 bob',
      expectedMark: 'none',
    })
    expect(node.store.list('black')).toMatchObject({ activeVersion: 1, active: { layers: [layer(9)] } })
  })

  it('puts no numbers on a list of another kind that has the name now', async () => {
    await open()
    await node.store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna')
    await node.store.stageVersion('black', { layers: [layer(1)], entryCount: 1 }, 'anna')
    await node.store.activateVersion('black', 1, { expectedActive: 0 }, 'anna')
    await overtake(3, { kind: 'list-put', name: 'black', listKind: 'allow', title: '' })
    expect(node.store.list('black')).toMatchObject({ kind: 'allow', activeVersion: 0 })
    expect(node.store.versions('black')).toEqual([])
  })

  it('puts no policy into force on top of another one than was read', async () => {
    await open()
    await node.store.putPolicy({ text: 'one', document: POLICY }, {}, 'anna')
    const mark = policyMark(node.store.policy())
    await appendAsBob(
      { kind: 'policy-put', text: 'wrong', document: POLICY, expectedMark: mark.replace('anna', 'carol') },
      { kind: 'policy-put', text: 'two', document: POLICY, expectedMark: mark },
    )
    await settled()
    expect(node.store.policyVersions(9).map(({ text }) => text)).toEqual(['two', 'one'])
  })
})

describe('rows of the desk', () => {
  it.each([
    ['no key', ''],
    ['a key longer than LMDB takes', Buffer.alloc(3_000, 6).toString('base64')],
    ['a long key of a list', Buffer.concat([Buffer.from([6, 0, 0]), Buffer.alloc(1_976, 97)]).toString('base64')],
    ['the key of a position', Buffer.from([17, 0, 0, 64]).toString('base64')],
    ['a key that is only a space', Buffer.from([6, 0, 0]).toString('base64')],
  ])('are refused with %s, and the desk goes on', async (_what, key) => {
    await open()
    await node.store.putList({ name: 'black', kind: 'deny', title: '' }, 'anna')
    await appendAsBob({ kind: 'desk-rows', format: LIVE_FORMAT_VERSION, isFirst: true, rows: [[key, 'AAAA']] })
    await settled()
    expect(node.store.lists()).toHaveLength(1)
    expect(await node.store.putList({ name: 'white', kind: 'allow', title: '' }, 'anna')).toMatchObject({
      created: true,
    })
  })
})
