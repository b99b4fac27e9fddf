import { setImmediate as nextTurn } from 'node:timers/promises'

/** Runs to the end, with a turn of the event loop after each step. */
export async function inSlices<Result>(steps: Generator<undefined, Result>): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
    await nextTurn()
  }
}
