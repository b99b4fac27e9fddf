import type { Say } from '../lib/run-bench.ts'
import type { MeasureId } from './measures.ts'

/** One figure of the table of measures. */
export type Measured = {
  /** In the unit of the measure; of several rounds their median. */
  readonly value: number
  /** Of single rounds. */
  readonly range?: readonly [least: number, most: number]
  readonly rounds?: number
  /** What the figure leaves out: a smaller size than the row names, a noisy opponent. */
  readonly note?: string
}

/** A table for people, in the document and on the terminal. Cells are text or figures that are rounded already. */
export type ResultTable = {
  readonly title: string
  readonly head: readonly string[]
  readonly rows: readonly (readonly (string | number)[])[]
  /** One paragraph below it: how it was measured, what it does not say. */
  readonly note?: string
}

export type ResultChart = {
  /** File name without ending: docs/charts/<name>.svg. */
  readonly name: string
  /** What a reader who cannot see it should know. */
  readonly alt: string
  readonly svg: string
}

export type PartResult = {
  readonly measured: { readonly [id in MeasureId]?: Measured }
  readonly tables: readonly ResultTable[]
  readonly charts?: readonly ResultChart[]
  /** Everything behind it: rounds, sizes, seeds. */
  readonly raw: Readonly<Record<string, unknown>>
}

/** A part of the suite: `npm run bench -- <name> [--quick]`. */
export type Part = {
  readonly about: string
  /** Of the full form, on two cores; three times as long ends it. */
  readonly minutes: number
  readonly run: (options: PartOptions) => Promise<PartResult>
}

export type PartOptions = { readonly quick: boolean; readonly say: Say; readonly flags: readonly string[] }
