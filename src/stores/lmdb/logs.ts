/** The change log, the audit log, and the small documents of the services. */
import { type AuditEntry, type Change, DOCUMENT_SPACES, type DocumentSpace, type RecordStore } from '../ports.ts'
import { changesTrimmed } from '../record-rules.ts'
import { type CommitQueue, firstSequenceIn, lastSequenceIn } from './commit-queue.ts'
import type { Environment } from './environment.ts'
import { KEY_PREFIX_BYTES, LIVE_SPACE, makeKey, textPart, u64Part } from './keys.ts'
import { decodeJson, encodeJson } from './values.ts'

export type LogReads = Pick<
  RecordStore,
  'lastSequence' | 'oldestSequence' | 'changesAfter' | 'audit' | 'document' | 'documents'
>
export type DocumentWrites = Pick<RecordStore, 'putDocument'>

/** Rows removed in one transaction while a log is cut down to a smaller bound. */
const TRIM_ROWS = 10_000

const spaceKey = (space: DocumentSpace) => makeKey(LIVE_SPACE.document, { u8: DOCUMENT_SPACES.indexOf(space) + 1 })
const documentKey = (space: DocumentSpace, key: string) =>
  makeKey(LIVE_SPACE.document, { u8: DOCUMENT_SPACES.indexOf(space) + 1 }, { text: key })

export function logReads(environment: Environment): LogReads {
  return {
    lastSequence() {
      environment.refresh()
      return lastSequenceIn(environment, LIVE_SPACE.change)
    },
    oldestSequence() {
      environment.refresh()
      return firstSequenceIn(environment, LIVE_SPACE.change)
    },
    changesAfter(after, limit) {
      environment.refresh()
      return readChanges(environment, after, limit)
    },
    audit(limit, before) {
      environment.refresh()
      const entries: AuditEntry[] = []
      const beyond = before === undefined ? {} : { beyond: makeKey(LIVE_SPACE.audit, { u64: Math.max(0, before) }) }
      environment.scan({ prefix: makeKey(LIVE_SPACE.audit), reverse: true, limit, ...beyond }, (key, value) => {
        entries.push({ sequence: u64Part(key, KEY_PREFIX_BYTES), ...decodeJson<Omit<AuditEntry, 'sequence'>>(value) })
      })
      return entries
    },
    document(space, key) {
      environment.refresh()
      return environment.json<unknown>(documentKey(space, key))
    },
    documents(space, limit) {
      environment.refresh()
      const documents: { key: string; document: unknown }[] = []
      environment.scan({ prefix: spaceKey(space), limit }, (key, value) => {
        documents.push({ key: textPart(key, KEY_PREFIX_BYTES + 1), document: decodeJson<unknown>(value) })
      })
      return documents
    },
  }
}

export function documentWrites(queue: CommitQueue): DocumentWrites {
  return {
    putDocument: (space, key, document) =>
      queue.run((writes) => {
        if (document === undefined) writes.remove(documentKey(space, key))
        else writes.put(documentKey(space, key), encodeJson(document))
      }),
  }
}

/** Cuts a log down to `kept` rows, for when the bound has become smaller; appending keeps it there. */
export function trimLog(environment: Environment, space: number, kept: number): void {
  const firstKept = lastSequenceIn(environment, space) - kept + 1
  for (;;) {
    const keys: Buffer[] = []
    environment.scan({ prefix: makeKey(space), limit: TRIM_ROWS }, (key) => {
      if (u64Part(key, KEY_PREFIX_BYTES) < firstKept) keys.push(Buffer.from(key))
    })
    if (keys.length === 0) return
    environment.db.transactionSync(() => {
      for (const key of keys) environment.db.remove(key)
    })
    environment.refresh()
  }
}

function readChanges(environment: Environment, after: number, limit: number): Change[] {
  const oldest = firstSequenceIn(environment, LIVE_SPACE.change)
  if (after < oldest - 1) throw changesTrimmed(after, oldest)
  const changes: Change[] = []
  const beyond = makeKey(LIVE_SPACE.change, { u64: Math.max(0, after) })
  environment.scan({ prefix: makeKey(LIVE_SPACE.change), beyond, limit }, (key, value) => {
    const sequence = u64Part(key, KEY_PREFIX_BYTES)
    // Spreading a union loses which member it is; the row was written as one.
    changes.push({ ...decodeJson<Change>(value), sequence })
  })
  return changes
}
