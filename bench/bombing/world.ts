/**
 * Numbers, people and what they report in thirty days. The honest part is drawn from the seed alone, so that a run with
 * colluders and one without see the same victims; every figure that shapes it stands in WORLD.
 */
import type { CallHistory } from '../../src/domain/number-standing.ts'
import type { Channel, Opinion } from '../../src/domain/report.ts'
import { createRandom, type Random } from './random.ts'

export const DAY_MS = 86_400_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

export const WORLD = {
  startMs: Date.UTC(2026, 0, 5),
  days: 30,
  /** People whom any of these numbers may call. */
  subscribers: 1_000_000,
  honestReporters: 2_000,
  fraudNumbers: 1_500,
  /** How many calls, how long a number is used, and how many of the called report it. */
  fraudCalls: { median: 150, sigma: 0.8, max: 5_000 },
  fraudDays: { median: 2, sigma: 1, max: 25 },
  fraudAnswered: 0.35,
  reportingShare: 0.04,
  /** Of fraud numbers, those that keep people talking, and the share of their answered calls that are long; the others'. */
  talkers: { share: 0.2, long: 0.2, otherLong: 0.03 },
  /** Reports that name a legitimate number that did call: a nuisance, a mistake. */
  wrongShare: 0.03,
  /** Reports of people the network cannot recognise: an opaque id instead of a telephone number. */
  opaqueShare: 0.3,
  /** Legitimate numbers: years in use, answered calls a week, and how many of those are long. */
  legitimateAgeDays: 730,
  legitimateWeek: { median: 40, sigma: 1.2, max: 20_000 },
  brief: { share: 0.15, long: 0.07, otherLong: [0.2, 0.5] },
  /** Beside the bombed ones. */
  bystanders: 2_000,
} as const

export type LegitimateNumber = {
  readonly number: string
  readonly bornMs: number
  readonly answeredPerDay: number
  readonly longShare: number
}
export type FraudNumber = {
  readonly number: string
  readonly fromMs: number
  readonly untilMs: number
  readonly calls: number
  readonly longShare: number
}

export type ReportEvent = {
  readonly atMs: number
  readonly number: string
  readonly reporter: string
  readonly channel: Channel
  readonly opinion: Opinion
  /** The number did call the reporter. */
  readonly wasCalled: boolean
  readonly isHonest: boolean
}

export type World = {
  readonly targets: readonly LegitimateNumber[]
  readonly legitimate: ReadonlyMap<string, LegitimateNumber>
  readonly fraud: ReadonlyMap<string, FraudNumber>
  readonly honest: readonly ReportEvent[]
  /** Of numbers, those whose calls the network remembers: its memory is bounded, and quiet callers are the first to go. */
  readonly rememberedShare: number
}

export const END_MS = WORLD.startMs + WORLD.days * DAY_MS
const CHANNEL_MIX: readonly Channel[] = ['hotline', 'app', 'app', 'app', 'chat', 'bot', 'bot', 'partner']

export function makeWorld(
  seed: number,
  targetCount: number,
  rememberedShare: number,
  fraudCount: number = WORLD.fraudNumbers,
): World {
  const random = createRandom(seed)
  const targets = Array.from({ length: targetCount }, (_, index) => makeLegitimate(random, index))
  const bystanders = Array.from({ length: WORLD.bystanders }, (_, index) => makeLegitimate(random, targetCount + index))
  const all = [...targets, ...bystanders]
  const fraud = Array.from({ length: fraudCount }, (_, index) => makeFraud(random, index))
  return {
    targets,
    legitimate: new Map(all.map((legitimate) => [legitimate.number, legitimate])),
    fraud: new Map(fraud.map((one) => [one.number, one])),
    honest: fraud.flatMap((one) => honestReports(random, one, all)),
    rememberedShare,
  }
}

const digits = (index: number) => String((index * 7_919) % 10_000_000).padStart(7, '0')

function makeLegitimate(random: Random, index: number): LegitimateNumber {
  const { legitimateAgeDays, legitimateWeek, brief } = WORLD
  return {
    number: `+7903${digits(index)}`,
    bornMs: WORLD.startMs + DAY_MS - random.exponential(legitimateAgeDays) * DAY_MS,
    answeredPerDay: Math.min(legitimateWeek.max, random.logNormal(legitimateWeek.median, legitimateWeek.sigma)) / 7,
    longShare: random.chance(brief.share) ? brief.long : random.between(brief.otherLong[0], brief.otherLong[1]),
  }
}

function makeFraud(random: Random, index: number): FraudNumber {
  const { fraudCalls, fraudDays, talkers } = WORLD
  const fromMs = random.between(WORLD.startMs, END_MS - 2 * DAY_MS)
  const days = Math.min(fraudDays.max, random.logNormal(fraudDays.median, fraudDays.sigma))
  return {
    number: `+7958${digits(index)}`,
    fromMs,
    untilMs: Math.min(END_MS, fromMs + days * DAY_MS),
    calls: Math.min(fraudCalls.max, Math.ceil(random.logNormal(fraudCalls.median, fraudCalls.sigma))),
    longShare: random.chance(talkers.share) ? talkers.long : talkers.otherLong,
  }
}

function honestReports(random: Random, fraud: FraudNumber, legitimate: readonly LegitimateNumber[]): ReportEvent[] {
  const reports = random.poisson(fraud.calls * WORLD.reportingShare)
  return Array.from({ length: reports }, () => {
    const person = random.integer(0, WORLD.honestReporters - 1)
    const isOpaque = random.chance(WORLD.opaqueShare)
    const isWrong = random.chance(WORLD.wrongShare)
    return {
      atMs: random.between(fraud.fromMs, fraud.untilMs) + reportingLag(random),
      number: isWrong ? random.pick(legitimate).number : fraud.number,
      reporter: isOpaque ? `honest-${person}` : `+7916${digits(person)}`,
      channel: isOpaque ? 'app' : random.pick(CHANNEL_MIX),
      opinion: 'harm',
      wasCalled: true,
      isHonest: true,
    } as const
  })
}

/** Measured on complaints: a tenth within 6 minutes, half within 3.4 hours, nine tenths within 126 hours; straight in logarithms. */
function reportingLag(random: Random): number {
  const quantiles = [
    [0, Math.log(MINUTE_MS)],
    [0.1, Math.log(6 * MINUTE_MS)],
    [0.5, Math.log(3.4 * HOUR_MS)],
    [0.9, Math.log(126 * HOUR_MS)],
    [1, Math.log(400 * HOUR_MS)],
  ] as const
  const share = random.next()
  const above = quantiles.findIndex(([at]) => at >= share && at > 0)
  const [low, from] = quantiles[above - 1]!
  const [high, to] = quantiles[above]!
  return Math.exp(from + ((share - low) / (high - low)) * (to - from))
}

/** What the network has seen of a number by then. */
export function historyOf(world: World, number: string, atMs: number): CallHistory {
  // A number is remembered or not, the same in every run.
  const lot = createRandom(Number(number.slice(-7))).next()
  if (lot >= world.rememberedShare) return { days: 0, totalAnswered: 0, totalLong: 0 }
  const legitimate = world.legitimate.get(number)
  if (legitimate !== undefined) {
    // The network remembers calls for so long.
    const days = Math.min(60, Math.max(0, (atMs - legitimate.bornMs) / DAY_MS))
    const answered = Math.floor(days * legitimate.answeredPerDay)
    const totalLong = Math.floor(answered * legitimate.longShare)
    return { days: Math.min(Math.ceil(days), answered), totalAnswered: answered, totalLong }
  }
  const fraud = world.fraud.get(number)!
  const elapsed = Math.min(1, Math.max(0, (atMs - fraud.fromMs) / (fraud.untilMs - fraud.fromMs)))
  const answered = Math.floor(fraud.calls * elapsed * WORLD.fraudAnswered)
  const days = Math.ceil((Math.min(atMs, fraud.untilMs) - fraud.fromMs) / DAY_MS)
  return { days, totalAnswered: answered, totalLong: Math.floor(answered * fraud.longShare) }
}
