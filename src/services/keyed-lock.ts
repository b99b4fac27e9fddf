import { ScreeningError } from '../domain/errors.ts'

export type LockOptions = {
  /** Who has not got the turn by then is refused with UNAVAILABLE; whoever nobody waits for is patient (the default). */
  readonly waitMs?: number
}

/** One holder at a time for each key; who comes later waits in order. */
export type KeyedLock = <T>(key: string, work: () => Promise<T>, options?: LockOptions) => Promise<T>

const RETRY_AFTER_SECONDS = 5

export function createKeyedLock(): KeyedLock {
  const tails = new Map<string, Promise<unknown>>()
  return async (key, work, { waitMs } = {}) => {
    const before = tails.get(key) ?? Promise.resolve()
    const turn = waitMs === undefined ? { work, late: undefined } : withDeadline(key, work, waitMs)
    const mine = before.then(turn.work, turn.work)
    // The tail never rejects: whoever waits behind a failure still gets a turn.
    const tail = mine.then(
      () => undefined,
      () => undefined,
    )
    tails.set(key, tail)
    void tail.then(() => {
      if (tails.get(key) === tail) tails.delete(key)
    })
    return await (turn.late === undefined ? mine : Promise.race([mine, turn.late]))
  }
}

/** `work` that does nothing once `late` has rejected, and keeps it from that once it has begun. */
function withDeadline<T>(key: string, work: () => Promise<T>, waitMs: number) {
  let refusal: ScreeningError | undefined
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      refusal = busy(key, waitMs)
      reject(refusal)
    }, waitMs)
  })
  late.catch(() => {})
  const inTime = async () => {
    clearTimeout(timer)
    if (refusal !== undefined) throw refusal
    return work()
  }
  return { work: inTime, late }
}

function busy(key: string, waitMs: number): ScreeningError {
  const message = `Another change of ${key} has gone on for ${waitMs / 1_000} s: nothing was changed by this one.`
  return new ScreeningError('UNAVAILABLE', message, {
    hint: 'Send it again in some seconds; a large import holds its list while it comes into force.',
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  })
}
