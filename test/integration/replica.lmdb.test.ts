import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { DESK_PARTITION, type Fact, type FactBody, partitionOf, partitionOfNumber } from '../../src/stores/fact.ts'
import { decodeFact, encodeFact } from '../../src/stores/fact-codec.ts'
import { APPLIED_FACTS_KEPT, type DecodedEntry } from '../../src/stores/lmdb/apply-entries.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import { openReplica, type Replica } from '../../src/stores/lmdb/replica.ts'
import { versionMark } from '../../src/stores/record-marks.ts'
import { NOON_MS, NUMBER, report } from '../contract/record-store.contract.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { RECORD_ID } from '../support/redis-node.ts'
import { POLICY } from '../support/sample-policy.ts'

const PARTITION = partitionOfNumber(NUMBER)

async function openBound(directory = temporaryDirectory()): Promise<Replica> {
  const replica = await openReplica({ directory }, { now: () => NOON_MS })
  if (replica.binding() === undefined) await replica.bind({ recordId: RECORD_ID, redis: 'single', isWhole: false })
  return replica
}

function entry(sequence: number, body: FactBody | undefined, epoch = 1): DecodedEntry {
  const fact: Fact | undefined = body && { ...body, actor: 'agent', atMs: NOON_MS + sequence }
  const factId =
    fact === undefined ? '' : (partitionOf(fact) * 1e12 + epoch * 1e9 + sequence).toString(16).padStart(32, '0')
  return { position: { epoch, sequence }, factId, payload: fact ? encodeFact(fact) : Buffer.alloc(0), fact }
}

/** An activation of the version that has the number here. */
function marked(replica: Replica, body: FactBody): FactBody {
  if (body.kind !== 'list-activate' || replica.list(body.name) === undefined) return body
  const version = replica.versions(body.name).find((kept) => kept.version === body.version)
  return version === undefined ? body : { ...body, mark: versionMark(version) }
}

const reportFact = (id: string, changes = {}): FactBody => ({ kind: 'report', report: report(id, changes) })

/** All that facts make, without what is the node's own. */
function contentOf(replica: Replica) {
  return {
    reports: replica.reportsOf(NUMBER, 100),
    reputation: Buffer.from(replica.reputationOf(NUMBER)?.buffer ?? new ArrayBuffer(0)).toString('hex'),
    reporters: [0, 1, 2, 3, 4, 5, 6].map((reporter) => replica.reporter(String(reporter).padStart(32, '0'))),
    lists: replica.lists(),
    versions: replica.list('black') ? replica.versions('black') : [],
    policies: replica.policyVersions(100),
    open: replica.reviews('open', 100),
    closed: replica.reviews('closed', 100),
  }
}

describe('a replica', () => {
  it('applies entries once, in order, and remembers where it is', async () => {
    const directory = temporaryDirectory()
    const replica = await openBound(directory)
    const applied = await replica.apply(PARTITION, [entry(1, undefined), entry(2, reportFact('r1'))], { newest: 2 })
    expect(applied).toMatchObject([{ factId: entry(2, reportFact('r1')).factId, result: { outcome: 'recorded' } }])
    expect(replica.position(PARTITION)).toEqual({ epoch: 1, sequence: 2 })
    for (const wrong of [entry(2, reportFact('r2')), entry(4, reportFact('r2')), entry(3, reportFact('r2'), 0)]) {
      await expect(replica.apply(PARTITION, [wrong], { newest: 4 })).rejects.toThrow()
    }
    expect(replica.reportsOf(NUMBER, 10)).toHaveLength(1)
    await replica.close()
    const again = await openBound(directory)
    expect(again.position(PARTITION)).toEqual({ epoch: 1, sequence: 2 })
    await again.close()
  })

  it('goes on after a fact that is refused, and says why it was', async () => {
    const replica = await openBound()
    const facts = [reportFact('r1'), reportFact('r1', { scenario: 'spam' }), reportFact('r2')]
    const applied = await replica.apply(
      PARTITION,
      facts.map((fact, index) => entry(index + 1, fact)),
      { newest: 3 },
    )
    expect(applied.map(({ error }) => (error as { code?: string } | undefined)?.code)).toEqual([
      undefined,
      'REPORT_CONFLICT',
      undefined,
    ])
    expect(replica.position(PARTITION).sequence).toBe(3)
    await replica.close()
  })

  it('takes back what it applied, to the byte, whatever it was', async () => {
    const desk: FactBody[] = [
      { kind: 'policy-put', text: 'a', document: POLICY },
      { kind: 'list-put', name: 'black', listKind: 'deny', title: 'Black' },
      { kind: 'list-stage', name: 'black', listKind: 'deny', version: { layers: [], entryCount: 0 } },
      { kind: 'list-activate', name: 'black', version: 1, mark: '' },
      { kind: 'review-open', review: { number: NUMBER, cause: 'reported', score: 50, atMs: 1 } },
      {
        kind: 'review-close',
        reviewId: 'r000000001',
        number: NUMBER,
        openedMs: 1,
        result: { outcome: 'dismissed', atMs: 2 },
      },
      { kind: 'audit', action: 'x', subject: 'y' },
    ]
    const fact = fc.oneof(
      fc.constantFrom(...desk),
      fc
        .record({ id: fc.integer({ min: 1, max: 9 }), reporter: fc.integer({ min: 1, max: 3 }) })
        .map(({ id, reporter }) => reportFact(`r${id}`, { reporter: String(reporter).padStart(32, '0') })),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(fact, { maxLength: 25 }), fc.array(fact, { maxLength: 25 }), async (before, after) => {
        const replica = await openBound()
        const ends = new Map<number, number>()
        const applyAll = async (facts: readonly FactBody[]) => {
          for (const body of facts) {
            const partition = partitionOf(body)
            const sequence = (ends.get(partition) ?? 0) + 1
            ends.set(partition, sequence)
            await replica.apply(partition, [entry(sequence, marked(replica, body))], { newest: sequence })
          }
        }
        await applyAll(before)
        const content = contentOf(replica)
        const kept = new Map(ends)
        await applyAll(after)
        let taken = 0
        for (const partition of ends.keys()) taken += await replica.rewind(partition, kept.get(partition) ?? 0)
        expect(contentOf(replica)).toEqual(content)
        expect(taken).toBe(after.length)
        expect(
          replica.outbox
            .partitions()
            .flatMap((partition) => replica.outbox.page(partition, 100))
            .map(({ payload }) => decodeFact(payload).kind)
            .sort(),
        ).toEqual(after.map(({ kind }) => kind).sort())
        await replica.close()
      }),
      { numRuns: 25 },
    )
  }, 60_000)

  it('can take back as many facts as it says, and not one more', async () => {
    const replica = await openBound()
    const count = APPLIED_FACTS_KEPT + 2
    const facts = Array.from({ length: count }, (_, index) => entry(index + 1, reportFact(`r${index}`)))
    await replica.apply(PARTITION, facts, { newest: count })
    expect(replica.rewindableTo(PARTITION)).toBe(2)
    await expect(replica.rewind(PARTITION, 1)).rejects.toMatchObject({ code: 'RECORD_DIVERGED' })
    expect(replica.position(PARTITION).sequence).toBe(count)
    expect(await replica.rewind(PARTITION, 2)).toBe(APPLIED_FACTS_KEPT)
    expect(replica.position(PARTITION)).toEqual({ epoch: 1, sequence: 2 })
    expect(replica.rewindableTo(PARTITION)).toBe(2)
    await replica.close()
  })

  it('keeps nothing to take back of facts that are far behind', async () => {
    const replica = await openBound()
    await replica.apply(PARTITION, [entry(1, reportFact('r1'))], { newest: 1 })
    await replica.apply(PARTITION, [entry(2, reportFact('r2'))], { newest: APPLIED_FACTS_KEPT + 2 })
    expect(replica.rewindableTo(PARTITION)).toBe(2)
    await replica.close()
  })

  it('puts no list into force without its contents', async () => {
    const replica = await openBound()
    const layer = { layerId: 7, numberCount: 1, rangeCount: 0, stamp: 5 }
    const facts: FactBody[] = [
      { kind: 'list-put', name: 'black', listKind: 'deny', title: 'Black' },
      { kind: 'list-stage', name: 'black', listKind: 'deny', version: { layers: [layer], entryCount: 1 } },
      { kind: 'list-activate', name: 'black', version: 1, mark: `7-5 ${NOON_MS + 2} agent` },
    ]
    const entries = facts.map((fact, index) => entry(index + 1, fact))
    const missing = replica.apply(DESK_PARTITION, entries, { newest: 3, hasLayer: () => false })
    await expect(missing).rejects.toMatchObject({ layers: [layer] })
    expect(replica.lists()).toEqual([])
    expect(replica.position(DESK_PARTITION).sequence).toBe(0)
    await replica.apply(DESK_PARTITION, entries, { newest: 3, hasLayer: ({ layerId }) => layerId === 7 })
    expect(replica.list('black')?.activeVersion).toBe(1)
    await replica.close()
  })

  it('writes out its partitions as facts that make the same content elsewhere', async () => {
    const here = await openBound()
    const reports = Array.from({ length: 20 }, (_, index) =>
      entry(index + 1, reportFact(`r${index}`, { reporter: String(index % 7).padStart(32, '0') })),
    )
    await here.apply(PARTITION, reports, { newest: 20 })
    const desk: FactBody[] = [
      { kind: 'policy-put', text: 'a', document: POLICY },
      { kind: 'list-put', name: 'black', listKind: 'deny', title: 'Black' },
      { kind: 'review-open', review: { number: NUMBER, cause: 'reported', score: 50, atMs: 1 } },
      {
        kind: 'review-close',
        reviewId: 'r000000001',
        number: NUMBER,
        openedMs: 1,
        result: { outcome: 'innocent', atMs: 2 },
        judgement: { confirmed: [], refuted: ['0'.repeat(32)] },
      },
    ]
    await here.apply(
      DESK_PARTITION,
      desk.map((fact, index) => entry(index + 1, fact)),
      { newest: 4 },
    )
    expect(here.reporter('0'.repeat(32))).toMatchObject({ reports: 1, outcomes: { refuted: 1 } })
    const there = await openBound()
    for (const partition of [PARTITION, DESK_PARTITION]) {
      const facts = [...here.factsOf(partition)].map((fact, index) => entry(index + 1, fact, 2))
      await there.replace(partition, facts, { hasLayer: () => true })
    }
    expect(contentOf(there)).toEqual(contentOf(here))
    // Once more over what is there: it takes its place.
    const facts = [...here.factsOf(PARTITION)].map((fact, index) => entry(index + 1, fact, 3))
    await there.replace(PARTITION, facts, { hasLayer: () => true })
    expect(contentOf(there)).toEqual(contentOf(here))
    await here.close()
    await there.close()
  })

  it('says in its change log which numbers have lost their reputation when others take the place of its facts', async () => {
    const replica = await openBound()
    await replica.apply(PARTITION, [entry(1, reportFact('r1'))], { newest: 1 })
    const before = replica.lastSequence()
    await replica.replace(PARTITION, [], { hasLayer: () => true })
    expect(replica.reputationOf(NUMBER)).toBeUndefined()
    expect(replica.changesAfter(before, 10)).toMatchObject([{ kind: 'report', number: NUMBER }])
    await replica.close()
  })

  it('keeps queued facts over a restart, up to its bound and not one more', async () => {
    const directory = temporaryDirectory()
    const replica = await openBound(directory)
    const queued = [1, 2].map((id) => ({
      factId: String(id).padStart(32, '0'),
      payload: Buffer.from('x'),
      partition: 3,
    }))
    for (const fact of queued) await replica.outbox.put(fact, 2)
    const third = replica.outbox.put({ ...queued[0]!, factId: 'f'.repeat(32) }, 2)
    await expect(third).rejects.toMatchObject({ code: 'QUEUE_FULL', details: { retryAfterSeconds: 10 } })
    await replica.close()
    const again = await openBound(directory)
    expect(again.outbox.page(3, 10)).toEqual(queued)
    expect([again.outbox.partitions(), again.outbox.page(4, 10), again.outbox.page(3, 1)]).toEqual([
      [3],
      [],
      [queued[0]],
    ])
    await again.outbox.drop(queued[0]!.factId)
    expect([again.outbox.size, again.outbox.page(3, 10)]).toEqual([1, queued.slice(1)])
    await again.close()
  })
})

describe('a data directory', () => {
  it('that is a record of its own is no replica, and the other way round', async () => {
    const own = temporaryDirectory()
    const store = await openRecordStore({ directory: own })
    await store.putPolicy({ text: '', document: POLICY }, {}, 'anna')
    await store.close()
    await expect(openReplica({ directory: own })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const joined = temporaryDirectory()
    await (await openBound(joined)).close()
    await expect(openRecordStore({ directory: joined })).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
    const replica = await openReplica({ directory: joined })
    await replica.apply(PARTITION, [entry(1, reportFact('r1'))], { newest: 1 })
    const waiting = ['r2', 'r2', 'r3'].map((id, index) => ({
      factId: String(index).padStart(32, '0'),
      payload: encodeFact({
        ...reportFact(id, index === 1 ? { scenario: 'loan' } : {}),
        actor: 'agent',
        atMs: NOON_MS + 9,
      }),
      partition: PARTITION,
    }))
    for (const fact of waiting) await replica.outbox.put(fact, 10)
    const staged: FactBody = {
      kind: 'list-stage',
      name: 'black',
      listKind: 'deny',
      version: { importId: 'i1', layers: [{ layerId: 3, numberCount: 1, rangeCount: 0, stamp: 1 }], note: '' } as never,
    }
    const lists: FactBody[] = [{ kind: 'list-put', name: 'black', listKind: 'deny', title: '' }, staged]
    for (const [index, body] of lists.entries()) {
      const payload = encodeFact({ ...body, actor: 'agent', atMs: NOON_MS + 10 })
      await replica.outbox.put({ factId: `f${index}`.padStart(32, '0'), payload, partition: DESK_PARTITION }, 10)
    }
    expect(await replica.unbind({ layerIdMax: 7, hasLayer: () => false })).toEqual({ taken: 3, refused: 2 })
    expect(replica.outbox.size).toBe(0)
    await replica.close()
    const unbound = await openRecordStore({ directory: joined })
    expect(await unbound.allocateLayer()).toBe(8)
    for (const id of ['r1', 'r2', 'r3']) expect(unbound.report(id)?.number).toBe(NUMBER as PhoneNumber)
    expect(unbound.versions('black')).toEqual([])
    const dropped = unbound.audit(10).filter(({ action }) => action === 'record.drop')
    expect(dropped.map(({ detail }) => detail)).toEqual([
      { kind: 'list-stage', code: 'CONTENTS_MISSING' },
      { kind: 'report', code: 'REPORT_CONFLICT' },
    ])
    await unbound.close()
  })
})
