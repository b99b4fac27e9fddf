import { mkdtempSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { Writable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Call } from '../../../src/domain/call-event.ts'
import type { DecisionEntry } from '../../../src/domain/decision-record.ts'
import { diallingRules } from '../../../src/domain/dialling-rules.ts'
import { type ErrorCode, ScreeningError } from '../../../src/domain/errors.ts'
import type { ImportRecord } from '../../../src/domain/import.ts'
import { createNodeClock } from '../../../src/domain/node-clock.ts'
import type { ListEntry } from '../../../src/domain/number-list.ts'
import { parsePolicy } from '../../../src/domain/parse-policy.ts'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { explain } from '../../../src/engine/explain.ts'
import type { NumberBehaviour } from '../../../src/engine/number-behaviour.ts'
import { policyYaml } from '../../../src/processes/policy-yaml.ts'
import { rehearseInThread } from '../../../src/processes/rehearse-in-thread.ts'
import { createClockDesk } from '../../../src/services/clock-desk.ts'
import { createControlServices, type ImportDesk, type NumberingDesk } from '../../../src/services/control-services.ts'
import type { RecordDesk, RecordView } from '../../../src/services/record-desk.ts'
import type { DecisionLogReader, DecisionQuery } from '../../../src/services/search-decisions.ts'
import { buildIntervals } from '../../../src/shm/intervals.ts'
import { createMemoryStore, type MemoryStore } from '../../../src/stores/memory/memory-store.ts'
import type { LayerContents } from '../../../src/stores/ports.ts'
import { createLogger } from '../../../src/telemetry/logger.ts'
import { createMetrics } from '../../../src/telemetry/metrics.ts'
import type { VerdictProcessState } from '../../../src/telemetry/verdict-metrics.ts'
import type { AccessKey } from '../../../src/transports/control-plane/access.ts'
import type { ControlPlaneLimits } from '../../../src/transports/control-plane/dependencies.ts'
import { createControlPlane } from '../../../src/transports/control-plane/server.ts'

export const NOW_MS = Date.parse('2026-03-10T12:00:00Z')
export const HOST = { host: '127.0.0.1:8080' }

const TRUNKS = [
  { name: 'unseen', kind: 'national', screening: 'off', failMode: 'open' },
  { name: 'spb-new', kind: 'national', screening: 'shadow', failMode: 'open' },
] as const

export type ControlFixture = {
  readonly app: FastifyInstance
  readonly store: MemoryStore
  /** Every line the control plane logged. */
  readonly logged: string[]
  /** Sequence numbers the verdict processes were told. */
  readonly notified: number[]
  readonly spoolDirectory: string
  /** Content of every upload that was handed to the import service. */
  readonly uploads: { content: string; path: string; country: string }[]
  readonly decisions: DecisionEntry[]
  readonly processes: VerdictProcessState[]
  /** What verdict processes say a number has been doing. */
  readonly behaviour: Map<PhoneNumber, NumberBehaviour>
  nowMs: number
  /** Milliseconds that the machine's clock jumps ahead. */
  jumpClock(byMs: number): void
  close(): Promise<void>
}

/** A control plane over the memory store, with a small import service of its own. */
export async function openControlPlane(
  options: {
    keys?: readonly AccessKey[]
    uploadBytesMax?: number
    limits?: Partial<ControlPlaneLimits>
    host?: string
    /** The memory store when left out. */
    store?: MemoryStore
    /** That of a node which is its own record when left out. */
    record?: RecordDesk
    /** That of `decisions` when left out. */
    decisionLog?: DecisionLogReader
  } = {},
): Promise<ControlFixture> {
  const spoolDirectory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-control-'))
  const logged: string[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      logged.push(chunk.toString())
      done()
    },
  })
  const log = createLogger({ level: 'debug', process: 'control' }, sink)
  const metrics = createMetrics({ version: '0.0.0-test' })
  const state = { nowMs: NOW_MS, behaviour: new Map<PhoneNumber, NumberBehaviour>() }
  const now = () => state.nowMs
  let jumpedMs = 0
  const clock = createNodeClock({
    wall: () => state.nowMs + jumpedMs,
    monotonic: now,
    boot: () => ({ bootId: 'boot', uptimeMs: state.nowMs }),
  })
  const store = options.store ?? createMemoryStore({}, { now })
  const text = readFileSync('data/policy.yaml', 'utf8')
  if (store.policy() === undefined)
    await store.putPolicy({ text, document: parsePolicy(policyYaml.parse(text)) }, {}, 'system')
  const notified: number[] = []
  const notify = async (sequence: number) => void notified.push(sequence)
  const uploads: ControlFixture['uploads'] = []
  const decisions: DecisionEntry[] = []
  const processes: VerdictProcessState[] = []
  const home = diallingRules('RU')
  const services = createControlServices(
    { home, timeZone: 'Europe/Moscow', pseudonymKey: new Uint8Array(32).fill(7), trunks: TRUNKS },
    {
      store,
      contents: store.contents,
      imports: fakeImports(store, uploads, now),
      numbering: fakeNumbering(store, now),
      ...(options.record === undefined ? {} : { record: options.record }),
      clock: createClockDesk({ clock, store, onAccepted: () => logged.push('clock accepted') }),
      notify,
      notifyReport: notify,
      decisionLog: options.decisionLog ?? { iterate: (query) => iterate(decisions, query) },
      behaviourOf: async (number) => state.behaviour.get(number),
      explain: async (call) => explainFrom(store, call),
      trunkIndex: (name) => (name === 'spb-new' ? 1 : 0),
      rehearseEvents: async (job) => {
        const outcome = await rehearseInThread(job, { home, trunks: TRUNKS }, store, now)
        if (outcome.ok) return outcome.value
        throw new ScreeningError(outcome.code as ErrorCode, outcome.message, outcome.details)
      },
      yaml: policyYaml,
      metrics,
      now,
    },
  )
  const app = await createControlPlane(
    {
      keys: options.keys ?? [],
      host: options.host ?? '127.0.0.1',
      version: '0.0.0-test',
      homeCountry: 'RU',
      uploadBytesMax: options.uploadBytesMax ?? 1_000_000,
      spoolDirectory,
      ...(options.limits === undefined ? {} : { limits: options.limits }),
    },
    { services, metrics, verdictStatus: async () => processes, now, log },
  )
  return {
    app,
    store,
    logged,
    notified,
    spoolDirectory,
    uploads,
    decisions,
    processes,
    behaviour: state.behaviour,
    get nowMs() {
      return state.nowMs
    },
    set nowMs(value) {
      state.nowMs = value
    },
    jumpClock(byMs) {
      jumpedMs += byMs
    },
    async close() {
      await app.close()
      metrics.close()
      await store.close()
      await rm(spoolDirectory, { recursive: true, force: true })
    },
  }
}

export type SharedRecord = RecordDesk & {
  readonly decided: { word: 'accept' | 'restore'; actor: string; replace?: boolean }[]
  current: Extract<RecordView, { kind: 'redis' }>
}

/** The desk of a node that shares its record: shows what it is given, notes what it is told, and is well after that. */
export function fakeSharedRecord(given: Partial<SharedRecord['current']> = {}, isAsked = true): SharedRecord {
  const desk: SharedRecord = {
    decided: [],
    current: {
      kind: 'redis',
      recordId: '0123456789abcdef0123456789abcdef',
      redis: 'redis://10.0.0.5:6379',
      state: 'following',
      partitions: { following: 65 },
      freshMs: NOW_MS - 40,
      ...(isAsked ? { behind: 0 } : {}),
      applied: 12,
      rewound: 2,
      outbox: { facts: 0, max: 10_000 },
      ...given,
    },
    view: () => desk.current,
    accept: (actor) => decide('accept', actor),
    restore: (actor, { replace }) => decide('restore', actor, replace ? { replace } : {}),
  }
  async function decide(word: 'accept' | 'restore', actor: string, options = {}): Promise<void> {
    desk.decided.push({ word, actor, ...options })
    desk.current = { ...desk.current, state: 'following', partitions: { following: 65 }, freshMs: NOW_MS }
  }
  return desk
}

function explainFrom(store: MemoryStore, call: Call) {
  const policy = store.policy()
  if (policy === undefined) throw new ScreeningError('UNAVAILABLE', 'Nothing is loaded yet.')
  const nothing = new Float64Array(0)
  return explain(
    call,
    {
      generation: 1,
      lists: store.lists().map(({ listId, name, kind, activeVersion, active }) => ({
        listId,
        name,
        kind,
        version: activeVersion,
        layers: active.layers.map(({ layerId }) => ({ layerId })),
      })),
      ranges: buildIntervals(nothing, nothing, new Uint32Array(0)),
      rangeList: new Uint16Array(0),
      rangeExpiresMs: nothing,
      numbering: [],
      policy: policy.document,
      policyVersion: policy.version,
      trunks: [
        { name: '', kind: 'unknown', screening: 'enforce', failMode: 'open' },
        { name: 'spb-new', kind: 'national', screening: 'shadow', failMode: 'open' },
      ],
    },
    {
      lookup: store.lookup,
      home: diallingRules('RU'),
      entryDetails: (layerId, number) => store.contents.entry(layerId, number)?.details,
    },
  )
}

async function* iterate(decisions: readonly DecisionEntry[], query: DecisionQuery): AsyncGenerator<DecisionEntry> {
  for (const entry of decisions) {
    if (entry.timeMs < query.sinceMs || entry.timeMs > query.untilMs) continue
    if (query.caller !== undefined && entry.caller !== `+${query.caller}`) continue
    if (query.verdict !== undefined && entry.verdict !== query.verdict) continue
    if (query.verdictId !== undefined && entry.verdictId !== query.verdictId) continue
    yield entry
  }
}

/** Writes a list as one base layer; entries are merged the simplest way there is. */
export async function putEntries(store: MemoryStore, name: string, entries: readonly ListEntry[]): Promise<void> {
  const numbers = entries.filter(({ from, to }) => from === to).sort((a, b) => a.from - b.from)
  const ranges = entries.filter(({ from, to }) => from !== to).sort((a, b) => a.from - b.from || a.to - b.to)
  const dictionary = [...numbers, ...ranges].map(({ details }) => details)
  const contents: LayerContents = {
    numbers: Float64Array.from(numbers, ({ from }) => from),
    numberDetails: Uint32Array.from(numbers, (_, index) => index + 1),
    rangesFrom: Float64Array.from(ranges, ({ from }) => from),
    rangesTo: Float64Array.from(ranges, ({ to }) => to),
    rangeDetails: Uint32Array.from(ranges, (_, index) => numbers.length + index + 1),
    dictionary,
  }
  const layerId = await store.allocateLayer()
  store.contents.putLayer(layerId, contents)
  const layer = { layerId, numberCount: numbers.length, rangeCount: ranges.length }
  const staged = await store.stageVersion(name, { layers: [layer], entryCount: entries.length }, 'test')
  await store.activateVersion(name, staged.version, {}, 'test')
}

function fakeImports(store: MemoryStore, uploads: ControlFixture['uploads'], now: () => number): ImportDesk {
  const records = new Map<string, ImportRecord>()
  const kept = new Map<string, ListEntry[]>()
  function get(importId: string): ImportRecord {
    const record = records.get(importId)
    if (record === undefined) throw new ScreeningError('IMPORT_UNKNOWN', 'There is no import with this id.')
    return record
  }
  async function change(list: string, keep: ListEntry[]): Promise<void> {
    kept.set(list, keep)
    await putEntries(store, list, keep)
  }
  const has = (entries: readonly ListEntry[], one: ListEntry) =>
    entries.some(({ from, to }) => from === one.from && to === one.to)
  return {
    async begin({ list, mode, dryRun, country, spoolPath }, actor) {
      uploads.push({ content: readFileSync(spoolPath, 'utf8'), path: spoolPath, country })
      const counts = {
        rows: 0,
        accepted: 0,
        rejected: 0,
        duplicates: 0,
        added: 0,
        removed: 0,
        unchanged: 0,
        updated: 0,
      }
      const importId = `import-${records.size + 1}`
      const state = dryRun ? 'previewed' : 'queued'
      const record: ImportRecord = {
        importId,
        list,
        mode,
        dryRun,
        state,
        progress: 0,
        counts,
        rejected: [],
        createdMs: now(),
        actor,
        country,
      }
      records.set(importId, record)
      return record
    },
    list: () => [...records.values()].reverse(),
    get,
    async activate(importId, actor, how) {
      const record = get(importId)
      await store.appendAudit({ action: 'import.activate', subject: importId, detail: { ...how } }, actor)
      if (record.state !== 'previewed' && record.state !== 'active') {
        throw new ScreeningError('IMPORT_STATE', `The import is ${record.state}.`)
      }
      record.state = 'active'
      return record
    },
    async cancel(importId) {
      const record = get(importId)
      record.state = 'cancelled'
      return record
    },
    rejectedCsvPath(importId) {
      get(importId)
      return undefined
    },
    async addEntries(list, entries) {
      if (store.list(list) === undefined) throw new ScreeningError('LIST_UNKNOWN', 'There is no such list.')
      const before = kept.get(list) ?? []
      const fresh = entries.filter((entry) => !has(before, entry))
      await change(list, [...before, ...fresh])
      return { added: fresh.length, removed: 0, unchanged: entries.length - fresh.length }
    },
    async removeEntries(list, entries) {
      if (store.list(list) === undefined) throw new ScreeningError('LIST_UNKNOWN', 'There is no such list.')
      const before = kept.get(list) ?? []
      const after = before.filter((entry) => !has(entries, entry))
      await change(list, after)
      return {
        added: 0,
        removed: before.length - after.length,
        unchanged: entries.length - (before.length - after.length),
      }
    },
  }
}

function fakeNumbering(store: MemoryStore, now: () => number): Pick<NumberingDesk, 'import'> {
  return {
    async import({ name, asOfMs }, actor) {
      const layerId = await store.allocateLayer()
      const covers = [{ from: 79000000000, to: 79999999999 }]
      const plan = { name, covers, layerId, rangeCount: 1, asOfMs, importedMs: now() }
      return { ...(await store.putNumberingPlan(plan, actor)), rows: 1, accepted: 1, rejectedCount: 0 }
    },
  }
}
