import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { parsePolicy } from '../../src/domain/parse-policy.ts'
import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import type { CandidateList } from '../../src/jobs/candidate-list.ts'
import { startRehearsalThreads } from '../../src/processes/rehearsal-threads.ts'
import { openListContents } from '../../src/stores/lmdb/list-contents.ts'
import { openRecordStore } from '../../src/stores/lmdb/record-store.ts'
import type { ListContents, RecordStore } from '../../src/stores/ports.ts'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'

const TEXT = readFileSync('data/policy.yaml', 'utf8')
const POLICY = parsePolicy(parse(TEXT))
const LISTED = 79160000001
const AT = Date.parse('2026-03-10T11:00:00Z')
const NOTHING = new Float64Array(0)

const none: CandidateList[] = []
const allow = (number: number): CandidateList[] => [
  { kind: 'allow', numbers: Float64Array.of(number), rangesFrom: NOTHING, rangesTo: NOTHING },
]
const call = (caller: number, at = AT) => ({ type: 'call', caller: `+${caller}`, callee: '+79031112233', at })

describe('a rehearsal thread', () => {
  const root = temporaryDirectory()
  let store: RecordStore
  let contents: ListContents
  const threads = startRehearsalThreads({ dataDirectory: root, homeCountry: 'RU', trunks: [] })
  beforeAll(async () => {
    if (!existsSync('dist/workers/rehearsal.js')) throw new Error('dist/ is missing: build first (npm run build).')
    store = await openRecordStore({ directory: root })
    contents = openListContents({ directory: root, readOnly: false })
    await store.putPolicy({ text: TEXT, document: POLICY }, {}, 'test')
    await store.putList({ name: 'bad', kind: 'deny', title: '' }, 'test')
  })
  afterAll(async () => {
    await threads.close()
    await contents.close()
    await store.close()
  })

  async function list(...numbers: number[]): Promise<void> {
    const layerId = await store.allocateLayer()
    contents.putLayer(layerId, {
      numbers: Float64Array.from(numbers),
      rangesFrom: NOTHING,
      rangesTo: NOTHING,
      dictionary: [],
    })
    const layers = [{ layerId, numberCount: numbers.length, rangeCount: 0 }]
    const { version } = await store.stageVersion('bad', { layers, entryCount: numbers.length }, 'test')
    await store.activateVersion('bad', version, {}, 'test')
  }

  it('reads the record this process writes, as it is at each rehearsal', async () => {
    const events = [call(LISTED), call(LISTED + 1)]
    await list(LISTED)
    const first = await threads.run({ source: { events }, candidate: { policy: POLICY, lists: allow(LISTED) } })
    expect(first.changes).toEqual([{ from: 'block', to: 'allow', count: 1 }])
    await list(LISTED, LISTED + 1)
    const second = await threads.run({ source: { events }, candidate: { policy: POLICY, lists: none } })
    expect(second.verdicts).toEqual([{ from: 'block', to: 'block', count: 2 }])
  })

  it('sees reports', async () => {
    const number = 79170000005 as PhoneNumber
    for (let index = 0; index < 5; index++) {
      const report = {
        number,
        channel: 'app',
        scenario: 'bank',
        ingress: 0,
        atMs: AT,
        receivedMs: AT,
        weight: 1,
      } as const
      const reporter = index.toString(16).padStart(32, '0')
      await store.appendReport({ ...report, reportId: `r${index}`, reporter }, 'test')
    }
    const source = { events: [call(number, AT + 1)] }
    const { verdicts } = await threads.run({ source, candidate: { policy: POLICY, lists: allow(number) } })
    expect(verdicts).toEqual([{ from: 'block', to: 'allow', count: 1 }])
  })

  it('reads a file', async () => {
    const file = path.join(root, 'events.jsonl')
    const line = (_: unknown, index: number) => JSON.stringify(call(79180000000 + index, AT + index))
    writeFileSync(file, Array.from({ length: 2_000 }, line).join('\n'))
    const rehearsal = await threads.run({ source: { path: file }, candidate: { policy: POLICY, lists: none } })
    expect(rehearsal).toMatchObject({ decisions: 2_000, changed: 0, firstMs: AT, lastMs: AT + 1_999 })
  })

  it('gives errors back with their code', async () => {
    const source = { events: [{ type: 'call' }] }
    const error = { code: 'EVENTS_INVALID', details: { errors: [{ pointer: '/events/0/at' }] } }
    await expect(threads.run({ source, candidate: { policy: POLICY, lists: none } })).rejects.toMatchObject(error)
  })
})
