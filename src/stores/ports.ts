/**
 * What the use cases need from whatever keeps the record: written from them, not from LMDB. Three implementations meet
 * one contract suite (test/contract/): memory (the fake), lmdb (this node is its own record), redis (many nodes; next).
 *
 * Rules every implementation keeps:
 * - An awaited write is durable and has its sequence number in the change log when its promise resolves.
 * - Every write names its actor and lands in the audit log in the same transaction.
 * - Each operation touches one number or one list, so that a cluster can keep it in one slot.
 * - A full disk rejects with STORAGE_FULL, changes nothing, and reads go on.
 */
import type { NumberLookup } from '../domain/lookup.ts'
import type { EntryDetails, ListKind } from '../domain/number-list.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import type { PolicyDocument, PolicyVersion } from '../domain/policy.ts'
import type { Report } from '../domain/report.ts'
import type { Review, ReviewCause, ReviewEvidence, ReviewOutcome } from '../domain/review.ts'
import type { LayerRow, LayerRowWriter, LayerShape, StoredLayer } from './layer-rows.ts'
import type { ReporterReads } from './reporter-reads.ts'

/** Who did it: an API key's name, `cli:<user>`, `switch`, `system`. At most ACTOR_CHARS_MAX characters. */
export type Actor = string
export const ACTOR_CHARS_MAX = 64

// ---------------------------------------------------------------- list contents (lists.mdb)

/**
 * Contents of list versions are immutable layers. A version is one base layer, or a base with one delta layer above it:
 * a single number added to a list of ten million costs one small layer, not a copy of ten million rows.
 */
export type LayerId = number

/** In `details`: no details for this row. */
export const NO_DETAILS = 0
/** In `details`: this row removes the number (or the identical range) from the layer below. */
export const REMOVED = 0xffffffff

/**
 * The contents of one layer in memory. `numbers` ascending and distinct; `ranges` ascending by (from, to) and distinct,
 * from < to. `*Details[i]` is NO_DETAILS, REMOVED or 1 + an index into `dictionary`; a missing array means all NO_DETAILS.
 */
export type LayerContents = {
  readonly numbers: Float64Array
  readonly numberDetails?: Uint32Array
  readonly rangesFrom: Float64Array
  readonly rangesTo: Float64Array
  readonly rangeDetails?: Uint32Array
  readonly dictionary: readonly EntryDetails[]
}

export type PutLayerOptions = {
  /** As in LayerRef; kept with the layer. Missing: unknown. */
  readonly stamp?: number
  /** Gets the share done, 0..1. */
  readonly onProgress?: (share: number) => void
}

/** Synchronous access to list contents; jobs hold a writable one in their thread, everybody else a read-only one. */
export type ListContents = {
  /**
   * Writes a whole layer, durable when it returns. Runs in batches so that other writers get their turn; a layer nobody
   * points to is garbage.
   */
  putLayer(layerId: LayerId, contents: LayerContents, options?: PutLayerOptions): void
  /** Undefined when the layer is not there, or not whole. */
  layer(layerId: LayerId): StoredLayer | undefined
  /** The rows of a whole layer one by one, read as they are asked for. STORAGE_FAILED when it is not there or goes meanwhile. */
  layerRows(layerId: LayerId): Iterable<LayerRow>
  /**
   * Writes a layer from the rows of another store: nothing of it can be read before `finish`. A layer that has this id is
   * dropped by the first write; one writer per id at a time.
   */
  writeLayerRows(layerId: LayerId, shape: LayerShape): LayerRowWriter
  dropLayer(layerId: LayerId): void
  layerIds(): LayerId[]
  /** Fills `into` (and `detailsInto`) with up to into.length numbers > after, ascending. Returns how many. */
  readNumbers(layerId: LayerId, after: number, into: Float64Array, detailsInto?: Uint32Array): number
  /** As readNumbers; `expiresInto` gets when each expires: epoch milliseconds, EXPIRES_NEVER, or EXPIRES_REMOVED (domain/lookup.ts). */
  readExpiries(layerId: LayerId, after: number, into: Float64Array, expiresInto: Float64Array): number
  /** All ranges of a layer (at most INTERVALS_MAX) with their dictionary. `numbers` is empty. */
  readRanges(layerId: LayerId): LayerContents
  dictionary(layerId: LayerId): readonly EntryDetails[]
  /** Undefined: not in the layer. `removed`: a delta takes it away. */
  entry(layerId: LayerId, number: PhoneNumber): { removed: boolean; details: EntryDetails } | undefined
  close(): Promise<void>
}

// ---------------------------------------------------------------- records (live.mdb)

export type LayerRef = {
  readonly layerId: LayerId
  readonly numberCount: number
  readonly rangeCount: number
  /**
   * 32 random bits that name these contents: a layer id may come again after a backup was restored, and a gate file of the
   * first must not pass for the second's. Missing: 0.
   */
  readonly stamp?: number
}

export type ListVersion = {
  readonly version: number
  /** Newest first: [delta, base] or [base]. Empty: the empty list. */
  readonly layers: readonly LayerRef[]
  /** Rows on the list in this version. */
  readonly entryCount: number
  readonly createdMs: number
  readonly actor: Actor
  readonly importId?: string
  readonly note?: string
}

export type ListRecord = {
  /** 1..65535, never reused: stands in decision logs. */
  readonly listId: number
  readonly name: string
  readonly kind: ListKind
  readonly title: string
  readonly createdMs: number
  /** 0: no version active yet (empty). */
  readonly activeVersion: number
  readonly active: ListVersion
}

export type NewListVersion = {
  readonly layers: readonly LayerRef[]
  readonly entryCount: number
  readonly importId?: string
  readonly note?: string
}

/** A numbering plan: inside `covers`, a number outside every range of the layer cannot exist. */
export type NumberingPlan = {
  readonly name: string
  readonly covers: readonly { readonly from: number; readonly to: number }[]
  readonly layerId: LayerId
  readonly rangeCount: number
  /** As in LayerRef. */
  readonly stamp?: number
  /** The day the plan describes, epoch milliseconds: older than the policy's staleAfterDays only flags. */
  readonly asOfMs: number
  readonly importedMs: number
  readonly version: number
}

export type AppendReportResult = {
  /**
   * `recorded`: counted. `repeated`: this reportId is known. `same-reporter`: kept, but counts once with an earlier one.
   * `queued`: kept on this node's disk until Redis can be reached; the sequence is the newest one before it.
   */
  readonly outcome: 'recorded' | 'repeated' | 'same-reporter' | 'queued'
  readonly sequence: number
  readonly report: Report
}

/** One change, in order. Everything a verdict process needs to follow the record; contents are read from the store. */
export type Change = { readonly sequence: number; readonly atMs: number } & (
  | { readonly kind: 'report'; readonly number: PhoneNumber }
  | { readonly kind: 'list'; readonly name: string; readonly version: number }
  | { readonly kind: 'policy'; readonly version: number }
  | { readonly kind: 'numbering'; readonly name: string; readonly version: number }
  | { readonly kind: 'review'; readonly reviewId: string }
)

export type AuditEntry = {
  readonly sequence: number
  readonly atMs: number
  readonly actor: Actor
  /** Dotted, e.g. `list.activate`, `report.append`, `policy.put`. */
  readonly action: string
  /** What it was done to: a list name, an import id, a report id. Never a phone number. */
  readonly subject: string
  readonly detail?: Readonly<Record<string, string | number | boolean>>
}

/** Small documents the services keep by key (imports, answers to idempotent writes). Bounded by the services. */
export const DOCUMENT_SPACES = ['imports', 'idempotency'] as const
export type DocumentSpace = (typeof DOCUMENT_SPACES)[number]

export type RecordStore = ReporterReads & {
  // reports
  appendReport(report: Report, actor: Actor): Promise<AppendReportResult>
  report(reportId: string): Report | undefined
  /** Newest first. */
  reportsOf(number: PhoneNumber, limit: number): Report[]
  /** A copy of the stored reputation record (domain/reputation.ts). */
  reputationOf(number: PhoneNumber): DataView | undefined
  /** Numbers with a reputation record > after, ascending: fills `into`, returns how many. */
  readReputationNumbers(after: number, into: Float64Array): number

  // lists
  /** Creates the list or changes its title. LIST_KIND_CONFLICT when it exists with another kind, LISTS_TOO_MANY beyond LISTS_MAX. */
  putList(
    list: { name: string; kind: ListKind; title: string },
    actor: Actor,
  ): Promise<{ list: ListRecord; created: boolean }>
  lists(): ListRecord[]
  list(name: string): ListRecord | undefined
  /** Oldest first; at most VERSIONS_KEPT are kept, older ones drop off with their unshared layers. */
  versions(name: string): ListVersion[]
  /** Reserves a layer id nobody had before. */
  allocateLayer(): Promise<LayerId>
  /** Adds a version without activating it: "staged". */
  stageVersion(name: string, version: NewListVersion, actor: Actor): Promise<ListVersion>
  /**
   * Makes a version the active one, in one commit. Rejects with LIST_CHANGED when `expectedActive` is given and is not
   * the active version any more, VERSION_UNKNOWN when there is no such version. Activating the active one changes nothing.
   */
  activateVersion(
    name: string,
    version: number,
    options: { expectedActive?: number },
    actor: Actor,
  ): Promise<{ list: ListRecord; sequence: number }>
  /** Layers that any kept version or numbering plan points to: everything else in ListContents is garbage. */
  layersInUse(): Set<LayerId>

  // numbering
  putNumberingPlan(
    plan: Omit<NumberingPlan, 'version'>,
    actor: Actor,
  ): Promise<{ plan: NumberingPlan; sequence: number }>
  numberingPlans(): NumberingPlan[]

  // policy
  /** POLICY_CHANGED when `expectedVersion` is given and is not the current one. */
  putPolicy(
    policy: { text: string; document: PolicyDocument },
    options: { expectedVersion?: number },
    actor: Actor,
  ): Promise<{ policy: PolicyVersion; sequence: number }>
  policy(): PolicyVersion | undefined
  policyVersions(limit: number): PolicyVersion[]

  // reviews
  openReview(
    review: { number: PhoneNumber; cause: ReviewCause; score: number; atMs: number; evidence?: ReviewEvidence },
    actor: Actor,
  ): Promise<{ review: Review; opened: boolean }>
  /** Whoever reported the number is believed more or less from now on (domain/reporter.ts), unless it was dismissed. */
  closeReview(
    reviewId: string,
    result: { outcome: ReviewOutcome; note?: string; atMs: number },
    actor: Actor,
  ): Promise<Review>
  review(reviewId: string): Review | undefined
  reviewOf(number: PhoneNumber): Review | undefined
  /** Open ones highest score first, closed ones newest first. */
  reviews(state: 'open' | 'closed', limit: number): Review[]

  // change log: numbers without gaps; at least CHANGES_KEPT of the newest are kept
  lastSequence(): number
  /** The oldest change still kept, 0 when there is none. A follower that knows less than the one before it reads all anew. */
  oldestSequence(): number
  /** Changes with sequence > after, in order. Throws CHANGES_TRIMMED when changes after `after` are not kept any more. */
  changesAfter(after: number, limit: number): Change[]

  // audit log
  appendAudit(entry: { action: string; subject: string; detail?: AuditEntry['detail'] }, actor: Actor): Promise<void>
  /** Newest first; entries with sequence < before when given. */
  audit(limit: number, before?: number): AuditEntry[]

  // documents
  /** A missing `document` deletes. */
  putDocument(space: DocumentSpace, key: string, document: unknown): Promise<void>
  document(space: DocumentSpace, key: string): unknown
  /** Ascending by key. */
  documents(space: DocumentSpace, limit: number): { key: string; document: unknown }[]

  close(): Promise<void>
}

/** What a verdict process opens: the record read-only, list contents read-only, and one lookup per thread. */
export type VerdictStore = Pick<
  RecordStore,
  | 'lists'
  | 'list'
  | 'policy'
  | 'numberingPlans'
  | 'changesAfter'
  | 'lastSequence'
  | 'oldestSequence'
  | 'readReputationNumbers'
  | 'reputationOf'
  | 'close'
> & { readonly contents: ListContents; readonly lookup: NumberLookup }

/** Versions of a list that stay restorable: the active one and the newest others. */
export const VERSIONS_KEPT = 20
/** About 80 bytes a change; at 25,000 reports a month more than three years, at one change a millisecond 16 minutes. */
export const CHANGES_KEPT = 1_000_000
/** About 150 bytes an entry. */
export const AUDIT_KEPT = 1_000_000
/** Policy versions that can be read back. */
export const POLICY_VERSIONS_KEPT = 1_000
/** More open reviews than anybody can look at: openReview rejects with QUEUE_FULL. */
export const REVIEWS_OPEN_MAX = 100_000
/** Closed reviews kept: the oldest drop off. */
export const REVIEWS_CLOSED_KEPT = 100_000
