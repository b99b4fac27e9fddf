/**
 * People who report what they are told to: they bomb legitimate numbers, whitewash fraud numbers, and half of them report
 * true fraud as well to be believed. They know the rules: who was not called by a number hides behind an opaque id, which
 * cannot be told from a stranger's.
 */
import { createRandom, type Random } from './random.ts'
import {
  DAY_MS,
  END_MS,
  type FraudNumber,
  type LegitimateNumber,
  type ReportEvent,
  WORLD,
  type World,
} from './world.ts'

const MINUTE_MS = 60_000

export const COLLUDERS = {
  /** They act in groups that one person instructs; so many campaigns draw on everybody instead. */
  groupSize: 20,
  mixedShare: 0.2,
  /** Of campaigns, those whose people give telephone numbers that were never called. */
  naiveShare: 0.3,
  /** Those who report true fraud too, and how often. */
  agedShare: 0.5,
  agedReports: 10,
  /** How they bomb, equally often: many within minutes, just enough within a minute, some over a week. */
  burst: { reporters: [8, 20], minutes: 8 },
  quick: { reporters: [5, 7], minutes: 1 },
  slow: { reporters: [6, 12], minutes: 8 * 24 * 60 },
  /** Of fraud numbers, those that somebody pays for: with good opinions, or with a flood that looks arranged. */
  whitewashedShare: 0.4,
  opinions: [10, 30],
  flood: { reporters: [20, 40], minutes: 9 },
} as const

type Style = { readonly reporters: readonly [number, number]; readonly minutes: number }
type Person = { readonly index: number; readonly isAged: boolean }

/** `share` of all reporters collude. */
export function colludingReports(world: World, seed: number, share: number): ReportEvent[] {
  const random = createRandom(seed ^ 0x5bd1e995)
  const count = Math.round((share / (1 - share)) * WORLD.honestReporters)
  const people = Array.from({ length: count }, (_, index) => ({ index, isAged: random.chance(COLLUDERS.agedShare) }))
  const fraud = [...world.fraud.values()]
  return [
    ...people.filter(({ isAged }) => isAged).flatMap((person) => trueReports(random, person, fraud)),
    ...world.targets.flatMap((target) => bombing(random, people, target)),
    ...fraud.filter(() => random.chance(COLLUDERS.whitewashedShare)).flatMap((one) => whitewash(random, people, one)),
  ]
}

function reporterOf({ index }: Person, isOpaque: boolean): string {
  return isOpaque ? `colluder-${index}` : `+7917${String((index * 7_919) % 10_000_000).padStart(7, '0')}`
}

function trueReports(random: Random, person: Person, fraud: readonly FraudNumber[]): ReportEvent[] {
  return random.some(fraud, COLLUDERS.agedReports).map(({ number, fromMs, untilMs }) => ({
    atMs: random.between(fromMs, untilMs),
    number,
    reporter: reporterOf(person, true),
    channel: 'app',
    opinion: 'harm',
    wasCalled: false,
    isHonest: false,
  }))
}

function team(random: Random, people: readonly Person[], [least, most]: readonly [number, number]): Person[] {
  const wanted = random.integer(least, most)
  if (random.chance(COLLUDERS.mixedShare)) return random.some(people, wanted)
  const groups = Math.max(1, Math.floor(people.length / COLLUDERS.groupSize))
  const group = random.integer(0, groups - 1)
  const members = people.slice(group * COLLUDERS.groupSize, (group + 1) * COLLUDERS.groupSize)
  const chosen = random.some(members, wanted)
  return chosen.length < wanted ? [...new Set([...chosen, ...random.some(people, wanted - chosen.length)])] : chosen
}

function bombing(random: Random, people: readonly Person[], target: LegitimateNumber): ReportEvent[] {
  const style: Style = random.pick([COLLUDERS.burst, COLLUDERS.quick, COLLUDERS.slow])
  const fromMs = random.between(WORLD.startMs + DAY_MS, END_MS - DAY_MS)
  const isNaive = random.chance(COLLUDERS.naiveShare)
  // Those whom the number did call in the last week come first: nobody can tell their word from a customer's.
  const calledCount = random.poisson((people.length * target.answeredPerDay * 7) / WORLD.subscribers)
  const called = random.some(people, Math.min(calledCount, style.reporters[1]))
  const others = team(random, people, style.reporters).filter((person) => !called.includes(person))
  const wanted = Math.max(called.length, random.integer(...style.reporters))
  return [...called, ...others].slice(0, wanted).map((person, index) => {
    const wasCalled = index < called.length
    return {
      atMs: fromMs + random.between(0, style.minutes * MINUTE_MS),
      number: target.number,
      reporter: reporterOf(person, !wasCalled && !isNaive),
      channel: wasCalled || isNaive ? 'hotline' : 'app',
      opinion: 'harm',
      wasCalled,
      isHonest: false,
    }
  })
}

function whitewash(random: Random, people: readonly Person[], fraud: FraudNumber): ReportEvent[] {
  const isFlood = random.chance(0.5)
  const reporters = isFlood ? COLLUDERS.flood.reporters : COLLUDERS.opinions
  const fromMs = random.between(fraud.fromMs, fraud.untilMs)
  const untilMs = isFlood ? fromMs + COLLUDERS.flood.minutes * MINUTE_MS : fraud.untilMs
  return team(random, people, reporters).map((person) => ({
    atMs: random.between(fromMs, untilMs),
    number: fraud.number,
    reporter: reporterOf(person, true),
    channel: 'app',
    opinion: isFlood ? 'harm' : 'not-spam',
    wasCalled: false,
    isHonest: false,
  }))
}
