/** Rows read from the store before the event loop gets a turn: about 5 ms. */
export const ROWS_PER_TURN = 16_384

/** `page` holds `count` numbers, ascending; it is overwritten by the next page. */
export type VisitRows = (page: Float64Array, count: number) => void

/** Calls `visit` for every page that `read` gives (numbers > after, ascending), leaving the event loop a turn after each. */
export async function scanRows(read: (after: number, into: Float64Array) => number, visit: VisitRows): Promise<void> {
  const page = new Float64Array(ROWS_PER_TURN)
  let after = 0
  for (;;) {
    const count = read(after, page)
    visit(page, count)
    if (count < page.length) return
    after = page[count - 1] ?? after
    await nextTurn()
  }
}

/** Whatever else waits for the event loop goes first: a report must not wait for a gate of ten million numbers. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
