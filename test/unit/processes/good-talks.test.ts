import { describe, expect, it } from 'vitest'
import { CALLEES_MAX, createGoodTalks, GATHER_MS, NUMBERS_MAX } from '../../../src/processes/good-talks.ts'

const SHOP = 79_160_000_001
const HOUR_MS = 3_600_000

function open() {
  const clock = { ms: Date.UTC(2026, 10, 27, 12) }
  return { clock, talks: createGoodTalks({ now: () => clock.ms }) }
}

describe('long talks of reported numbers', () => {
  it('are told at once when there are as many callees as count', () => {
    const { clock, talks } = open()
    for (let callee = 1; callee < CALLEES_MAX; callee++) talks.add(SHOP, 2, callee)
    // The same people again are nobody new.
    talks.add(SHOP, 2, 1)
    expect(talks.next()).toBeUndefined()
    talks.add(SHOP, 2, CALLEES_MAX)
    const word = { type: 'good-talks', number: SHOP, ingress: 2, callees: CALLEES_MAX, atMs: clock.ms }
    expect(talks.next()).toEqual(word)
    expect(talks.next()).toBeUndefined()
  })

  it('are told after a while when there are fewer, each ingress kind by itself', () => {
    const { clock, talks } = open()
    talks.add(SHOP, 2, 1)
    talks.add(SHOP, 3, 1)
    talks.add(SHOP, 3, 2)
    clock.ms += GATHER_MS - 1
    expect(talks.next()).toBeUndefined()
    clock.ms += 1
    expect(talks.next()).toMatchObject({ ingress: 2, callees: 1 })
    expect(talks.next()).toMatchObject({ ingress: 3, callees: 2 })
    expect(talks.next()).toBeUndefined()
  })

  it('of one number are told once an hour, though the clock be set back', () => {
    const { clock, talks } = open()
    const tell = () => {
      for (let callee = 0; callee < CALLEES_MAX; callee++) talks.add(SHOP, 0, callee)
      return talks.next()?.callees
    }
    expect(tell()).toBe(CALLEES_MAX)
    clock.ms += HOUR_MS - 1
    expect(tell()).toBeUndefined()
    clock.ms += 1
    talks.next()
    expect(tell()).toBe(CALLEES_MAX)
    clock.ms -= 24 * HOUR_MS
    talks.next()
    expect(tell()).toBe(CALLEES_MAX)
  })

  it('are gathered of so many numbers and no more', () => {
    const { clock, talks } = open()
    for (let number = 0; number <= NUMBERS_MAX; number++) talks.add(SHOP + number, 0, 1)
    clock.ms += GATHER_MS
    let told = 0
    while (talks.next() !== undefined) told++
    expect(told).toBe(NUMBERS_MAX)
  })
})
