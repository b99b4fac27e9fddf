/**
 * What the control process asks of a job thread about lists, and what it gets back: plain data that crosses
 * postMessage. This file is all that services/ and the jobs share.
 */
import type { ErrorCode, ScreeningErrorDetails } from '../domain/errors.ts'
import type { ImportCounts, ImportImpact, ImportMode, RejectedRow } from '../domain/import.ts'
import type { ListEntry, ListKind } from '../domain/number-list.ts'
import type { LayerId, LayerRef } from '../stores/ports.ts'

/** A layer of list contents as a version points to it. */
export type JobLayer = LayerRef

/** A version to build on: its layers, newest first, and its rows. */
export type JobVersion = { readonly layers: readonly JobLayer[]; readonly entryCount: number }

/** An allow or protected list that an upload is held against. */
export type JobList = { readonly name: string; readonly kind: ListKind; readonly layers: readonly JobLayer[] }

export type ImportLimits = {
  readonly bytesMax: number
  readonly rowsMax: number
  /** A row that covers a larger share of a calling code's numbers of one length is refused as too-wide. */
  readonly rowShareMax: number
  /** A change after which the list's ranges cover a larger share of any calling code is refused with IMPORT_TOO_WIDE. */
  readonly listShareMax: number
  /** A change after which the list has more entries is refused with IMPORT_TOO_LARGE. */
  readonly entriesMax: number
}

/** 20 M rows: 160 MB of sorted numbers, twice the largest list we are measured with. */
const ROWS_MAX = 20_000_000
/**
 * 1.6 GB while a version is built, and half of what one gate for everything holds without fewer bits a number
 * (shm/gate-merge.ts, 358 M): twice the largest list we are measured with.
 */
export const LIST_ENTRIES_MAX = 200_000_000
/** A tenth: 10^9 numbers where national numbers have ten digits, such as all of +79. */
const ROW_SHARE_MAX = 0.1
/** Half of a country's numbers: nobody lists that much on purpose, and ten one-digit prefixes would be all of them. */
const LIST_SHARE_MAX = 0.5

export const IMPORT_LIMITS: ImportLimits = {
  bytesMax: 2 ** 31,
  rowsMax: ROWS_MAX,
  rowShareMax: ROW_SHARE_MAX,
  listShareMax: LIST_SHARE_MAX,
  entriesMax: LIST_ENTRIES_MAX,
}

/** The sending end of a MessagePort. */
export type ProgressPort = { postMessage(message: JobProgress): void }

/** Shared word 0 of `control`: the job stops at its next check when it is not 0. */
export const CONTROL_CANCEL = 0
export const CONTROL_BYTES = 4

/** Parses an upload, compares it with the active version and writes the layer that would make the new version. */
export type StageImportJob = {
  readonly kind: 'stage-import'
  readonly spoolPath: string
  readonly rejectedPath: string
  readonly mode: ImportMode
  /** ISO 3166-1 alpha-2: how numbers without + are read. */
  readonly country: string
  /** IANA name: when the day of a bare expiry date ends. */
  readonly timeZone: string
  /** The new layer's id, reserved for this job alone. */
  readonly layerId: number
  readonly active: JobVersion
  readonly heldAgainst: readonly JobList[]
  readonly limits: ImportLimits
  readonly nowMs: number
  readonly control: SharedArrayBuffer
  /** Gets JobProgress messages, at most ten a second. */
  readonly progress?: ProgressPort
}

export type StageImportResult = {
  readonly counts: ImportCounts
  readonly rejected: RejectedRow[]
  readonly impact: ImportImpact
  /** The layers of the new version, newest first; `written` says whether layerId is among them. */
  readonly layers: readonly JobLayer[]
  readonly entryCount: number
  readonly written: boolean
}

/**
 * In the details of IMPORT_EMPTY when every row was refused: what the import record shows of such a file. The refused rows
 * may be whole numbers, so they belong into the record alone.
 */
export type RefusedUpload = {
  readonly counts: Pick<ImportCounts, 'rows' | 'accepted' | 'rejected' | 'duplicates'>
  readonly rejected: readonly RejectedRow[]
}

export type JobProgress = { readonly progress: number; readonly counts?: Partial<ImportCounts> }

/** Adds or takes away a few entries: at most CHANGE_ENTRIES_MAX. */
export type ChangeEntriesJob = {
  readonly kind: 'change-entries'
  readonly mode: 'append' | 'remove'
  readonly entries: readonly ListEntry[]
  readonly layerId: number
  readonly active: JobVersion
  /** Lists to look for clashes in; undefined: nobody asks what the change would do to calls. */
  readonly heldAgainst?: readonly JobList[]
  readonly nowMs: number
}

/** One request of the entries API. Beyond it the upload is the way: it shows progress. */
export const CHANGE_ENTRIES_MAX = 10_000

export type ChangeEntriesResult = {
  readonly layers: readonly JobLayer[]
  readonly entryCount: number
  readonly added: number
  readonly removed: number
  readonly unchanged: number
  /** Of the unchanged, those whose reason, source or expiry became another. */
  readonly updated: number
  /** False: the list says all that already, no layer was written. */
  readonly written: boolean
  /** What the entries would do to calls, when that was asked. */
  readonly impact?: ImportImpact
}

/**
 * Puts entries that changed while an import was being built above what it built: `built` was made from `builtOn`, and
 * `active` differs from `builtOn` in its delta layer only.
 */
export type RebaseImportJob = {
  readonly kind: 'rebase-import'
  readonly built: JobVersion
  readonly builtOn: JobVersion
  readonly active: JobVersion
  readonly layerId: number
  readonly nowMs: number
}

/** Reads a regulator's range file into a layer of allocated ranges. */
export type ImportNumberingJob = {
  readonly kind: 'import-numbering'
  readonly path: string
  /** Where a copy of all refused rows goes. */
  readonly rejectedPath: string
  /** Digits of the country code the file's national numbers stand under, e.g. `7`. */
  readonly callingCode: string
  /**
   * Prefixes with the country code, digits only, that the plan covers: `79`. Then no row may be refused. Default: the
   * codes in the file but those that a refused row may belong to.
   */
  readonly covers?: readonly string[]
  readonly layerId: number
  readonly bytesMax: number
}

export type ImportNumberingResult = {
  readonly layer: JobLayer
  readonly rows: number
  readonly accepted: number
  readonly rejected: RejectedRow[]
  readonly rejectedCount: number
  /** The national codes of the file as ranges of whole numbers, merged. */
  readonly covers: readonly { readonly from: number; readonly to: number }[]
  /** How many numbers the merged ranges hold. */
  readonly numbers: number
}

/** Removes layers nobody points to, their gate files, and files of imports nobody remembers. */
export type CleanListsJob = {
  readonly kind: 'clean-lists'
  readonly keepLayers: readonly LayerId[]
  /** Layers with a greater id were reserved later and are left alone. */
  readonly layerIdMax: LayerId
  /** File names in imports/ to keep; undefined: leave that folder alone. */
  readonly keepFiles?: readonly string[]
  /** Files in imports/ to remove, e.g. the spool of a finished import. */
  readonly removeFiles?: readonly string[]
}

export type CleanListsResult = {
  readonly layersDropped: number
  /** Garbage that a full disk did not let go. */
  readonly layersLeft: number
  readonly filesRemoved: number
  /** Files left in imports/, with their size. */
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

/** Makes an uploaded file durable before anybody is told that it will be imported. */
export type KeepSpoolJob = { readonly kind: 'keep-spool'; readonly spoolPath: string }

export type KeepSpoolResult = { readonly bytes: number }

/** Copies a layer of this node to the layers that all nodes share. Repeating it does no harm. */
export type PushLayerJob = {
  readonly kind: 'push-layer'
  readonly layer: JobLayer
  readonly control: SharedArrayBuffer
  readonly progress?: ProgressPort
}

export type PushLayerResult = { readonly outcome: 'pushed' | 'present' }

/** Copies a shared layer to this node, with its gate file. Repeating it does no harm. */
export type FetchLayerJob = {
  readonly kind: 'fetch-layer'
  readonly layer: JobLayer
  readonly control: SharedArrayBuffer
  readonly progress?: ProgressPort
}

/** `present`: this node had it. `gone`: it is not shared (yet, or any more). */
export type FetchLayerResult = { readonly outcome: 'fetched' | 'present' | 'gone' }

export type ListJob =
  | StageImportJob
  | ChangeEntriesJob
  | RebaseImportJob
  | ImportNumberingJob
  | CleanListsJob
  | KeepSpoolJob
  | PushLayerJob
  | FetchLayerJob

export type ListJobResults = {
  'stage-import': StageImportResult
  'change-entries': ChangeEntriesResult
  'rebase-import': ChangeEntriesResult
  'import-numbering': ImportNumberingResult
  'clean-lists': CleanListsResult
  'keep-spool': KeepSpoolResult
  'push-layer': PushLayerResult
  'fetch-layer': FetchLayerResult
}

/** A ScreeningError loses its code on the way between threads, so a job answers with one or the other. */
export type JobOutcome<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false
      readonly code: ErrorCode | 'CANCELLED'
      readonly message: string
      readonly details: ScreeningErrorDetails
    }
