import type { Capability } from './capabilities.ts'
import type { World } from './world.ts'

/**
 * One fault: what is done, what is expected, and how to do it. A new one is a file in cases/ and a line in cases/index.ts.
 * `run` does it and says what it saw: `world.figure` for a figure of the report, `world.expect` for what must hold. It may
 * throw, which fails the case; what it started or changed is undone for it.
 */
export type FaultCase = {
  /** As in the fault matrix: A10. */
  readonly id: string
  readonly what: string
  /** A full sentence, read by whoever looks at the table. */
  readonly expected: string
  readonly needs: readonly Capability[]
  /** Its quick form takes some seconds and runs in `npm test`. */
  readonly isCheap?: boolean
  /** Takes `world.count` itself (rounds in one world); others are run that many times. */
  readonly countsItself?: boolean
  run(world: World): Promise<void>
}

export type Figure = number | string
export type Failure = { readonly expected: string; readonly got: string }

/** One row of the table and of the file. */
export type CaseResult = {
  readonly id: string
  readonly what: string
  readonly expected: string
  readonly outcome: 'passed' | 'failed' | 'skipped'
  /** Why it was skipped. */
  readonly why?: string
  readonly figures: Readonly<Record<string, Figure>>
  readonly failures: readonly Failure[]
  readonly seconds: number
}
