import { createHash } from 'node:crypto'
import { ScreeningError } from '../domain/errors.ts'
import type { Actor, RecordStore } from '../stores/ports.ts'

/**
 * `Idempotency-Key` on writes (IETF draft-ietf-httpapi-idempotency-key-header): a client that got no answer sends the
 * same request with the same key and gets the answer of the first one; nothing happens twice.
 *
 * Only successes are kept: a refused write had no effect, so trying it again is right. Kept answers survive a restart;
 * which requests are under way is known to this process only, and it is the only one that writes.
 */
export type IdempotentWrites = {
  /**
   * Undefined: this request is the first, and the caller must end it with `keep` or `forget`. Otherwise the answer to
   * replay. Throws IDEMPOTENCY_IN_FLIGHT (the first one is not done yet) or IDEMPOTENCY_CONFLICT (another request had
   * this key).
   */
  begin(write: KeyedWrite): KeptAnswer | undefined
  keep(write: KeyedWrite, answer: KeptAnswer): Promise<void>
  forget(write: KeyedWrite): void
}

export type KeyedWrite = {
  readonly actor: Actor
  readonly key: string
  /** Hash of method, path, query and body: the same key on another request is a mistake. */
  readonly fingerprint: string
}

export type KeptAnswer = {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

type KeptDocument = KeptAnswer & { readonly fingerprint: string; readonly atMs: number }

export type IdempotentWritesOptions = {
  readonly keptMax: number
  readonly keptMs: number
}

/** A day of retries at one write every 9 s; about 1 KB each, 10 MB in all. */
export const IDEMPOTENCY_KEPT_MAX = 10_000
export const IDEMPOTENCY_KEPT_MS = 24 * 3_600_000
export const IDEMPOTENCY_KEY_CHARS_MAX = 255
/** Larger answers are not kept: the retry runs again. No write of ours answers with more than a few KB. */
const ANSWER_CHARS_MAX = 65_536

export function createIdempotentWrites(
  options: IdempotentWritesOptions,
  deps: { readonly store: Pick<RecordStore, 'document' | 'documents' | 'putDocument'>; readonly now: () => number },
): IdempotentWrites {
  const inFlight = new Map<string, string>()
  const keptAtMs = loadKept(options, deps.store)

  async function evict(): Promise<void> {
    const expiredBeforeMs = deps.now() - options.keptMs
    // A Map keeps insertion order, and answers are kept in order of time: the oldest come first.
    for (const [id, atMs] of keptAtMs) {
      if (atMs > expiredBeforeMs && keptAtMs.size <= options.keptMax) return
      keptAtMs.delete(id)
      await deps.store.putDocument('idempotency', id, undefined)
    }
  }

  return {
    begin(write) {
      const id = idOf(write)
      const running = inFlight.get(id)
      if (running !== undefined) {
        if (running !== write.fingerprint) throw conflict()
        throw new ScreeningError(
          'IDEMPOTENCY_IN_FLIGHT',
          'The first request with this Idempotency-Key is not done yet.',
          {
            hint: 'Wait a second and send the same request again.',
            retryAfterSeconds: 1,
          },
        )
      }
      const kept = deps.store.document('idempotency', id)
      if (isKept(kept) && kept.atMs > deps.now() - options.keptMs) {
        if (kept.fingerprint !== write.fingerprint) throw conflict()
        return { status: kept.status, headers: kept.headers, body: kept.body }
      }
      inFlight.set(id, write.fingerprint)
      return undefined
    },
    async keep(write, answer) {
      const id = idOf(write)
      try {
        if (answer.body.length > ANSWER_CHARS_MAX) return
        const document: KeptDocument = { ...answer, fingerprint: write.fingerprint, atMs: deps.now() }
        await deps.store.putDocument('idempotency', id, document)
        keptAtMs.delete(id)
        keptAtMs.set(id, document.atMs)
        await evict()
      } finally {
        inFlight.delete(id)
      }
    },
    forget(write) {
      inFlight.delete(idOf(write))
    },
  }
}

function idOf({ actor, key }: KeyedWrite): string {
  return createHash('sha256').update(`${actor}\0${key}`).digest('hex')
}

function conflict(): ScreeningError {
  return new ScreeningError('IDEMPOTENCY_CONFLICT', 'This Idempotency-Key was used for a different request.', {
    hint: 'Use a new key for every new request, and the old one only to repeat the very same request.',
  })
}

function isKept(document: unknown): document is KeptDocument {
  return typeof document === 'object' && document !== null && 'fingerprint' in document && 'atMs' in document
}

function loadKept(options: IdempotentWritesOptions, store: Pick<RecordStore, 'documents'>): Map<string, number> {
  // One more than the bound: what is beyond it goes with the next write.
  const kept: [string, number][] = []
  for (const { key, document } of store.documents('idempotency', options.keptMax + 1)) {
    if (isKept(document)) kept.push([key, document.atMs])
  }
  return new Map(kept.sort((a, b) => a[1] - b[1]))
}
