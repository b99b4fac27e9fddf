/** Verdicts are under 1 KiB; views for that many lengths are kept, because making one takes longer than filling it. */
const VIEWS_KEPT = 2_048

/** Memory that answers are written to, one after the other, on their way to a socket. */
export type AnswerMemory = {
  readonly bytes: Buffer
  /** Its first bytes, valid until the next answer. */
  first(length: number): Uint8Array
}

export function createAnswerMemory(length: number): AnswerMemory {
  const bytes = Buffer.from(new ArrayBuffer(length))
  // Of full length: an array that begins in the middle may become a table of keys, which is slower.
  const views: (Uint8Array | undefined)[] = Array.from({ length: VIEWS_KEPT })
  return {
    bytes,
    first(count) {
      if (count >= VIEWS_KEPT) return bytes.subarray(0, count)
      const view = views[count] ?? bytes.subarray(0, count)
      views[count] = view
      return view
    },
  }
}
