import { setTimeout as sleep } from 'node:timers/promises'
import { type KeptConnection, openKeptConnection } from './kept-connection.ts'

/** Asks a node for the verdict of numbers again and again, until it is another one than `allow`. */
export type Watch = {
  /** Begins to ask for a number, under the index of its own. */
  begin(index: number, number: string): void
  /** Numbers that are still asked for. */
  readonly waiting: number
  /** When each was seen, by its index; epoch milliseconds with fractions. */
  readonly seenMs: ReadonlyMap<number, number>
  /** Milliseconds from one question to the next of the same number: a time seen is too large by one at most. */
  readonly steps: readonly number[]
  close(): void
}

const ASK_EVERY_MS = 5
/** Of the time waited already: numbers that come late must not make others late by their questions. */
const STEP_SHARE = 0.05

export async function startWatch(port: number, connections: number): Promise<Watch> {
  const free: KeptConnection[] = []
  for (let i = 0; i < connections; i++) free.push(await openKeptConnection(port))
  const all = [...free]
  const seenMs = new Map<number, number>()
  const steps: number[] = []
  let waiting = 0
  let lost = 0
  let isClosed = false

  async function watch(index: number, number: string): Promise<void> {
    const startMs = performance.now()
    for (let lastMs = 0; !isClosed; ) {
      // In turn: one that rests for long is closed by the node.
      const connection = free.shift()
      if (connection !== undefined) {
        if (lastMs > 0) steps.push(performance.now() - lastMs)
        lastMs = performance.now()
        const decision = await connection.verdict(number)
        free.push(connection)
        if (decision !== 'allow') return void seenMs.set(index, performance.timeOrigin + performance.now())
      }
      await sleep(Math.max(ASK_EVERY_MS, (performance.now() - startMs) * STEP_SHARE))
    }
  }

  return {
    begin(index, number) {
      waiting++
      // A connection that is lost: the number stays unseen, and is counted as such.
      const onLost = (error: unknown) => {
        if (!isClosed && lost++ === 0) process.stderr.write(`not watched any more, the first of them: ${error}\n`)
      }
      void watch(index, number)
        .catch(onLost)
        .finally(() => waiting--)
    },
    get waiting() {
      return waiting
    },
    seenMs,
    steps,
    close() {
      isClosed = true
      for (const connection of all) connection.close()
    },
  }
}
