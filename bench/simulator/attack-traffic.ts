/**
 * Attacks by calls, as attack files describe them. A file makes as many campaigns as its share of all fraud calls asks for,
 * spread over the run; a campaign has lines, each calls from one number at a time, turn by turn, until the campaign's calls
 * are used up.
 */
import { INGRESS_KINDS } from '../../src/domain/call-event.ts'
import { createAttackNumbers } from './attack-numbers.ts'
import type { Attack, Calling, Pool, Talk } from './attack-schema.ts'
import type { AttackSources } from './attack-sources.ts'
import { CALL_FLAG, type CallPool, FIRST_ATTACK_KIND, UNCOUNTED_KIND } from './call-pool.ts'
import { createWeightedDraw, type Random } from './random.ts'
import { drawKnowledge } from './world/know.ts'
import type { Numbering } from './world/numbering.ts'
import { TRUNKS } from './world/parameters.ts'
import { type Population, trunkFor } from './world/people.ts'
import { DAY_MS, HOUR_MS, hourOf, isWeekend, MINUTE_MS } from './world/time.ts'

export type AttackTraffic = {
  /** Line `line` has its turn. */
  turn(line: number, atMs: number): void
}

export type AttackOptions = {
  readonly attacks: readonly Attack[]
  /** Each has campaigns of its own, so that every attack is there in the counted days, however short. */
  readonly periods: readonly AttackPeriod[]
}

export type AttackPeriod = {
  readonly startMs: number
  readonly endMs: number
  /** Fraud calls of all attacks in it. */
  readonly calls: number
}

export type AttackDependencies = {
  readonly population: Population
  readonly numbering: Numbering
  readonly pool: CallPool
  readonly sources: AttackSources
  readonly place: (slot: number, atMs: number) => void
  readonly placeTurn: (line: number, atMs: number) => void
  readonly random: Random
}

type CampaignPool = {
  readonly pool: Pool
  readonly numbers: readonly number[]
  /** Ids in AttackSources, by index of the number; -1: has not called yet. */
  readonly ids: Int32Array
  next: number
  readonly ingress: number
  readonly trunks: readonly number[]
}

type Campaign = {
  readonly attack: number
  readonly calling: Calling
  readonly random: Random
  readonly pools: readonly CampaignPool[]
  readonly drawPool: (random: Random) => number
  /** Parties: the list, or the one victim. */
  readonly victims: readonly number[]
  callsLeft: number
  /** sequential: the number dialled last; 0 before the first. */
  dialled: number
  called: number
}

type Line = {
  readonly campaign: Campaign
  readonly callsPerMinute: number
  /** The number in use. */
  from: CampaignPool | undefined
  index: number
  callsOfNumber: number
  untilMs: number
}

const WHITEWASH_MS = 12 * HOUR_MS
/** Of a period: a campaign needs time for its calls. */
const STARTS_WITHIN = 0.8
const STARTS_TRIED = 30

export function createAttackTraffic(options: AttackOptions, deps: AttackDependencies): AttackTraffic {
  const { population, pool, sources, place, placeTurn } = deps
  const { parties } = population
  const numbers = createAttackNumbers(population, deps.numbering)
  const lines: Line[] = []

  function plan({ calling }: Attack, index: number, period: AttackPeriod, budget: number, random: Random): void {
    if (calling === undefined || budget < 1) return
    const [least, most] = calling.campaign.calls
    const count = Math.max(1, Math.round(budget / ((least + most) / 2)))
    const sizes = Array.from({ length: count }, () => random.between(Math.ceil(least), Math.floor(most)))
    const scale = budget / sizes.reduce((sum, size) => sum + size, 0)
    for (const [at, size] of sizes.entries()) {
      const startMs = startWithin(period, calling, at / count, (at + 1) / count, random)
      begin(calling, index, Math.max(1, Math.round(size * scale)), activeFrom(calling, startMs, random), random)
    }
  }

  /** Between two shares of the period; when it does not call then (a weekend), at any time of the period when it does. */
  function startWithin(period: AttackPeriod, calling: Calling, from: number, to: number, random: Random): number {
    const at = (share: number) => period.startMs + share * STARTS_WITHIN * (period.endMs - period.startMs)
    let startMs = at(from + random.unit() * (to - from))
    for (let attempt = 0; attempt < STARTS_TRIED && !isActive(calling, startMs); attempt++) startMs = at(random.unit())
    return startMs
  }

  function begin(calling: Calling, attack: number, calls: number, startMs: number, random: Random): void {
    const campaign: Campaign = {
      attack,
      calling,
      random,
      pools: calling.pools.map((one) => openPool(one, random)),
      drawPool: createWeightedDraw(calling.pools.map(({ weight }) => weight ?? 1)),
      victims: victimsOf(calling, random),
      callsLeft: calls,
      dialled: 0,
      called: 0,
    }
    const { rate, whitewash } = calling
    const readyMs = whitewash === undefined ? startMs : startMs + WHITEWASH_MS
    if (whitewash !== undefined) for (const one of campaign.pools) makeLookGood(campaign, one, startMs)
    for (let line = 0; line < Math.min(rate.lines, calls); line++) {
      const callsPerMinute = rate.callsPerMinute[0] + random.unit() * (rate.callsPerMinute[1] - rate.callsPerMinute[0])
      lines.push({ campaign, callsPerMinute, from: undefined, index: 0, callsOfNumber: 0, untilMs: 0 })
      placeTurn(lines.length - 1, readyMs + random.unit() * (MINUTE_MS / callsPerMinute))
    }
  }

  function openPool(one: Pool, random: Random): CampaignPool {
    const drawn = numbers.draw(one, random)
    const ingress = INGRESS_KINDS.indexOf(one.trunks.kind)
    const ways = TRUNKS[one.trunks.kind]
    const first = random.below(ways)
    const trunks = Array.from({ length: Math.min(ways, one.trunks.count) }, (_, at) => trunkFor(ingress, first + at))
    return { pool: one, numbers: drawn, ids: new Int32Array(drawn.length).fill(-1), next: 0, ingress, trunks }
  }

  function victimsOf({ targets }: Calling, random: Random): number[] {
    const count = targets.draw === 'list' ? (targets.listSize ?? 1) : targets.draw === 'one' ? 1 : 0
    return Array.from({ length: count }, () => random.below(parties.ownCount))
  }

  /** Long talks with accomplices in the hours before, of the numbers that can come to be used: taken in order, one a call at most. */
  function makeLookGood({ calling, random, callsLeft }: Campaign, from: CampaignPool, startMs: number): void {
    const { accomplices, calls, talk } = calling.whitewash!
    const helpers = Array.from({ length: accomplices }, () => random.below(parties.ownCount))
    for (const number of from.numbers.slice(0, callsLeft)) {
      for (let call = 0; call < calls; call++) {
        const slot = pool.take()
        const helper = random.pick(helpers)
        setEnds(slot, from, number, helper, parties.number[helper]!, random)
        pool.kind[slot] = UNCOUNTED_KIND
        pool.flags[slot] = CALL_FLAG.final
        pool.answered[slot] = 1
        pool.ringMs[slot] = random.between(2_000, 10_000)
        pool.talkMs[slot] = talkMs(talk, random)
        place(slot, startMs + random.below(WHITEWASH_MS - HOUR_MS))
      }
    }
  }

  function setEnds(slot: number, from: CampaignPool, caller: number, party: number, callee: number, random: Random) {
    pool.caller[slot] = caller
    pool.callee[slot] = callee
    pool.calleeParty[slot] = party
    pool.ingress[slot] = from.ingress
    pool.trunk[slot] = from.trunks[random.below(from.trunks.length)]!
    const isOwn = (population.partyOf(caller) ?? parties.ownCount) < parties.ownCount
    drawKnowledge(random, pool, slot, !from.pool.spoofed, isOwn || from.pool.operator === 'own')
  }

  /** The next to be called: a party, or -1 for a number nobody has, which is then in `dialled`. */
  function nextTarget(campaign: Campaign): number {
    const { calling, random, victims } = campaign
    const { targets } = calling
    if (targets.draw === 'one') return victims[0]!
    if (targets.draw === 'list') return victims[campaign.called % victims.length]!
    if (targets.draw === 'sequential') {
      const [least, most] = targets.step ?? [1, 1]
      const next = campaign.dialled + random.between(least, most)
      const hasLeftBlock = campaign.dialled === 0 || Math.floor(next / 1_000) !== Math.floor(campaign.dialled / 1_000)
      campaign.dialled = hasLeftBlock ? random.pick(population.ownBlocks) + random.below(200) : next
    } else if (random.chance(targets.unassigned ?? 0)) {
      campaign.dialled = random.pick(population.ownBlocks) + random.below(1_000)
    } else return random.below(parties.ownCount)
    const party = population.partyOf(campaign.dialled)
    return party !== undefined && party < parties.ownCount ? party : -1
  }

  function isNumberSpent(line: Line, atMs: number): boolean {
    const { from, campaign } = line
    if (from === undefined) return true
    const { blocked } = campaign.calling.rotation
    const id = from.ids[line.index] ?? -1
    return (
      line.callsOfNumber <= 0 ||
      atMs >= line.untilMs ||
      (blocked !== undefined && id >= 0 && sources.blockedOf(id) >= blocked)
    )
  }

  function takeNumber(line: Line, atMs: number): void {
    const { campaign } = line
    const { random, calling } = campaign
    const from = campaign.pools[campaign.drawPool(random)]!
    const { calls, minutes } = calling.rotation
    line.from = from
    line.index = from.next
    from.next = from.numbers.length === 0 ? 0 : (from.next + 1) % from.numbers.length
    line.callsOfNumber =
      calls === undefined ? Number.POSITIVE_INFINITY : random.between(Math.ceil(calls[0]), Math.floor(calls[1]))
    line.untilMs =
      minutes === undefined
        ? Number.POSITIVE_INFINITY
        : atMs + (minutes[0] + random.unit() * (minutes[1] - minutes[0])) * MINUTE_MS
  }

  function call(line: Line, atMs: number): number {
    const { campaign } = line
    const { random, calling } = campaign
    if (isNumberSpent(line, atMs)) takeNumber(line, atMs)
    const from = line.from!
    const party = nextTarget(campaign)
    const callee = party >= 0 ? parties.number[party]! : campaign.dialled
    const isNeighbour = from.pool.draw === 'neighbour'
    const caller = isNeighbour
      ? numbers.neighbourOf(callee, from.pool.sharedDigits ?? 7, random)
      : from.numbers[line.index]!
    const slot = pool.take()
    setEnds(slot, from, caller, party, callee, random)
    pool.kind[slot] = FIRST_ATTACK_KIND + campaign.attack
    pool.source[slot] = isNeighbour ? sources.add(campaign.attack) : sourceOf(campaign, from, line.index)
    setOutcome(slot, calling, party, random)
    line.callsOfNumber--
    campaign.callsLeft--
    campaign.called++
    place(slot, atMs)
    return slot
  }

  function sourceOf({ attack }: Campaign, from: CampaignPool, index: number): number {
    if (from.ids[index] === -1) from.ids[index] = sources.add(attack)
    return from.ids[index]!
  }

  function setOutcome(slot: number, { answers }: Calling, party: number, random: Random): void {
    const isAnswered = random.chance(answers.answered) && party >= 0
    const [least, most] = answers.ringSeconds
    pool.ringMs[slot] = Math.round((least + random.unit() * (most - least)) * 1_000)
    if (!isAnswered) return
    pool.answered[slot] = 1
    if (random.chance(answers.short)) pool.talkMs[slot] = random.between(1_000, 5_000)
    else if (answers.victimTalk !== undefined && random.chance(answers.victims)) {
      pool.flags[slot] = CALL_FLAG.victim
      pool.talkMs[slot] = talkMs(answers.victimTalk, random)
    } else pool.talkMs[slot] = talkMs(answers.talk, random)
  }

  const weights = options.attacks.reduce((sum, { weight }) => sum + weight, 0)
  for (const [index, attack] of options.attacks.entries()) {
    // A stream of its own: another file beside it changes nothing.
    const random = deps.random.stream(attack.name)
    for (const period of options.periods) plan(attack, index, period, (period.calls * attack.weight) / weights, random)
  }

  return {
    turn(index, atMs) {
      const line = lines[index]!
      const { campaign, callsPerMinute } = line
      const { calling, random } = campaign
      if (campaign.callsLeft <= 0) return
      if (!isActive(calling, atMs)) return placeTurn(index, activeFrom(calling, atMs, random))
      const slot = call(line, atMs)
      const mean = MINUTE_MS / callsPerMinute
      const gap = calling.rate.regular ? mean * (0.95 + 0.1 * random.unit()) : random.exponential(mean)
      const busy = calling.rate.waitsForEnd ? pool.ringMs[slot]! + pool.talkMs[slot]! : 0
      placeTurn(index, atMs + busy + gap)
    },
  }
}

function isActive({ campaign }: Calling, atMs: number): boolean {
  const hour = hourOf(atMs)
  return hour >= campaign.hours[0] && hour < campaign.hours[1] && (campaign.weekend || !isWeekend(atMs))
}

/** The first moment from then on when it calls; within the first half hour of its day when it had to wait. */
function activeFrom(calling: Calling, fromMs: number, random: Random): number {
  if (isActive(calling, fromMs)) return fromMs
  let atMs = Math.ceil(fromMs / HOUR_MS) * HOUR_MS
  // A week of hours holds every hour of the day on a working day.
  for (let hours = 0; hours < 7 * 24 && !isActive(calling, atMs); hours++) atMs += HOUR_MS
  return atMs + random.unit() * 30 * MINUTE_MS
}

function talkMs({ medianSeconds, spread }: Talk, random: Random): number {
  return Math.round(Math.min(DAY_MS, random.logNormal(medianSeconds, spread) * 1_000))
}
