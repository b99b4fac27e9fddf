import { randomBytes } from 'node:crypto'
import { ScreeningError } from '../domain/errors.ts'
import type { ImportMode, ImportRecord } from '../domain/import.ts'
import type { Actor, LayerRef, RecordStore } from '../stores/ports.ts'
import type { ApprovedImport } from './hold-import.ts'

/** Imports that are remembered. Beyond it the oldest finished one is forgotten, with its file of rejected rows. */
export const IMPORTS_KEPT = 1_000
/** Previews and held imports that wait for somebody, each with its spool file; beyond it the oldest is cancelled. */
export const IMPORTS_WAITING_MAX = 32

/** An import as it is stored: the record plus what is needed to go on with it. */
export type StoredImport = {
  record: ImportRecord
  /** File name in imports/. */
  readonly spool: string
  readonly spoolBytes: number
  /** How often a job was started for it. */
  attempts: number
  /**
   * What was built and waits to be activated, and the version it was built on. It becomes a version only then: previews
   * must not push versions that can be restored out of the list's history.
   */
  waiting?: {
    layers: readonly LayerRef[]
    entryCount: number
    builtOn: { version: number; layers: readonly LayerRef[]; entryCount: number }
  }
  /** Begun, and not known to be done: gone on with until it is, whatever Redis does meanwhile. */
  activation?: {
    actor: Actor
    /** Newest entry of the change log before it. */
    since: number
    /** What the person who activates has seen; undefined when it becomes active by itself. */
    approved?: ApprovedImport | undefined
  }
}

export type ImportRecords = {
  /** Throws IMPORT_UNKNOWN. */
  get(importId: string): StoredImport
  has(importId: string): boolean
  /** Newest first. */
  all(): StoredImport[]
  /** Stores it; awaited, it survives a crash. Forgets the oldest finished ones beyond IMPORTS_KEPT and returns them. */
  put(stored: StoredImport): Promise<StoredImport[]>
}

/** An import that nothing was done for yet. */
export function newImport(
  request: { list: string; mode: ImportMode; dryRun: boolean; country: string },
  { actor, spool, spoolBytes, nowMs }: { actor: Actor; spool: string; spoolBytes: number; nowMs: number },
): StoredImport {
  const { list, mode, dryRun, country } = request
  const counts = { rows: 0, accepted: 0, rejected: 0, duplicates: 0, added: 0, removed: 0, unchanged: 0, updated: 0 }
  // Ascending with time: documents are kept in the order of their keys.
  const importId = `imp-${nowMs.toString(36).padStart(9, '0')}-${randomBytes(4).toString('hex')}`
  const record: ImportRecord = {
    importId,
    list,
    mode,
    dryRun,
    state: 'queued',
    progress: 0,
    counts,
    rejected: [],
    createdMs: nowMs,
    actor,
    country,
  }
  return { record, spool, spoolBytes, attempts: 0 }
}

export function isFinished({ record }: StoredImport): boolean {
  return record.state === 'active' || record.state === 'failed' || record.state === 'cancelled'
}

export function isWaiting({ record }: StoredImport): boolean {
  return record.state === 'previewed' || record.state === 'held'
}

/** File name in imports/ of the rows that were refused. */
export function rejectedFile(importId: string): string {
  return `${importId}.rejected.csv`
}

/** `failed`: an upload of which no row could be taken over has been read to its end as well. */
const STATES_WITH_FINDINGS = ['previewed', 'held', 'activating', 'active', 'failed'] as const

/** Once it is read, and as long as the import may still be or is in force. */
export function hasRejectedFile({ state, counts }: ImportRecord): boolean {
  return counts.rejected > 0 && (STATES_WITH_FINDINGS as readonly string[]).includes(state)
}

/** Names in imports/ of files that nothing needs once `stored` came to rest and the `forgotten` are forgotten. */
export function filesNotNeeded(stored: StoredImport, forgotten: readonly StoredImport[]): string[] {
  return [
    ...forgotten.map(({ record }) => rejectedFile(record.importId)),
    ...(isFinished(stored) ? [stored.spool] : []),
    ...(hasRejectedFile(stored.record) ? [] : [rejectedFile(stored.record.importId)]),
  ]
}

/** All records are in memory too: a thousand of them, about 10 KB each at the most. */
export function createImportRecords(store: Pick<RecordStore, 'putDocument' | 'documents'>): ImportRecords {
  const byId = new Map<string, StoredImport>()
  for (const { key, document } of store.documents('imports', 2 * IMPORTS_KEPT)) byId.set(key, document as StoredImport)

  return {
    get(importId) {
      const stored = byId.get(importId)
      if (stored === undefined) throw new ScreeningError('IMPORT_UNKNOWN', 'There is no import with this id.')
      return stored
    },
    has: (importId) => byId.has(importId),
    all: () => [...byId.values()].reverse(),
    async put(stored) {
      const { importId } = stored.record
      byId.set(importId, stored)
      await store.putDocument('imports', importId, structuredClone(stored))
      const forgotten: StoredImport[] = []
      for (const old of byId.values()) {
        if (byId.size - forgotten.length <= IMPORTS_KEPT) break
        if (isFinished(old)) forgotten.push(old)
      }
      for (const { record } of forgotten) {
        byId.delete(record.importId)
        await store.putDocument('imports', record.importId, undefined)
      }
      return forgotten
    },
  }
}
