import type { Problem } from './problem.ts'

/**
 * A body over the limit is still read and thrown away up to this much more, so that the client reads the 413 instead of
 * a broken connection; beyond it the connection is cut.
 */
export const DISCARDED_BYTES_MAX = 4 * 1024 * 1024

/** Room for 64 batches of full size at once, whatever the number of connections; a batch is complete in milliseconds. */
const BODIES_BYTES_MAX = 64 * 1024 * 1024

const FIRST_BYTES = 4 * 1024
const NO_BYTES = new Uint8Array(0)

/** The memory that the unfinished bodies of one server share. */
export type BodyMemory = { usedBytes: number; readonly bytesMax: number }

export function createBodyMemory(bytesMax = BODIES_BYTES_MAX): BodyMemory {
  return { usedBytes: 0, bytesMax }
}

/**
 * Joins the chunks of a body up to a limit: one growing buffer, so that a million tiny chunks cost no more than one. Must
 * be released when the request is over, however it ends.
 */
export class BodyCollector {
  readonly #bytesMax: number
  readonly #memory: BodyMemory
  #buffer = NO_BYTES
  #bytes = 0
  #isCrowdedOut = false

  constructor(bytesMax: number, memory: BodyMemory) {
    this.#bytesMax = bytesMax
    this.#memory = memory
  }

  add(chunk: Uint8Array): void {
    const at = this.#bytes
    this.#bytes += chunk.byteLength
    if (!this.#isTooLarge && !this.#isCrowdedOut && this.#hasRoomFor(this.#bytes)) this.#buffer.set(chunk, at)
    else this.release()
  }

  #hasRoomFor(bytes: number): boolean {
    if (bytes <= this.#buffer.byteLength) return true
    const capacity = Math.min(this.#bytesMax, Math.max(bytes, 2 * this.#buffer.byteLength, FIRST_BYTES))
    const usedBytes = this.#memory.usedBytes + capacity - this.#buffer.byteLength
    this.#isCrowdedOut = usedBytes > this.#memory.bytesMax
    if (this.#isCrowdedOut) return false
    const larger = new Uint8Array(capacity)
    larger.set(this.#buffer)
    this.#buffer = larger
    this.#memory.usedBytes = usedBytes
    return true
  }

  get #isTooLarge(): boolean {
    return this.#bytes > this.#bytesMax
  }

  /** Why there is no body to read; undefined when there is one. */
  get problem(): Problem | undefined {
    if (this.#isTooLarge) return bodyTooLarge(this.#bytesMax)
    return this.#isCrowdedOut ? CROWDED_OUT : undefined
  }

  /** Not even worth throwing away. */
  get isHopeless(): boolean {
    return this.#bytes > this.#bytesMax + DISCARDED_BYTES_MAX
  }

  body(): Uint8Array {
    return this.#buffer.subarray(0, this.#bytes)
  }

  /** Gives the memory back; what was `body` is gone. Any number of times. */
  release(): void {
    this.#memory.usedBytes -= this.#buffer.byteLength
    this.#buffer = NO_BYTES
  }
}

/** The refusal of a body over the limit of its path. */
export function bodyTooLarge(bytesMax: number): Problem {
  return {
    code: 'BODY_TOO_LARGE',
    detail: `The body is larger than the ${bytesMax} bytes this path reads.`,
    hint: 'One event is at most 16 KiB, a batch at most 1 MiB and 1,000 events: send several batches.',
  }
}

const CROWDED_OUT: Problem = {
  code: 'QUEUE_FULL',
  detail: 'The bodies that other connections have begun to send take all the memory they may.',
  hint: 'Let the call through and ask again; send each body at once, and batches over few connections.',
  retryAfterSeconds: 1,
}
