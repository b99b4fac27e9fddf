/**
 * The calls of everybody who means no harm. Made a minute at a time, so that memory holds a minute of them and what is under
 * way; announcements of schools and first days of new SIMs are planned at midnight for the day.
 */
import { INGRESS_KINDS } from '../../../src/domain/call-event.ts'
import { CALL_FLAG, type CallPool } from '../call-pool.ts'
import { drawQuantile, TALK_SECONDS, WEEKDAY_HOURS, WEEKEND_HOURS } from '../measured.ts'
import { createWeightedDraw, type Random } from '../random.ts'
import { BUSINESSES, type BusinessKind, NEW_SIM, PERSONAL_SHARE, SCHOOL, STAFF } from './businesses.ts'
import { BENIGN_KINDS, type BenignKind, kindIndex } from './kinds.ts'
import { drawKnowledge } from './know.ts'
import { KNOWLEDGE, TRUNKS, WORLD } from './parameters.ts'
import { type BusinessGroup, type Population, trunkFor } from './people.ts'
import { HOUR_MS, hourOf, isWeekend, MINUTE_MS } from './time.ts'

export type BenignTraffic = {
  /** Plans the calls that begin within the minute from `fromMs` on. */
  minute(fromMs: number): void
  /** Plans what is arranged for the day that begins at `fromMs`, local midnight. */
  day(fromMs: number): void
  /** What people do after a call that was not answered, or blocked: ring again, ring back. The slot still holds the call. */
  react(slot: number, atMs: number, wasBlocked: boolean): void
  /** The one who missed this call rings the number back, by that chance. */
  ringBack(slot: number, atMs: number, share: number): void
}

export type BenignDependencies = {
  readonly population: Population
  readonly pool: CallPool
  /** Puts a planned call on the agenda. */
  readonly place: (slot: number, atMs: number) => void
  readonly random: Random
  /** Reactions to verdicts have randomness of their own, so that the traffic itself is the same whatever is blocked. */
  readonly reactions: Random
  /** And so have those who ring back a number that meant harm. */
  readonly victims: Random
}

/** A trade of four numbers of which one is in use: found within so many draws but for once in 10^12. */
const TRIES = 100

const KIND = Object.fromEntries(BENIGN_KINDS.map((kind) => [kind, kindIndex(kind)])) as Record<BenignKind, number>
const INGRESS = Object.fromEntries(INGRESS_KINDS.map((kind, index) => [kind, index])) as Record<string, number>
const WITHHELD = -1
const BUSINESS_BY_KIND = new Map<number, BusinessKind>(BUSINESSES.map((business) => [KIND[business.kind], business]))
/** The first working hour in which everybody wants an appointment, at the few clinics that are the most wanted. */
const RUSH_HOUR = 8
const RUSH_SHARE = 0.05

export function createBenignTraffic(callsPerDay: number, deps: BenignDependencies): BenignTraffic {
  const { population, pool, place, random, reactions } = deps
  const { parties, contacts, businesses } = population
  const { ownCount, peopleCount } = parties
  const companies = businesses.find(({ business }) => business.kind === 'pbx-block')!
  const drawCalled = createWeightedDraw(businesses.map(({ business }) => business.called))
  const friendsShare = PERSONAL_SHARE - WORLD.strangers - WORLD.friendsOneRing - WORLD.forwarded - WORLD.withheld

  /** Roamers, ported and foreign numbers count as such whomever they call: their CLI is what is hard about them. */
  const kindOf = (caller: number, kind: number) =>
    caller < peopleCount && parties.kind[caller] !== KIND.friends ? parties.kind[caller]! : kind

  /** A call between two parties, without an outcome yet. */
  function between(caller: number, callee: number, kind: number): number {
    const slot = pool.take()
    pool.caller[slot] = parties.number[caller]!
    pool.callee[slot] = parties.number[callee]!
    pool.callerParty[slot] = caller
    pool.calleeParty[slot] = callee
    pool.ingress[slot] = parties.ingress[caller]!
    pool.trunk[slot] = parties.trunk[caller]!
    // A few calls take another way into our network.
    if (random.chance(0.03)) pool.trunk[slot] = trunkFor(parties.ingress[caller]!, random.below(97))
    pool.kind[slot] = kindOf(caller, kind)
    if (parties.favour[caller] !== 0) pool.flags[slot] = CALL_FLAG.favoured
    drawKnowledge(random, pool, slot, true, caller < ownCount)
    return slot
  }

  function setOutcome(slot: number, answered: boolean, talkSeconds: number): void {
    pool.answered[slot] = answered ? 1 : 0
    pool.talkMs[slot] = answered ? Math.round(talkSeconds * 1_000) : 0
    if (answered) pool.ringMs[slot] = 1_500 + Math.round(Math.min(28_000, random.exponential(7_000)))
    // Busy or switched off in one of four: nothing rings.
    else pool.ringMs[slot] = random.chance(0.25) ? 0 : random.between(8_000, 40_000)
  }

  function personalOutcome(slot: number): void {
    setOutcome(slot, random.chance(WORLD.answered), drawQuantile(random, TALK_SECONDS))
  }

  function businessOutcome(slot: number, business: BusinessKind): void {
    const isShort = random.chance(business.short)
    const talk = isShort ? 1 + 4 * random.unit() : random.logNormal(business.talkMedianSeconds, business.talkSpread)
    setOutcome(slot, random.chance(business.answered), Math.min(7_200, talk))
  }

  const anybodyOwn = () => random.below(ownCount)

  /** Strangers with one of our subscribers at an end. */
  function strangers(kind: number): number {
    const one = anybodyOwn()
    const other = random.below(peopleCount)
    return random.chance(0.5) ? between(one, other, kind) : between(other, one, kind)
  }

  function friends(kind: number): number {
    const pair = population.drawContact(random)
    const isReversed = contacts.mutual[pair] === 1 && random.chance(0.5)
    const caller = isReversed ? contacts.callee[pair]! : contacts.caller[pair]!
    const callee = isReversed ? contacts.caller[pair]! : contacts.callee[pair]!
    return between(caller, callee, kind)
  }

  /** One of our subscribers calls another by way of a number elsewhere that is forwarded to him. */
  function forwarded(): number {
    const slot = between(anybodyOwn(), anybodyOwn(), KIND.forwarded)
    pool.kind[slot] = KIND.forwarded
    pool.ingress[slot] = INGRESS.national!
    pool.trunk[slot] = trunkFor(INGRESS.national!, random.below(TRUNKS.national))
    pool.originating[slot] = 0
    if (random.chance(KNOWLEDGE.redirecting)) {
      pool.redirecting[slot] = parties.number[ownCount + random.below(peopleCount - ownCount)]!
    }
    return slot
  }

  const PERSONAL: readonly (readonly [share: number, plan: () => number])[] = [
    [friendsShare, () => outcomeOf(friends(KIND.friends))],
    [WORLD.strangers, () => outcomeOf(strangers(KIND.strangers))],
    [WORLD.friendsOneRing, oneRing],
    [WORLD.forwarded, () => outcomeOf(forwarded())],
    [WORLD.withheld, withheld],
  ]

  function outcomeOf(slot: number): number {
    personalOutcome(slot)
    return slot
  }

  /** "I am downstairs": one ring, then the other rings back. */
  function oneRing(): number {
    const slot = friends(KIND['friends-one-ring'])
    pool.ringMs[slot] = random.between(1_000, 4_500)
    return slot
  }

  function withheld(): number {
    const slot = outcomeOf(friends(KIND.withheld))
    pool.caller[slot] = WITHHELD
    pool.kind[slot] = KIND.withheld
    pool.originating[slot] = 0
    pool.roaming[slot] = 0
    return slot
  }

  function toBusiness(hour: number, weekend: boolean): number {
    const group = businesses[drawCalled(random)]!
    const size = group.to - group.from
    const isRush = group.business.kind === 'clinic' && hour === RUSH_HOUR && !weekend
    const index = random.below(isRush ? Math.max(1, Math.ceil(size * RUSH_SHARE)) : size)
    const slot = between(customerOf(group, index), group.from + index, KIND['to-business'])
    setOutcome(slot, random.chance(isRush ? 0.4 : 0.8), Math.min(3_600, random.logNormal(75, 0.9)))
    return slot
  }

  /** One of the people this number deals with, again and again; of one that deals with anybody, anybody. */
  function customerOf({ business, from }: BusinessGroup, index: number): number {
    if (business.customers === 0) return anybodyOwn()
    // A multiplicative hash (Knuth, volume 3, 6.4) spreads the customers of one number over everybody.
    const mixed = Math.imul((from + index) * 40_503 + random.below(business.customers), 0x9e3779b1) >>> 0
    return mixed % ownCount
  }

  function fromBusiness(group: BusinessGroup, atMs: number): number {
    let index = random.below(group.to - group.from)
    // One that is not in use yet: another one calls instead. In a small world a whole trade may be one block that is not: it calls.
    for (let attempt = 0; attempt < TRIES && parties.activeFromMs[group.from + index]! > atMs; attempt++) {
      index = random.below(group.to - group.from)
    }
    const slot = between(group.from + index, customerOf(group, index), KIND[group.business.kind])
    businessOutcome(slot, group.business)
    return slot
  }

  function spread(count: number, fromMs: number, plan: () => number): void {
    for (let call = 0; call < count; call++) place(plan(), fromMs + random.below(MINUTE_MS))
  }

  /** One number calls many within minutes with a message; `calleeOf` says who is called how-manieth. */
  function announce(
    fromMs: number,
    {
      minutes,
      hours,
      answered,
      talkSeconds,
    }: Pick<typeof SCHOOL | typeof STAFF, 'minutes' | 'hours' | 'answered' | 'talkSeconds'>,
    [party, kind, calls]: readonly [party: number, kind: number, calls: number],
    calleeOf: (call: number) => number,
  ): void {
    const overMs = random.between(minutes[0], minutes[1]) * MINUTE_MS
    const startMs = fromMs + random.between(hours[0], hours[1] - 1) * HOUR_MS + random.below(HOUR_MS)
    for (let call = 0; call < calls; call++) {
      const slot = between(party, calleeOf(call), kind)
      const talk = random.between(talkSeconds[0] * 1_000, talkSeconds[1] * 1_000) / 1_000
      setOutcome(slot, random.chance(answered), talk)
      place(slot, startMs + Math.floor((call / calls) * overMs) + random.below(2_000))
    }
  }

  /** The parents of a school are the same every time. */
  function school(fromMs: number): void {
    const party = random.between(population.schools.from, population.schools.to - 1)
    const calls = random.between(SCHOOL.parents[0], SCHOOL.parents[1])
    const first = (party * 7_919) % ownCount
    announce(fromMs, SCHOOL, [party, KIND.school, calls], (call) => (first + call * 101) % ownCount)
  }

  function staff(fromMs: number): void {
    const { from, to } = companies
    const party = random.between(from, to - 1)
    const calls = random.between(STAFF.people[0], STAFF.people[1])
    const first = (party * 1_000) % ownCount
    announce(fromMs, STAFF, [party, KIND['staff-announcement'], calls], (call) => (first + call) % ownCount)
  }

  function newSim(fromMs: number): void {
    const isOwn = random.chance(WORLD.ownPeople)
    const blocks = isOwn ? population.ownBlocks : population.otherBlocks
    let number = 0
    do number = random.pick(blocks) + random.below(1_000)
    while (population.partyOf(number) !== undefined)
    const ingress = isOwn ? INGRESS.subscriber! : INGRESS.national!
    const trunk = trunkFor(ingress, random.below(97))
    const startMs = fromMs + (9 + 11 * random.unit()) * HOUR_MS
    const calls = random.between(NEW_SIM.calls[0], NEW_SIM.calls[1])
    for (let call = 0; call < calls; call++) {
      const callee = anybodyOwn()
      const slot = pool.take()
      pool.caller[slot] = number
      pool.callee[slot] = parties.number[callee]!
      pool.calleeParty[slot] = callee
      pool.ingress[slot] = ingress
      pool.trunk[slot] = trunk
      pool.kind[slot] = KIND['new-sim']
      drawKnowledge(random, pool, slot, true, isOwn)
      setOutcome(slot, random.chance(NEW_SIM.answered), drawQuantile(random, TALK_SECONDS))
      let atMs = startMs + (random.exponential(NEW_SIM.hours / 3) % NEW_SIM.hours) * HOUR_MS
      // Nobody is rung up at night: the call waits for the morning.
      if (hourOf(atMs) < 8) atMs += 8 * HOUR_MS
      place(slot, atMs)
    }
  }

  function callBack(slot: number, atMs: number, share: number, chances: Random): void {
    const callerParty = pool.calleeParty[slot]!
    if (callerParty < 0 || pool.caller[slot] === WITHHELD || !chances.chance(share)) return
    const back = pool.take()
    pool.caller[back] = pool.callee[slot]!
    pool.callee[back] = pool.caller[slot]!
    pool.callerParty[back] = callerParty
    pool.calleeParty[back] = pool.callerParty[slot]!
    pool.ingress[back] = parties.ingress[callerParty]!
    pool.trunk[back] = parties.trunk[callerParty]!
    pool.kind[back] = kindOf(callerParty, KIND['call-back'])
    if (parties.favour[callerParty] !== 0) pool.flags[back] = CALL_FLAG.favoured
    pool.flags[back]! |= CALL_FLAG.final
    const answered = chances.chance(0.8)
    pool.answered[back] = answered ? 1 : 0
    pool.ringMs[back] = chances.between(2_000, 20_000)
    pool.talkMs[back] = answered ? Math.round(drawQuantile(chances, TALK_SECONDS) * 1_000) : 0
    drawKnowledge(chances, pool, back, true, callerParty < ownCount)
    const isOneRing = pool.kind[slot] === KIND['friends-one-ring']
    place(back, atMs + (isOneRing ? chances.between(5_000, 60_000) : chances.exponential(20 * MINUTE_MS) + 15_000))
  }

  function ringAgain(slot: number, atMs: number, share: number): void {
    const attempt = pool.attempt[slot]! + 1
    if (attempt >= WORLD.attemptsMax || !reactions.chance(share)) return
    const again = pool.take()
    for (const name of ['caller', 'callee', 'redirecting', 'callerParty', 'calleeParty', 'kind'] as const) {
      pool[name][again] = pool[name][slot]!
    }
    for (const name of ['trunk', 'ingress', 'originating', 'roaming', 'flags'] as const)
      pool[name][again] = pool[name][slot]!
    pool.flags[again]! &= CALL_FLAG.favoured
    pool.attempt[again] = attempt
    const answered = reactions.chance(0.55)
    const business = BUSINESS_BY_KIND.get(pool.kind[slot]!)
    const talk =
      business === undefined
        ? drawQuantile(reactions, TALK_SECONDS)
        : reactions.logNormal(business.talkMedianSeconds, business.talkSpread)
    pool.answered[again] = answered ? 1 : 0
    pool.ringMs[again] = reactions.between(2_000, 30_000)
    pool.talkMs[again] = answered ? Math.round(Math.min(7_200, talk) * 1_000) : 0
    place(again, atMs + 20_000 + reactions.exponential(business === undefined ? 4 * MINUTE_MS : 45 * MINUTE_MS))
  }

  return {
    ringBack(slot, atMs, share) {
      if (pool.answered[slot] === 0) callBack(slot, atMs, share, deps.victims)
    },
    minute(fromMs) {
      const hour = hourOf(fromMs)
      const weekend = isWeekend(fromMs)
      const people = weekend ? (WEEKEND_HOURS[hour]! * WORLD.weekendCalls) / 100 / 60 : WEEKDAY_HOURS[hour]! / 100 / 60
      for (const [share, plan] of PERSONAL) spread(random.poisson(callsPerDay * share * people), fromMs, plan)
      for (const group of businesses) {
        const { hours, weekend: atWeekend, shareOfCalls } = group.business
        if (hour < hours[0] || hour >= hours[1]) continue
        const minutes = (hours[1] - hours[0]) * 60
        const rate = (callsPerDay * shareOfCalls * (weekend ? atWeekend : 1)) / minutes
        spread(random.poisson(rate), fromMs, () => fromBusiness(group, fromMs))
      }
      if (hour >= 8 && hour < 21) {
        const rate = (callsPerDay * WORLD.toBusiness * (weekend ? 0.5 : 1)) / (13 * 60)
        spread(random.poisson(hour === RUSH_HOUR ? rate * 1.5 : rate), fromMs, () => toBusiness(hour, weekend))
      }
    },
    day(fromMs) {
      const noonMs = fromMs + 12 * HOUR_MS
      const meanParents = (SCHOOL.parents[0] + SCHOOL.parents[1]) / 2
      const announcements = random.poisson((callsPerDay * SCHOOL.shareOfCalls) / meanParents)
      for (let at = 0; at < announcements; at++) if (!isWeekend(noonMs)) school(fromMs)
      const meanPeople = (STAFF.people[0] + STAFF.people[1]) / 2
      const meetings = random.poisson((callsPerDay * STAFF.shareOfCalls) / meanPeople)
      for (let at = 0; at < meetings; at++) if (!isWeekend(noonMs)) staff(fromMs)
      const meanCalls = (NEW_SIM.calls[0] + NEW_SIM.calls[1]) / 2
      const sims = random.poisson((callsPerDay * WORLD.newSim) / meanCalls)
      for (let at = 0; at < sims; at++) newSim(fromMs)
    },
    react(slot, atMs, wasBlocked) {
      if ((pool.flags[slot]! & CALL_FLAG.final) !== 0 || pool.answered[slot] === 1) {
        if (!wasBlocked) return
      }
      const kind = pool.kind[slot]!
      const business = BUSINESS_BY_KIND.get(kind)
      if (kind === KIND['friends-one-ring']) {
        if (!wasBlocked) callBack(slot, atMs, 0.6, reactions)
        return
      }
      if (kind !== KIND.school && kind !== KIND['staff-announcement'])
        ringAgain(slot, atMs, business?.redial ?? WORLD.redial)
      if (wasBlocked) return
      const share =
        kind === KIND.school ? SCHOOL.callBack : kind === KIND['new-sim'] ? NEW_SIM.callBack : WORLD.callBack
      callBack(slot, atMs, business?.callBack ?? share, reactions)
    },
  }
}
