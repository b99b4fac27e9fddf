import type { Problem } from './problem.ts'

/**
 * A body over the limit is still read and thrown away up to this much more, so that the client reads the 413 instead of
 * a broken connection; beyond it the connection is cut.
 */
export const DISCARDED_BYTES_MAX = 4 * 1024 * 1024

const FIRST_BYTES = 4 * 1024

/** Joins the chunks of a body up to a limit: one growing buffer, so that a million tiny chunks cost no more than one. */
export class BodyCollector {
  readonly #bytesMax: number
  #buffer = new Uint8Array(0)
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  add(chunk: Uint8Array): void {
    const bytes = this.#bytes + chunk.byteLength
    if (bytes <= this.#bytesMax) {
      if (bytes > this.#buffer.byteLength) this.#grow(bytes)
      this.#buffer.set(chunk, this.#bytes)
    } else {
      this.#buffer = new Uint8Array(0)
    }
    this.#bytes = bytes
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(Math.min(this.#bytesMax, Math.max(bytes, 2 * this.#buffer.byteLength, FIRST_BYTES)))
    larger.set(this.#buffer.subarray(0, this.#bytes))
    this.#buffer = larger
  }

  get isTooLarge(): boolean {
    return this.#bytes > this.#bytesMax
  }

  /** Not even worth throwing away. */
  get isHopeless(): boolean {
    return this.#bytes > this.#bytesMax + DISCARDED_BYTES_MAX
  }

  body(): Uint8Array {
    return this.#buffer.subarray(0, this.#bytes)
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
