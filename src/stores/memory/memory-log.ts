import {
  ACTOR_CHARS_MAX,
  type Actor,
  AUDIT_KEPT,
  type AuditEntry,
  CHANGES_KEPT,
  type Change,
  type DocumentSpace,
  type RecordStore,
} from '../ports.ts'
import { changesTrimmed, type NewChange } from '../record-rules.ts'

export type MemoryLogOptions = { readonly changesKept?: number; readonly auditKept?: number }

/** What the other parts of the fake write to. */
export type MemoryLog = {
  now(): number
  change(change: NewChange): number
  audit(actor: Actor, action: string, subject: string, detail?: AuditEntry['detail']): void
  lastSequence(): number
  readonly reads: Pick<RecordStore, 'lastSequence' | 'oldestSequence' | 'changesAfter' | 'audit' | 'appendAudit'>
}

export function createMemoryLog(options: MemoryLogOptions, dependencies: { now: () => number }): MemoryLog {
  const { changesKept = CHANGES_KEPT, auditKept = AUDIT_KEPT } = options
  const { now } = dependencies
  const changes: Change[] = []
  const entries: AuditEntry[] = []
  let lastChange = 0
  let lastEntry = 0

  const audit: MemoryLog['audit'] = (actor, action, subject, detail) => {
    if (actor.length === 0 || actor.length > ACTOR_CHARS_MAX) {
      throw new RangeError(`An actor has 1 to ${ACTOR_CHARS_MAX} characters, got ${actor.length}.`)
    }
    const entry = { sequence: ++lastEntry, atMs: now(), actor, action, subject }
    entries.push(detail === undefined ? entry : { ...entry, detail })
    if (entries.length > auditKept) entries.shift()
  }
  const oldestSequence = () => changes[0]?.sequence ?? 0

  return {
    now,
    change(change) {
      changes.push({ ...change, sequence: ++lastChange, atMs: now() })
      if (changes.length > changesKept) changes.shift()
      return lastChange
    },
    audit,
    lastSequence: () => lastChange,
    reads: {
      lastSequence: () => lastChange,
      oldestSequence,
      changesAfter(after, limit) {
        if (after < oldestSequence() - 1) throw changesTrimmed(after, oldestSequence())
        // Numbered without a gap: a stream of ten thousand reports must not look through all of them for each.
        const from = Math.max(0, after + 1 - oldestSequence())
        return changes.slice(from, from + limit)
      },
      audit: (limit, before = Number.POSITIVE_INFINITY) =>
        entries
          .filter((entry) => entry.sequence < before)
          .reverse()
          .slice(0, limit),
      appendAudit: async (entry, actor) => audit(actor, entry.action, entry.subject, entry.detail),
    },
  }
}

export function memoryDocuments(): Pick<RecordStore, 'putDocument' | 'document' | 'documents'> {
  const spaces = new Map<DocumentSpace, Map<string, string>>()
  const spaceOf = (space: DocumentSpace): Map<string, string> => {
    const known = spaces.get(space) ?? new Map<string, string>()
    spaces.set(space, known)
    return known
  }
  return {
    // Kept as text: nobody can change a stored document by keeping a reference to it.
    async putDocument(space, key, document) {
      if (document === undefined) spaceOf(space).delete(key)
      else spaceOf(space).set(key, JSON.stringify(document))
    },
    document(space, key) {
      const text = spaceOf(space).get(key)
      return text === undefined ? undefined : JSON.parse(text)
    },
    documents: (space, limit) =>
      [...spaceOf(space)]
        .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        .slice(0, limit)
        .map(([key, text]) => ({ key, document: JSON.parse(text) })),
  }
}
