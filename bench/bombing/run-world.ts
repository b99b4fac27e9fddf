import type { PhoneNumber } from '../../src/domain/phone-number.ts'
import { createAnalysts } from './analysts.ts'
import { createRandom } from './random.ts'
import { createRawCounting } from './raw-counting.ts'
import { createScreening, numberOf } from './screening.ts'
import { DAY_MS, END_MS, type ReportEvent, WORLD, type World } from './world.ts'

/** Of n things, those of which it is true. */
export type Share = { readonly count: number; readonly n: number }

export type Outcome = {
  readonly targetsBlocked: Share
  readonly targetsFlagged: Share
  readonly bystandersBlocked: Share
  readonly fraudNumbersBlocked: Share
  readonly fraudCallsBlocked: Share
  /** By number and moment: calls of fraud numbers that were blocked. */
  readonly blockedProbes: ReadonlyMap<string, number>
}

export type WorldOutcome = {
  readonly reports: number
  readonly colludingReports: number
  readonly reviewsDecided: number
  readonly ours: Outcome
  readonly raw: Outcome
  /** Raw counting with every "not spam" taken off. */
  readonly net: Outcome
  readonly microsecondsPerReport: number
}

/** Moments of a fraud number's life at which its next call is judged. */
const PROBES = 20
/** A wrongly blocked caller appeals within a day, or finds another way. */
const APPEALS = { share: 0.5, withinMs: DAY_MS } as const

type Event =
  | { readonly atMs: number; readonly kind: 'report'; readonly report: ReportEvent }
  | { readonly atMs: number; readonly kind: 'probe'; readonly number: string; readonly calls: number }
  | { readonly atMs: number; readonly kind: 'analysts' }

function eventsOf(world: World, colluding: readonly ReportEvent[]): Event[] {
  const events: Event[] = [...world.honest, ...colluding].map((report) => ({
    atMs: report.atMs,
    kind: 'report',
    report,
  }))
  for (const { number, fromMs, untilMs, calls } of world.fraud.values()) {
    for (let probe = 0; probe < PROBES; probe++) {
      const atMs = fromMs + ((probe + 0.5) / PROBES) * (untilMs - fromMs)
      events.push({ atMs, kind: 'probe', number, calls: calls / PROBES })
    }
  }
  for (let day = 0; day < WORLD.days; day++) {
    events.push({ atMs: WORLD.startMs + day * DAY_MS + DAY_MS / 2, kind: 'analysts' })
  }
  return events.filter(({ atMs }) => atMs < END_MS).sort((a, b) => a.atMs - b.atMs)
}

/** Who has been blocked or flagged by one way of judging. */
class Tally {
  readonly blocked = new Set<string>()
  readonly flagged = new Set<string>()
  readonly blockedProbes = new Map<string, number>()
  #calls = 0
  #callsBlocked = 0

  note(number: string, verdict: string): void {
    if (verdict === 'block') this.blocked.add(number)
    if (verdict !== 'allow') this.flagged.add(number)
  }

  probe(number: string, atMs: number, calls: number, isBlocked: boolean): void {
    this.#calls += calls
    if (!isBlocked) return
    this.#callsBlocked += calls
    this.blockedProbes.set(`${number} ${atMs}`, calls)
    this.blocked.add(number)
  }

  outcome(world: World): Outcome {
    const targets = new Set(world.targets.map(({ number }) => number))
    const isBystander = (number: string) => world.legitimate.has(number) && !targets.has(number)
    const count = (of: ReadonlySet<string>, is: (number: string) => boolean) => [...of].filter(is).length
    return {
      targetsBlocked: { count: count(this.blocked, (one) => targets.has(one)), n: targets.size },
      targetsFlagged: { count: count(this.flagged, (one) => targets.has(one)), n: targets.size },
      bystandersBlocked: { count: count(this.blocked, isBystander), n: WORLD.bystanders },
      fraudNumbersBlocked: { count: count(this.blocked, (one) => world.fraud.has(one)), n: world.fraud.size },
      fraudCallsBlocked: { count: Math.round(this.#callsBlocked), n: Math.round(this.#calls) },
      blockedProbes: this.blockedProbes,
    }
  }
}

export type RunOptions = {
  readonly seed: number
  /** Of the reporters a block needs, so many must be known to have been called (DoubtRules). */
  readonly corroboratedMin: number
}

export async function runWorld(
  world: World,
  colluding: readonly ReportEvent[],
  { seed, corroboratedMin }: RunOptions,
): Promise<WorldOutcome> {
  const screening = createScreening(world, corroboratedMin)
  const { store } = screening
  const random = createRandom(seed ^ 0x2c1b3c6d)
  const raw = createRawCounting()
  const tallies = { ours: new Tally(), raw: new Tally(), net: new Tally() }
  const textOf = new Map<PhoneNumber, string>()
  const talkedAbout = new Set<PhoneNumber>()
  const appeals: { atMs: number; number: PhoneNumber }[] = []
  let reviewsDecided = 0
  let reports = 0
  let reportMs = 0
  const analysts = createAnalysts({
    store,
    random,
    isFraud: (number) => world.fraud.has(textOf.get(number)!),
    close: async (reviewId, outcome) => {
      await screening.close(reviewId, outcome)
      reviewsDecided++
    },
  })

  async function report(event: ReportEvent): Promise<void> {
    const started = performance.now()
    const { reputation } = await screening.report(event)
    reportMs += performance.now() - started
    reports++
    raw.note(event)
    const number = numberOf(event.number)
    textOf.set(number, event.number)
    if ((reputation?.reporters ?? 0) >= 3) talkedAbout.add(number)
    if (!world.legitimate.has(event.number)) return
    const wasBlocked = tallies.ours.blocked.has(event.number)
    tallies.ours.note(event.number, screening.verdict(number))
    tallies.raw.note(event.number, raw.isBlocked(event.number, event.atMs) ? 'block' : 'allow')
    tallies.net.note(event.number, raw.isBlockedNet(event.number, event.atMs) ? 'block' : 'allow')
    const isNewlyBlocked = !wasBlocked && tallies.ours.blocked.has(event.number)
    if (isNewlyBlocked && random.chance(APPEALS.share)) {
      appeals.push({ atMs: event.atMs + random.between(0, APPEALS.withinMs), number })
    }
  }

  async function workDay(nowMs: number): Promise<void> {
    for (const { number } of appeals.filter(({ atMs }) => atMs <= nowMs)) {
      await store.openReview({ number, cause: 'appeal', score: 100, atMs: nowMs - DAY_MS / 2 }, 'system')
    }
    appeals.splice(0, appeals.length, ...appeals.filter(({ atMs }) => atMs > nowMs))
    await analysts.work(nowMs, talkedAbout)
    talkedAbout.clear()
  }

  for (const event of eventsOf(world, colluding)) {
    screening.setTime(event.atMs)
    if (event.kind === 'report') await report(event.report)
    else if (event.kind === 'analysts') await workDay(event.atMs)
    else {
      const { number, calls, atMs } = event
      tallies.ours.probe(number, atMs, calls, screening.verdict(numberOf(number)) === 'block')
      tallies.raw.probe(number, atMs, calls, raw.isBlocked(number, atMs))
      tallies.net.probe(number, atMs, calls, raw.isBlockedNet(number, atMs))
    }
  }
  return {
    reports,
    colludingReports: colluding.length,
    reviewsDecided,
    ours: tallies.ours.outcome(world),
    raw: tallies.raw.outcome(world),
    net: tallies.net.outcome(world),
    microsecondsPerReport: Math.round((1_000 * reportMs) / Math.max(1, reports)),
  }
}
