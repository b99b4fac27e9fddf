import type { Pool } from './attack-schema.ts'
import type { Random } from './random.ts'
import { type BenignKind, kindIndex } from './world/kinds.ts'
import type { Numbering } from './world/numbering.ts'
import { foreignNumber, type Population } from './world/people.ts'

/** Tries to find a number that nobody has before one that somebody has is taken after all. */
const TRIES = 50

export type AttackNumbers = {
  /** The caller numbers of one campaign. Empty for draw neighbour. */
  draw(pool: Pool, random: Random): number[]
  /** A number that begins as the callee's does. */
  neighbourOf(callee: number, sharedDigits: number, random: Random): number
}

export function createAttackNumbers(population: Population, numbering: Numbering): AttackNumbers {
  const { parties, partyOf } = population

  function blocksOf(pool: Pool, random: Random): readonly number[] {
    const isOwn = pool.operator === 'own' || (pool.operator === 'any' && random.chance(0.5))
    return isOwn ? population.ownBlocks : population.otherBlocks
  }

  /** Numbers people could have; what somebody does have only when it is borrowed. */
  function fromPlan(pool: Pool, random: Random): number {
    for (let attempt = 0; ; attempt++) {
      const number = random.pick(blocksOf(pool, random)) + random.below(1_000)
      if (pool.spoofed || attempt === TRIES || partyOf(number) === undefined) return number
    }
  }

  /** Whole blocks, half of them among people's blocks, half leased anew; numbers of a block in no order. */
  function fromBlocks(pool: Pool, random: Random): number[] {
    const blockSize = pool.blockSize ?? 100
    const found: number[] = []
    while (found.length < pool.size) {
      const isLeased = random.chance(0.5)
      const thousand = isLeased
        ? numbering.mobileBlock(random, pool.operator === 'own')
        : random.pick(blocksOf(pool, random))
      const start = thousand + random.below(1_000 / blockSize) * blockSize
      const numbers = Array.from({ length: blockSize }, (_, offset) => start + offset)
      for (let at = numbers.length - 1; at > 0; at--) {
        const other = random.below(at + 1)
        const kept = numbers[at]!
        numbers[at] = numbers[other]!
        numbers[other] = kept
      }
      found.push(...numbers.filter((number) => pool.spoofed || partyOf(number) === undefined))
    }
    return found.slice(0, pool.size)
  }

  function subscriber(pool: Pool, random: Random): number {
    const isOwn = pool.operator === 'own' || (pool.operator === 'any' && random.chance(0.5))
    const [from, to] = isOwn ? [0, parties.ownCount - 1] : [parties.ownCount, parties.peopleCount - 1]
    return parties.number[random.between(from, to)]!
  }

  function ofBusinesses(pool: Pool): number[] {
    const kinds = new Set((pool.kinds ?? []).map((kind) => kindIndex(kind as BenignKind)))
    const found: number[] = []
    for (let party = parties.peopleCount; party < parties.count; party++) {
      if (kinds.has(parties.kind[party]!)) found.push(parties.number[party]!)
    }
    return found
  }

  return {
    draw(pool, random) {
      const times = (one: () => number) => Array.from({ length: pool.size }, one)
      switch (pool.draw) {
        case 'plan':
          return times(() => fromPlan(pool, random))
        case 'block':
          return fromBlocks(pool, random)
        case 'neighbour':
          return []
        case 'subscribers':
          return times(() => subscriber(pool, random))
        case 'businesses': {
          const numbers = ofBusinesses(pool)
          return times(() => random.pick(numbers))
        }
        case 'impossible':
          return times(() => numbering.impossible(random))
        case 'unassigned':
          return times(() => numbering.unassigned(random))
        case 'foreign':
          return times(() => foreignNumber(random, pool.countries ?? []))
        default:
          throw new RangeError(`Pools are not drawn from ${pool.draw satisfies never}.`)
      }
    },
    neighbourOf(callee, sharedDigits, random) {
      const scale = 10 ** (String(callee).length - sharedDigits)
      return Math.floor(callee / scale) * scale + random.below(scale)
    },
  }
}
