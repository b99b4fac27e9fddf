import { ScreeningError } from '../../domain/errors.ts'
import { type OpenRecordOptions, openRecord } from './open-record.ts'
import { unavailable } from './redis-errors.ts'
import type { RedisLine, RedisLink } from './redis-link.ts'

export type ConfirmOptions = Pick<OpenRecordOptions, 'pseudonymCheck'> & {
  readonly known: string
  readonly everyMs?: number
}

export type ConfirmDependencies = {
  readonly onConfirmed: () => void
  /** Each time the answer is another one than before, its first time included; not for UNAVAILABLE. */
  readonly onRefused: (error: ScreeningError) => void
}

/** Soon enough for whoever has just mended Redis; one small read each. */
const EVERY_MS = 1_000

/**
 * The link of a node that started although Redis could not be asked which record it holds. It asks until it knows, and
 * until then nothing else goes through: this may be another record, or one with other pseudonyms. Calls are refused with
 * what came back last, so that it is seen as the state of the record. A record whose key is lost lets them through: there
 * is nothing to compare, and an operator may want to restore it.
 */
export function confirmRecord(
  link: RedisLink,
  { known, pseudonymCheck, everyMs = EVERY_MS }: ConfirmOptions,
  { onConfirmed, onRefused }: ConfirmDependencies,
): RedisLink {
  let isClosed = false
  let timer: NodeJS.Timeout | undefined
  let asking: Promise<void> | undefined
  let refusal: ScreeningError | undefined = unavailable('opening the record', `${link.shown} was not asked yet`)

  async function ask(): Promise<void> {
    try {
      await openRecord(link, { known, pseudonymCheck, mayCreate: false })
      refusal = undefined
      if (!isClosed) onConfirmed()
    } catch (error) {
      const before = refusal?.message
      refusal = error instanceof ScreeningError ? error : unavailable('opening the record', String(error), error)
      if (isClosed) return
      if (refusal.code !== 'UNAVAILABLE' && refusal.message !== before) onRefused(refusal)
      timer = setTimeout(askOnce, everyMs)
    }
  }
  function askOnce(): Promise<void> {
    asking ??= ask().finally(() => {
      asking = undefined
    })
    return asking
  }
  void askOnce()

  function guarded(line: RedisLine): RedisLine['call'] {
    return async (doing, exchange) => {
      if (refusal !== undefined && refusal.code !== 'RECORD_LOST') throw refusal
      return await line.call(doing, exchange)
    }
  }

  return {
    ...link,
    call: guarded(link),
    bulk() {
      const line = link.bulk()
      return { client: line.client, call: guarded(line) }
    },
    unconfirmed: {
      link,
      async confirm() {
        // An answer that is under way may be older than what has just changed.
        await asking
        if (refusal === undefined) return
        clearTimeout(timer)
        await askOnce()
      },
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      link.close()
    },
  }
}
