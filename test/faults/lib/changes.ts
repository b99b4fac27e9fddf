import { setTimeout as sleep } from 'node:timers/promises'
import { ask, importList, Refusal, type Target } from './api.ts'
import { LISTS, numberIn, SWAPPED, swappedRows, WRITTEN_MARK } from './numbers.ts'

/** What was acknowledged to the writer, by the words of the acknowledgement. What got no answer may be there or not. */
export type Acknowledged = {
  readonly reports: { reportId: string; number: string; state: string }[]
  /** The last that was acknowledged of each number; `undefined` when something later got no answer. */
  readonly entries: Map<string, 'added' | 'removed' | undefined>
  readonly policies: { version: number; text: string }[]
  readonly reviews: { reviewId: string; outcome: string }[]
  imports: number
  /** Of the list that is replaced as a whole: the newest that an import said to be active. */
  importedVersion: number
}

/** `words`: the first few refusals in full. */
export type ChangesTaken = {
  acknowledged: number
  queued: number
  refused: Record<string, number>
  unanswered: number
  words: string[]
}

export type Changes = {
  readonly acknowledged: Acknowledged
  /** Counts since the last taking. */
  take(): ChangesTaken
  stop(): Promise<void>
}

export type ChangesOptions = {
  /** Changes of one kind wait so long between two. */
  readonly pauseMs: {
    readonly report: number
    readonly entry: number
    readonly import: number
    readonly policy: number
    readonly review: number
  }
  /** Makes the numbers of this writer its own. */
  readonly seed: number
  /** Writers at once review numbers of their own: the first is this one. */
  readonly reviewsFrom?: number
  /** Called around the reports that make a number blocked; not again when one of them waits for Redis. */
  readonly onReported: (number: string, isKnown: boolean) => void
}

/** About as much as a busy fraud desk, and imports without end. */
export const BUSY: ChangesOptions['pauseMs'] = { report: 20, entry: 300, import: 700, policy: 2_000, review: 300 }

/** Distinct reporters that block a number by the shipped policy (reports.blockReporters). */
export const REPORTERS_TO_BLOCK = 5
/** After a failure: not a storm of new attempts. */
const RETRY_MS = 50
const WORDS_KEPT = 5

export function startChanges(options: ChangesOptions, target: Target, policyText: string): Changes {
  const { seed, pauseMs } = options
  const acknowledged: Acknowledged = {
    reports: [],
    entries: new Map(),
    policies: [],
    reviews: [],
    imports: 0,
    importedVersion: 0,
  }
  let taken: ChangesTaken = { acknowledged: 0, queued: 0, refused: {}, unanswered: 0, words: [] }
  let stopped = false

  /** Repeats a change until stopped; one that throws is counted and not acknowledged. */
  async function repeat(waitMs: number, change: (index: number) => Promise<void>): Promise<void> {
    for (let index = 0; !stopped; index++) {
      try {
        await change(index)
        taken.acknowledged++
        await sleep(waitMs)
      } catch (error) {
        if (taken.words.length < WORDS_KEPT || isRare(error)) taken.words.push(String(error).slice(0, 500))
        if (error instanceof Refusal) taken.refused[error.code] = (taken.refused[error.code] ?? 0) + 1
        else taken.unanswered++
        await sleep(RETRY_MS)
      }
    }
  }

  /** The first of a code. */
  function isRare(error: unknown): boolean {
    return error instanceof Refusal && taken.refused[error.code] === undefined
  }

  async function report(index: number): Promise<void> {
    const number = numberIn('reported', seed + Math.floor(index / REPORTERS_TO_BLOCK))
    const nth = index % REPORTERS_TO_BLOCK
    if (nth === 0) options.onReported(number, false)
    // Everybody reports once: people who always report the same numbers count as one.
    const body = { number, channel: 'hotline', scenario: 'bank', reporter: `r-${seed}-${index}` }
    const { reportId, state } = await ask<{ reportId: string; state: string }>(target, 'POST', '/v1/reports', body)
    acknowledged.reports.push({ reportId, number, state })
    if (state === 'queued') taken.queued++
    const known = acknowledged.reports.filter((report) => report.number === number)
    const isRecorded = known.every((report) => report.state !== 'queued')
    if (known.length === REPORTERS_TO_BLOCK && isRecorded) options.onReported(number, true)
  }

  /** Two are added, then one of them is taken off again. */
  async function entry(index: number): Promise<void> {
    const isRemoval = index % 3 === 2
    const number = numberIn('written', seed + (isRemoval ? index - 1 : index))
    acknowledged.entries.set(number, undefined)
    const method = isRemoval ? 'DELETE' : 'POST'
    const path = `/v1/lists/${LISTS.written}/entries`
    const { unchanged } = await ask<{ unchanged: number }>(target, method, path, { entries: [{ number }] })
    // Nothing was written: an earlier change of the number, of which nothing is known, may still be on its way.
    if (unchanged === 0) acknowledged.entries.set(number, isRemoval ? 'removed' : 'added')
  }

  async function swap(index: number): Promise<void> {
    const version = await importList(target, SWAPPED, swappedRows(index % 2 === 0 ? 'b' : 'a'), 'replace')
    acknowledged.imports++
    acknowledged.importedVersion = Math.max(acknowledged.importedVersion, version)
  }

  async function policy(index: number): Promise<void> {
    const text = `${policyText}\n# ${WRITTEN_MARK} ${seed} ${index}\n`
    const { version } = await ask<{ version: number }>(target, 'PUT', '/v1/policy', { text })
    acknowledged.policies.push({ version, text })
  }

  async function review(index: number): Promise<void> {
    const number = numberIn('reviewed', (options.reviewsFrom ?? 0) + index)
    const body = { number, channel: 'hotline', scenario: 'bank', reporter: `v-${seed}-${index}` }
    const made = await ask<{ reportId: string; state: string; reviewId?: string }>(target, 'POST', '/v1/reports', body)
    acknowledged.reports.push({ reportId: made.reportId, number, state: made.state })
    if (made.reviewId === undefined) return
    await ask(target, 'POST', `/v1/reviews/${made.reviewId}`, { outcome: 'dismissed' })
    acknowledged.reviews.push({ reviewId: made.reviewId, outcome: 'dismissed' })
  }

  const work = [
    repeat(pauseMs.report, report),
    repeat(pauseMs.entry, entry),
    repeat(pauseMs.import, swap),
    repeat(pauseMs.policy, policy),
    repeat(pauseMs.review, review),
  ]
  return {
    acknowledged,
    take() {
      const result = taken
      taken = { acknowledged: 0, queued: 0, refused: {}, unanswered: 0, words: [] }
      return result
    },
    async stop() {
      stopped = true
      await Promise.all(work)
    },
  }
}
