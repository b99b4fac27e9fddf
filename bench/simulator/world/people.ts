/**
 * Everybody who can call or be called: our subscribers first, then the people outside who are in touch with them, then the
 * numbers of businesses. Who talks with whom is a random graph with the degrees of the Copenhagen study (configuration
 * model, Molloy and Reed 1995); every contact has one of our subscribers at an end, as every call a switch asks about does.
 */
import { INGRESS_KINDS } from '../../../src/domain/call-event.ts'
import { EvaluateUsageError } from '../../lib/evaluate-usage-error.ts'
import { CALLS_PER_PAIR, CONTACTS, drawQuantile, ONE_WAY_PAIRS } from '../measured.ts'
import { createWeightedDraw, type Random } from '../random.ts'
import { BUSINESSES, type BusinessKind, PERSONAL_SHARE, SCHOOL } from './businesses.ts'
import { type BenignKind, kindIndex } from './kinds.ts'
import type { Numbering } from './numbering.ts'
import { TRUNKS, WORLD } from './parameters.ts'
import { START_MS } from './time.ts'

const SUBSCRIBER = INGRESS_KINDS.indexOf('subscriber')
const NATIONAL = INGRESS_KINDS.indexOf('national')
const INTERNATIONAL = INGRESS_KINDS.indexOf('international')

export type Parties = {
  readonly count: number
  /** Our subscribers are the parties 0..ownCount-1, people outside go on to peopleCount-1. */
  readonly ownCount: number
  readonly peopleCount: number
  readonly number: Float64Array
  /** Calls come in by this ingress and trunk. */
  readonly ingress: Uint8Array
  readonly trunk: Uint8Array
  /** BENIGN_KINDS index of the calls it makes. */
  readonly kind: Uint8Array
  /** 1: on the protected list, 2: on the allow list. */
  readonly favour: Uint8Array
  /** A business calls from this moment on, epoch ms; 0: it always has. */
  readonly activeFromMs: Float64Array
}

/** The numbers of one kind of business: parties from..to-1. */
export type BusinessGroup = { readonly business: BusinessKind; readonly from: number; readonly to: number }

export type Population = {
  readonly parties: Parties
  readonly businesses: readonly BusinessGroup[]
  readonly schools: { readonly from: number; readonly to: number }
  /** Pairs of contacts: `caller` calls `callee`; with `mutual` either way round. */
  readonly contacts: { readonly caller: Int32Array; readonly callee: Int32Array; readonly mutual: Uint8Array }
  drawContact(random: Random): number
  /** Blocks of a thousand numbers that people have numbers in. */
  readonly ownBlocks: readonly number[]
  readonly otherBlocks: readonly number[]
  /** The party that has the number; undefined: nobody. */
  partyOf(number: number): number | undefined
  /** What our list of own numbers holds: our subscribers, a few who have left included. */
  readonly ownNumbers: readonly number[]
}

/** Calls a day of the whole world decide how many people and businesses there are; it exists until `endMs`. */
export function createPopulation(
  { callsPerDay, endMs }: { readonly callsPerDay: number; readonly endMs: number },
  numbering: Numbering,
  random: Random,
): Population {
  const peopleCount = Math.max(400, Math.round((callsPerDay * PERSONAL_SHARE) / WORLD.callsPerPersonDay))
  const ownCount = Math.round(peopleCount * WORLD.ownPeople)
  const sizes = BUSINESSES.map((business) => businessSize(business, callsPerDay))
  const count = peopleCount + sum(sizes) + SCHOOL.schools
  const parties: Parties = {
    count,
    ownCount,
    peopleCount,
    number: new Float64Array(count),
    ingress: new Uint8Array(count),
    trunk: new Uint8Array(count),
    kind: new Uint8Array(count),
    favour: new Uint8Array(count),
    activeFromMs: new Float64Array(count),
  }
  const ownBlocks = givePeopleNumbers(parties, 0, ownCount, true, numbering, random)
  const otherBlocks = givePeopleNumbers(parties, ownCount, peopleCount, false, numbering, random)
  const ownNumbers = applyTraits(parties, random)
  const businesses: BusinessGroup[] = []
  let next = peopleCount
  for (const [index, business] of BUSINESSES.entries()) {
    const from = next
    next += sizes[index] ?? 0
    businesses.push({ business, from, to: next })
    giveBusinessNumbers(parties, [from, next], business, endMs, numbering, random)
  }
  const schools = { from: next, to: next + SCHOOL.schools }
  const school = { kind: 'school' as const, numbers: 'fixed' as const, protected: 0, allowed: SCHOOL.allowed }
  giveBusinessNumbers(parties, [schools.from, schools.to], school, endMs, numbering, random)
  for (let party = peopleCount; party < count; party++) {
    if (parties.ingress[party] === SUBSCRIBER) ownNumbers.push(parties.number[party]!)
  }
  const byNumber = new Map<number, number>()
  for (let party = 0; party < count; party++) byNumber.set(parties.number[party]!, party)
  const { drawContact, ...contacts } = createContacts(parties, random)
  return {
    parties,
    businesses,
    schools,
    contacts,
    drawContact,
    ownBlocks,
    otherBlocks,
    partyOf: (number) => byNumber.get(number),
    ownNumbers,
  }
}

export function trunkFor(ingress: number, index: number): number {
  if (ingress === SUBSCRIBER) return 1 + (index % TRUNKS.subscriber)
  if (ingress === NATIONAL) return 1 + TRUNKS.subscriber + (index % TRUNKS.national)
  return 1 + TRUNKS.subscriber + TRUNKS.national + (index % TRUNKS.international)
}

function businessSize({ shareOfCalls, callsPerDay, numbers }: BusinessKind, callsOfDay: number): number {
  const wanted = Math.max(4, Math.round((callsOfDay * shareOfCalls) / callsPerDay))
  return typeof numbers === 'number' ? Math.ceil(wanted / numbers) * numbers : wanted
}

/** Blocks drawn that were given out already, before it is plain that there are no others. */
const REPEATED_MAX = 1_000_000

/** Numbers as dense as in life: a stranger's evidence falls on neighbours. */
function givePeopleNumbers(
  parties: Parties,
  from: number,
  to: number,
  isOwn: boolean,
  numbering: Numbering,
  random: Random,
): number[] {
  const blocks = new Set<number>()
  let repeated = 0
  let party = from
  while (party < to) {
    const block = numbering.mobileBlock(random, isOwn)
    if (blocks.has(block)) {
      if (++repeated > REPEATED_MAX) {
        throw new EvaluateUsageError(
          `${numbering.name} has too few numbers for ${to - from} people: give a larger one, or fewer --calls.`,
        )
      }
      continue
    }
    blocks.add(block)
    for (let offset = 0; offset < 1_000 && party < to; offset++) {
      if (random.chance(WORLD.blockFill)) parties.number[party++] = block + offset
    }
  }
  for (party = from; party < to; party++) {
    parties.ingress[party] = isOwn ? SUBSCRIBER : NATIONAL
    parties.kind[party] = kindIndex('friends')
    // An operator's calls come by its own trunk: numbers of one block have one operator.
    parties.trunk[party] = trunkFor(parties.ingress[party]!, Math.floor(parties.number[party]! / 1_000) % 97)
  }
  return [...blocks]
}

/** Roamers, numbers that changed operator, people abroad. Returns what our list of own numbers holds. */
function applyTraits(parties: Parties, random: Random): number[] {
  const { ownCount, peopleCount, number, ingress, trunk, kind } = parties
  const stale: number[] = []
  for (let at = 0; at < peopleCount * WORLD.ported * 0.5; at++) {
    const ours = random.below(ownCount)
    const theirs = ownCount + random.below(peopleCount - ownCount)
    const kept = number[ours]!
    number[ours] = number[theirs]!
    number[theirs] = kept
    kind[ours] = kind[theirs] = kindIndex('ported')
    if (random.chance(WORLD.portedStale)) stale.push(kept)
  }
  for (let party = 0; party < peopleCount; party++) {
    if (kind[party] === kindIndex('ported')) continue
    if (party >= ownCount && random.chance(WORLD.foreign)) {
      number[party] = foreignNumber(random, FRIENDLY_COUNTRIES)
      kind[party] = kindIndex('foreign-friends')
    } else if (random.chance(WORLD.roaming)) {
      kind[party] = kindIndex('roaming')
    } else continue
    ingress[party] = INTERNATIONAL
    trunk[party] = trunkFor(INTERNATIONAL, random.below(TRUNKS.international))
  }
  return [...number.subarray(0, ownCount), ...stale]
}

export const FRIENDLY_COUNTRIES = [
  '770',
  '99890',
  '37529',
  '99655',
  '99290',
  '37491',
  '99450',
  '99555',
  '4915',
  '905',
  '8613',
  '97250',
]
/** Digits of a number with its country code, where not 12; by the first digits (ITU-T national plans). */
const FOREIGN_DIGITS: readonly (readonly [code: string, digits: number])[] = [
  ['77', 11],
  ['86', 13],
  ['216', 11],
  ['222', 11],
  ['248', 10],
  ['257', 11],
  ['371', 11],
  ['372', 11],
  ['374', 11],
  ['675', 11],
  ['686', 11],
  ['960', 10],
]

/** A number of one of these country codes, which may have leading digits of a range behind them. */
export function foreignNumber(random: Random, countries: readonly string[]): number {
  const code = random.pick(countries)
  const [, digits] = FOREIGN_DIGITS.find(([prefix]) => code.startsWith(prefix)) ?? ['', 12]
  const scale = 10 ** (digits - code.length)
  return Number(code) * scale + Math.floor((0.1 + 0.9 * random.unit()) * scale)
}

function giveBusinessNumbers(
  parties: Parties,
  [from, to]: readonly [from: number, to: number],
  business: Pick<BusinessKind, 'kind' | 'numbers' | 'protected' | 'allowed'>,
  endMs: number,
  numbering: Numbering,
  random: Random,
): void {
  const { numbers } = business
  const groupSize = typeof numbers === 'number' ? numbers : 1
  for (let first = from; first < to; first += groupSize) {
    const isOwn = random.chance(0.35)
    const ingress = isOwn ? SUBSCRIBER : NATIONAL
    const trunk = trunkFor(ingress, random.below(97))
    const block = numbers === 'mobile' ? numbering.mobileBlock(random, isOwn) : numbering.fixedBlock(random)
    const start = block + (groupSize === 1 ? random.below(1_000) : random.below(10) * 100)
    const mark = random.unit()
    let favour = 0
    if (mark < business.protected) favour = 1
    else if (mark < business.protected + business.allowed) favour = 2
    const activeFromMs = random.chance(WORLD.freshBusinesses) ? START_MS + random.unit() * (endMs - START_MS) : 0
    for (let offset = 0; offset < groupSize; offset++) {
      const party = first + offset
      parties.number[party] = start + offset
      parties.ingress[party] = ingress
      parties.trunk[party] = trunk
      parties.kind[party] = kindIndex(business.kind as BenignKind)
      parties.favour[party] = favour
      parties.activeFromMs[party] = activeFromMs
    }
  }
}

function createContacts(parties: Parties, random: Random) {
  const { ownCount, peopleCount } = parties
  const drawDegree = createWeightedDraw(CONTACTS.map(([, people]) => people))
  const stubs: number[] = []
  for (let person = 0; person < peopleCount; person++) {
    const degree = CONTACTS[drawDegree(random)]![0]
    for (let stub = 0; stub < degree; stub++) stubs.push(person)
  }
  for (let at = stubs.length - 1; at > 0; at--) {
    const other = random.below(at + 1)
    const kept = stubs[at]!
    stubs[at] = stubs[other]!
    stubs[other] = kept
  }
  const pairs = Math.floor(stubs.length / 2)
  const caller = new Int32Array(pairs)
  const callee = new Int32Array(pairs)
  const mutual = new Uint8Array(pairs)
  const weights = new Float64Array(pairs)
  for (let pair = 0; pair < pairs; pair++) {
    caller[pair] = stubs[2 * pair]!
    let other = stubs[2 * pair + 1]!
    const isOurs = caller[pair]! < ownCount || other < ownCount
    if (!isOurs || other === caller[pair]) other = (caller[pair]! + 1 + random.below(ownCount - 1)) % ownCount
    // Parties next to each other have numbers next to each other.
    if (caller[pair]! < ownCount - 1 && random.chance(WORLD.neighbourContacts)) other = caller[pair]! + 1
    callee[pair] = other
    mutual[pair] = random.chance(ONE_WAY_PAIRS) ? 0 : 1
    weights[pair] = drawQuantile(random, CALLS_PER_PAIR)
  }
  return { caller, callee, mutual, drawContact: createWeightedDraw(weights) }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
