import type { Call } from '../domain/call-event.ts'
import type { DiallingRules } from '../domain/dialling-rules.ts'
import type { ImportMode, ImportRecord } from '../domain/import.ts'
import type { ListEntry } from '../domain/number-list.ts'
import { parsePhoneNumber } from '../domain/parse-phone-number.ts'
import { parsePolicy } from '../domain/parse-policy.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { Trunk } from '../domain/trunk.ts'
import type { Explanation } from '../engine/explain.ts'
import type { NumberBehaviour } from '../engine/number-behaviour.ts'
import { createExpiryParser } from '../jobs/parse-expiry.ts'
import type { Actor, ListContents, NumberingPlan, RecordStore } from '../stores/ports.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { RecordState } from '../telemetry/record-metrics.ts'
import {
  createReportIntake,
  REPORT_INTAKE_DEFAULTS,
  type ReportIntake,
  type ReportIntakeDependencies,
} from './accept-report.ts'
import { createCallerStanding } from './caller-standing.ts'
import { createPolicyDesk, type PolicyDesk, type YamlCodec } from './change-policy.ts'
import type { ClockDesk } from './clock-desk.ts'
import { type CallExplainer, createCallExplainer } from './explain-call.ts'
import {
  createIdempotentWrites,
  IDEMPOTENCY_KEPT_MAX,
  IDEMPOTENCY_KEPT_MS,
  type IdempotentWrites,
} from './idempotent-writes.ts'
import { createListMembership } from './list-membership.ts'
import { createNumberDesk, NUMBER_DESK_DEFAULTS, type NumberDesk } from './look-up-number.ts'
import { createListDesk, type ListDesk } from './manage-lists.ts'
import { createGoodCalls, GOOD_CALLS_DEFAULTS, type GoodCalls } from './note-good-calls.ts'
import { type EntryBody, parseEntries } from './parse-entry.ts'
import { createPseudonyms } from './pseudonym.ts'
import { embeddedRecordDesk, type RecordDesk } from './record-desk.ts'
import {
  createRehearsalDesk,
  REHEARSALS_RUNNING_MAX,
  type RehearsalDesk,
  type RehearsalDeskDependencies,
} from './rehearsal-desk.ts'
import { createPolicyRehearsal, DECISIONS_REHEARSED_MAX } from './rehearse-policy.ts'
import { createReviewDesk, type ReviewDesk } from './review-number.ts'
import { createDecisionSearch, type DecisionLogReader, type DecisionSearch } from './search-decisions.ts'

/** Everything the control plane can do, as its transport sees it: one small desk per use case. */
export type ControlServices = {
  readonly reports: ReportIntake
  readonly goodCalls: GoodCalls
  readonly lists: ListDesk
  readonly entries: EntryDesk
  readonly imports: ImportDesk
  readonly numbering: NumberingDesk
  readonly numbers: NumberDesk
  readonly reviews: ReviewDesk & Pick<RecordStore, 'review' | 'reviews'>
  readonly explainer: CallExplainer
  readonly policy: PolicyDesk & {
    current(): ReturnType<RecordStore['policy']>
    versions: RecordStore['policyVersions']
  }
  readonly rehearsal: RehearsalDesk
  readonly decisions: DecisionSearch
  readonly audit: RecordStore['audit']
  readonly idempotency: IdempotentWrites
  readonly record: RecordDesk
  readonly clock: ClockDesk
  /** What gauges show. */
  recordState(): RecordState
}

/** Uploads of lists (services/import-list.ts). */
export type ImportDesk = {
  /** Takes over the spooled file at `path`, whatever happens. Rejects with LIST_UNKNOWN, QUEUE_FULL. */
  begin(
    request: { list: string; mode: ImportMode; dryRun: boolean; country: string; spoolPath: string },
    actor: Actor,
  ): Promise<ImportRecord>
  /** Newest first. */
  list(): ImportRecord[]
  /** Throws IMPORT_UNKNOWN. */
  get(importId: string): ImportRecord
  /**
   * `mustBeSecond`: what is held is not activated by whoever uploaded it (SECOND_PERSON_NEEDED). Rejects with
   * IMPORT_UNKNOWN, IMPORT_STATE, LIST_CHANGED.
   */
  activate(importId: string, actor: Actor, how?: { readonly mustBeSecond: boolean }): Promise<ImportRecord>
  cancel(importId: string, actor: Actor): Promise<ImportRecord>
  /** Undefined: there is none (yet). Throws IMPORT_UNKNOWN. */
  rejectedCsvPath(importId: string): string | undefined
  /** `isReviewed`: a person has looked at these very numbers, so they are not refused with ENTRIES_NEED_PREVIEW. */
  addEntries(
    list: string,
    entries: readonly ListEntry[],
    actor: Actor,
    how?: { readonly isReviewed: boolean },
  ): Promise<EntriesChanged>
  removeEntries(list: string, entries: readonly ListEntry[], actor: Actor): Promise<EntriesChanged>
}

type EntriesChanged = { readonly added: number; readonly removed: number; readonly unchanged: number }

/** Uploads of numbering plans (services/import-numbering.ts). */
export type NumberingDesk = {
  plans(): NumberingPlan[]
  import(
    request: { name: string; country: string; asOfMs: number; spoolPath: string; covers?: readonly string[] },
    actor: Actor,
  ): Promise<NumberingImported>
}
export type NumberingImported = {
  readonly plan: NumberingPlan
  readonly rows: number
  readonly accepted: number
  readonly rejectedCount: number
}

type EntryDesk = {
  /** Reads and writes a few entries, in force everywhere when it resolves. Rejects with NUMBER_INVALID, BODY_INVALID, LIST_UNKNOWN. */
  change(list: string, how: 'add' | 'remove', bodies: readonly EntryBody[], actor: Actor): Promise<EntriesChanged>
}

export type ControlServicesOptions = {
  readonly home: DiallingRules
  /** IANA name: when the day of a bare expiry date ends. */
  readonly timeZone: string
  /** The pseudonym key, 16 bytes or more. */
  readonly pseudonymKey: Uint8Array
  /** The registered ones; none when left out. */
  readonly trunks?: readonly Trunk[]
}

export type ControlServicesDependencies = {
  readonly store: RecordStore
  readonly contents: ListContents
  readonly imports: ImportDesk
  readonly numbering: Pick<NumberingDesk, 'import'>
  /** Left out: the node is its own record. */
  readonly record?: RecordDesk
  readonly clock: ClockDesk
  /** Resolves when every verdict process has applied changes up to this one, or after a short bound. */
  readonly notify: (sequence: number) => Promise<void>
  /** The same for a report, which needs less: its number in every gate. */
  readonly notifyReport: (sequence: number) => Promise<void>
  /** Left out: nobody remembers calls, and reports are taken as they are. */
  readonly callMatch?: ReportIntakeDependencies['callMatch']
  readonly standingOf?: ReportIntakeDependencies['standingOf']
  readonly decisionLog: DecisionLogReader
  /** engine/explain.ts over the newest state of the record. */
  readonly explain: (call: Call) => Promise<Explanation>
  /** What verdict processes remember of a number; undefined when none answers. */
  readonly behaviourOf: (number: PhoneNumber) => Promise<NumberBehaviour | undefined>
  readonly trunkIndex: (name: string | undefined) => number
  /** Replays recorded events in a thread of its own. */
  readonly rehearseEvents: RehearsalDeskDependencies['rehearseEvents']
  readonly yaml: YamlCodec
  readonly metrics: Pick<Metrics, 'reports'>
  readonly now: () => number
}

/** A gauge that counts further says no more: the queue is too long either way. */
const REVIEWS_COUNTED_MAX = 10_000

export function createControlServices(
  options: ControlServicesOptions,
  deps: ControlServicesDependencies,
): ControlServices {
  const { store, contents, imports, notify, now } = deps
  const { home } = options
  const entryRules = { home, expiry: createExpiryParser(options.timeZone) }
  const parse = (text: string | null | undefined) => parsePhoneNumber(text, home, 'call')
  const pseudonyms = createPseudonyms({ key: options.pseudonymKey }, { parse })
  const membership = createListMembership({ store, contents })
  const listName = (listId: number) => store.lists().find((list) => list.listId === listId)?.name ?? ''
  const decisions = createDecisionSearch({ log: deps.decisionLog, listName })
  const policyDesk = createPolicyDesk({ store, yaml: deps.yaml, parsePolicy, notify })
  const unscreened = options.trunks?.filter((trunk) => trunk.screening === 'off').map((trunk) => trunk.name) ?? []
  const standing = createCallerStanding({
    membership,
    isReported: (number) => store.reputationOf(number) !== undefined,
    parse,
    now,
  })
  const rehearsal = createPolicyRehearsal(
    { decisionsMax: DECISIONS_REHEARSED_MAX },
    {
      log: deps.decisionLog,
      listName,
      standing,
      policy: () => store.policy()?.document,
      parse,
      isScreened: (trunk) => !unscreened.includes(trunk),
      home,
    },
  )
  const intakeDeps = {
    store,
    pseudonyms,
    membership,
    parse,
    callMatch: deps.callMatch ?? (async () => 'unknown' as const),
    standingOf: deps.standingOf ?? (async () => 'unknown' as const),
    notify: deps.notifyReport,
    now,
    metrics: deps.metrics.reports,
  }
  const addEntries = (list: string, entries: readonly ListEntry[], actor: Actor) =>
    imports.addEntries(list, entries, actor, { isReviewed: true })
  const desk = createReviewDesk({ store, membership, addEntries, notify, now })
  return {
    reports: createReportIntake(REPORT_INTAKE_DEFAULTS, intakeDeps),
    goodCalls: createGoodCalls(GOOD_CALLS_DEFAULTS, { store, pseudonyms, notify: deps.notifyReport, now }),
    lists: createListDesk({ store, contents, notify }),
    entries: {
      async change(list, how, bodies, actor) {
        const entries = parseEntries(bodies, entryRules)
        const changed =
          how === 'add'
            ? await imports.addEntries(list, entries, actor)
            : await imports.removeEntries(list, entries, actor)
        await notify(store.lastSequence())
        return changed
      },
    },
    imports,
    numbering: {
      plans: () => store.numberingPlans(),
      import: (request, actor) => deps.numbering.import(request, actor),
    },
    numbers: createNumberDesk(NUMBER_DESK_DEFAULTS, {
      store,
      membership,
      decisions,
      behaviourOf: deps.behaviourOf,
      parse,
      now,
    }),
    reviews: { ...desk, review: (id) => store.review(id), reviews: (state, limit) => store.reviews(state, limit) },
    explainer: createCallExplainer({ explain: deps.explain, trunkIndex: deps.trunkIndex, parse, now }),
    policy: { ...policyDesk, current: () => store.policy(), versions: (limit) => store.policyVersions(limit) },
    rehearsal: createRehearsalDesk(
      { home, runningMax: REHEARSALS_RUNNING_MAX },
      {
        rehearsal,
        rehearseEvents: deps.rehearseEvents,
        standing,
        read: policyDesk.read,
        current: () => store.policy(),
      },
    ),
    decisions,
    audit: (limit, before) => store.audit(limit, before),
    idempotency: createIdempotentWrites({ keptMax: IDEMPOTENCY_KEPT_MAX, keptMs: IDEMPOTENCY_KEPT_MS }, { store, now }),
    record: deps.record ?? embeddedRecordDesk,
    clock: deps.clock,
    recordState: () => recordStateOf(store),
  }
}

function recordStateOf(store: RecordStore): RecordState {
  return {
    lists: store.lists().map((list) => ({
      name: list.name,
      kind: list.kind,
      entryCount: list.active.entryCount,
      version: list.activeVersion,
    })),
    plans: store.numberingPlans().map(({ name, asOfMs }) => ({ name, asOfMs })),
    policyVersion: store.policy()?.version ?? 0,
    reviewsOpen: store.reviews('open', REVIEWS_COUNTED_MAX).length,
    lastSequence: store.lastSequence(),
  }
}
