import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { PARTITIONS, partitionOfNumber } from '../../src/stores/fact.ts'
import type { ListVersion } from '../../src/stores/ports.ts'
import { report } from '../contract/record-store.contract.ts'
import { openRecordNode, type RecordNode } from '../support/redis-node.ts'
import { POLICY } from '../support/sample-policy.ts'
import { createSimulatedRecord, type SimulatedRecord } from '../support/simulated-streams.ts'

/**
 * Three nodes, one record that fails over and forgets, connections that break and answers that get lost: whatever
 * happens in whatever order, in the end all nodes hold the same, everything that was acknowledged is in it, and no close
 * and no activation has hit anything but what its author saw.
 */
const NODES = 3
const NUMBERS = [79160000001, 79160000002, 79160000003] as const
const USED = [...new Set(NUMBERS.map((number) => partitionOfNumber(number as PhoneNumber))), PARTITIONS - 1]

const DESK = String(PARTITIONS - 1)

type Action =
  | { readonly do: 'report'; readonly node: number; readonly number: number; readonly reporter: number }
  | {
      readonly do: 'policy' | 'list' | 'stage' | 'activate' | 'review' | 'close-review'
      readonly node: number
      readonly number: number
    }
  | { readonly do: 'cut' | 'heal' | 'lose-answers' | 'restart'; readonly node: number }
  | { readonly do: 'failover'; readonly partition: number; readonly lost: number }
  | { readonly do: 'wait'; readonly ms: number }

const node = fc.integer({ min: 0, max: NODES - 1 })
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      node,
      number: fc.constantFrom(...NUMBERS),
      reporter: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom('policy', 'list', 'stage', 'activate', 'review', 'close-review'),
      node,
      number: fc.constantFrom(...NUMBERS),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('cut', 'heal', 'lose-answers', 'restart'), node }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('failover' as const),
      partition: fc.constantFrom(...USED),
      lost: fc.integer({ min: 0, max: 6 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 25 }) }) },
)

/** What Redis has lost is offered again after somebody else's fact has taken its place: the number of a review, of a version. */
const overtaken = (
  before: ('review' | 'close-review' | 'stage' | 'activate')[],
  first: 'review' | 'stage',
): [Action[]] => [
  [
    { do: 'list', node: 0, number: NUMBERS[0] },
    ...before.flatMap((what): Action[] => [
      { do: 'wait', ms: 80 },
      { do: what, node: 0, number: NUMBERS[0] },
    ]),
    { do: 'wait', ms: 80 },
    { do: 'failover', partition: PARTITIONS - 1, lost: 2 },
    { do: first, node: 1, number: NUMBERS[1] },
  ],
]

class World {
  readonly record: SimulatedRecord = createSimulatedRecord()
  readonly links = Array.from({ length: NODES }, () => this.record.connect())
  readonly nodes: RecordNode[] = []
  readonly acknowledgedReports = new Set<string>()
  readonly acknowledgedPolicies = new Set<string>()
  /** What authors meant: closes by their note, activations by their actor. */
  readonly closedNumbers = new Map<string, number>()
  readonly activatedVersions = new Map<string, string>()
  #ids = 0

  async open(index: number): Promise<void> {
    const directory = this.nodes[index]?.directory
    this.nodes[index] = await openRecordNode({
      streams: this.links[index]!,
      newFactId: () => (++this.#ids).toString(16).padStart(32, '0'),
      pollMs: 2,
      touchMs: 10,
      deadlineMs: 200,
      ...(directory === undefined ? {} : { directory }),
    })
  }

  /** Starts it and does not wait: writes of several nodes meet. */
  async perform(step: Action): Promise<void> {
    switch (step.do) {
      case 'wait':
        return sleep(step.ms)
      case 'failover':
        return this.record.failover(step.partition, step.lost)
      case 'cut':
        this.links[step.node]!.isReachable = false
        return
      case 'lose-answers':
        this.links[step.node]!.losesAnswers = true
        return
      case 'heal':
        this.links[step.node]!.isReachable = true
        this.links[step.node]!.losesAnswers = false
        return
      case 'restart':
        await this.nodes[step.node]!.store.close()
        return this.open(step.node)
      default:
        this.#write(step).catch((error: unknown) => expect(error).toMatchObject({ name: 'ScreeningError' }))
        return sleep(1)
    }
  }

  async #write(step: Exclude<Action, { do: 'wait' | 'failover' | 'cut' | 'heal' | 'lose-answers' | 'restart' }>) {
    const { store } = this.nodes[step.node]!
    const id = String(++this.#ids)
    if (step.do === 'report') {
      const reporter = String(step.reporter).padStart(32, '0')
      await store.appendReport(report(id, { number: step.number as PhoneNumber, reporter }), 'agent')
      this.acknowledgedReports.add(id)
    } else if (step.do === 'policy') {
      await store.putPolicy({ text: id, document: POLICY }, {}, 'anna')
      this.acknowledgedPolicies.add(id)
    } else if (step.do === 'list') await store.putList({ name: 'black', kind: 'deny', title: id }, 'anna')
    else if (step.do === 'stage') {
      const layers = [{ layerId: ++this.#ids, numberCount: 1, rangeCount: 0, stamp: 1 }]
      await store.stageVersion('black', { layers, entryCount: 1 }, 'anna')
    } else if (step.do === 'activate') {
      const expectedActive = store.list('black')?.activeVersion ?? 0
      const next = store.list('black') && store.versions('black').find(({ version }) => version > expectedActive)
      const actor = `anna-${id}`
      if (next !== undefined) this.activatedVersions.set(actor, layersOf(next))
      await store.activateVersion('black', next?.version ?? 1, Number(id) % 2 ? { expectedActive } : {}, actor)
    } else if (step.do === 'review') {
      const number = step.number as PhoneNumber
      await store.openReview({ number, cause: 'reported', score: Number(id) % 100, atMs: Number(id) }, 'system')
    } else {
      const [review] = store.reviews('open', 1)
      if (review !== undefined) this.closedNumbers.set(id, review.number)
      await store.closeReview(review?.reviewId ?? 'none', { outcome: 'confirmed', atMs: Number(id), note: id }, 'a')
    }
  }

  /** What was closed and put into force although nobody meant it. */
  astray({ store }: RecordNode): unknown[] {
    const closed = store
      .reviews('closed', 1_000)
      .filter(({ note = '', number }) => this.closedNumbers.get(note) !== number)
    const versions = new Map((store.list('black') ? store.versions('black') : []).map((kept) => [kept.version, kept]))
    const audit = store.audit(1_000)
    // What was taken back stays in the audit log, and its version numbers have become others.
    const rewound = audit.findIndex(({ action, subject }) => action === 'record.rewind' && subject === DESK)
    const activated = audit.slice(0, rewound === -1 ? audit.length : rewound).filter(({ action, actor, detail }) => {
      const version = versions.get(Number(detail?.version))
      if (action !== 'list.activate' || version === undefined) return false
      return this.activatedVersions.get(actor) !== layersOf(version)
    })
    return [...closed, ...activated]
  }

  async settle(): Promise<void> {
    for (let index = 0; index < NODES; index++) await this.perform({ do: 'heal', node: index })
    const isSettled = () =>
      this.nodes.every(({ store, replica }) => {
        const { states, outbox } = store.recordStatus()
        const isAtEnd = USED.every((index) => replica.position(index).sequence === this.record.entries(index).length)
        return states.following === PARTITIONS && outbox.facts === 0 && isAtEnd
      })
    const giveUpMs = Date.now() + 10_000
    // Twice, with a touch in between: the last failover may not have been noticed yet.
    for (let seen = 0; seen < 2; seen = isSettled() ? seen + 1 : 0) {
      if (Date.now() > giveUpMs) throw new Error(JSON.stringify(this.nodes.map(({ store }) => store.recordStatus())))
      await sleep(30)
    }
  }
}

function layersOf({ layers }: ListVersion): string {
  return layers.map(({ layerId }) => layerId).join()
}

/** Everything but local sequence numbers. */
function contentOf({ store }: RecordNode) {
  return {
    numbers: NUMBERS.map((number) => ({
      reports: store.reportsOf(number as PhoneNumber, 1_000),
      reputation: Buffer.from(store.reputationOf(number as PhoneNumber)?.buffer ?? new ArrayBuffer(0)).toString('hex'),
    })),
    reporters: [1, 2, 3, 4].map((reporter) => {
      const pseudonym = String(reporter).padStart(32, '0')
      return [store.reporter(pseudonym), store.reportsBy(pseudonym, 1_000)]
    }),
    lists: store.lists(),
    versions: store.list('black') === undefined ? [] : store.versions('black'),
    policies: store.policyVersions(1_000),
    open: store.reviews('open', 1_000),
    closed: store.reviews('closed', 1_000),
  }
}

describe('nodes that share a record', () => {
  it('end up with the same content, and with everything that was acknowledged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(action, { minLength: 10, maxLength: 60 }), async (steps) => {
        const world = new World()
        for (let index = 0; index < NODES; index++) await world.open(index)
        await Promise.all(world.nodes.map(({ store }) => store.follower.caughtUp()))
        for (const step of steps) await world.perform(step)
        await sleep(250)
        await world.settle()
        const [first, ...others] = world.nodes.map(contentOf)
        for (const other of others) expect(other).toEqual(first)
        expect(world.nodes.flatMap((one) => world.astray(one))).toEqual([])
        const reportIds = first!.numbers.flatMap(({ reports }) => reports.map(({ reportId }) => reportId))
        expect([...world.acknowledgedReports].filter((id) => !reportIds.includes(id))).toEqual([])
        const texts = first!.policies.map(({ text }) => text)
        expect([...world.acknowledgedPolicies].filter((text) => !texts.includes(text))).toEqual([])
        await Promise.all(world.nodes.map(({ store }) => store.close()))
      }),
      {
        numRuns: 30,
        endOnFailure: true,
        examples: [overtaken(['review', 'close-review'], 'review'), overtaken(['stage', 'activate'], 'stage')],
      },
    )
  }, 240_000)
})
