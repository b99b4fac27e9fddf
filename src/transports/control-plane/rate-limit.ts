import { ScreeningError } from '../../domain/errors.ts'

export type RateLimitOptions = {
  /** Sustained writes a second of one actor. */
  readonly perSecond: number
  /** Writes that may come at once after a pause. */
  readonly burst: number
}

/** A token bucket per actor; there are as many actors as configured keys. Throws RATE_LIMITED. */
export function createRateLimit(
  options: RateLimitOptions,
  deps: { readonly now: () => number },
): (actor: string) => void {
  const buckets = new Map<string, { tokens: number; atMs: number }>()
  return (actor) => {
    const nowMs = deps.now()
    const bucket = buckets.get(actor) ?? { tokens: options.burst, atMs: nowMs }
    buckets.set(actor, bucket)
    const gained = (Math.max(0, nowMs - bucket.atMs) / 1_000) * options.perSecond
    bucket.tokens = Math.min(options.burst, bucket.tokens + gained)
    bucket.atMs = nowMs
    if (bucket.tokens < 1) {
      const retryAfterSeconds = Math.max(1, Math.ceil((1 - bucket.tokens) / options.perSecond))
      throw new ScreeningError('RATE_LIMITED', `More than ${options.perSecond} writes a second with one key.`, {
        retryAfterSeconds,
      })
    }
    bucket.tokens -= 1
  }
}
