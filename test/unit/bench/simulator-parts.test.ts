import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { svgChart } from '../../../bench/lib/svg-chart.ts'
import { FIRST_ATTACK_KIND } from '../../../bench/simulator/call-pool.ts'
import { createEventQueue } from '../../../bench/simulator/event-queue.ts'
import {
  CALLS_PER_PAIR,
  CONTACTS,
  drawQuantile,
  drawReportLagMs,
  TALK_SECONDS,
  WEEKDAY_HOURS,
  WEEKEND_HOURS,
} from '../../../bench/simulator/measured.ts'
import { createRandom, createWeightedDraw } from '../../../bench/simulator/random.ts'
import { readAttacks } from '../../../bench/simulator/read-attacks.ts'
import { createTally, curveOf } from '../../../bench/simulator/tally.ts'
import { builtInNumbering, readNumbering } from '../../../bench/simulator/world/numbering.ts'
import { createPopulation, FRIENDLY_COUNTRIES, foreignNumber } from '../../../bench/simulator/world/people.ts'
import { hourOf, isWeekend, START_MS } from '../../../bench/simulator/world/time.ts'
import { diallingRules, parsePhoneNumber } from '../../../src/domain/parse-phone-number.ts'
import { ALLOW, BLOCK, FLAG } from '../../../src/domain/verdict.ts'

const ATTACKS = path.join(import.meta.dirname, '../../../bench/simulator/attacks')
const SHARED = path.join(import.meta.dirname, '../../../../shared/data')
const withShared = it.skipIf(!existsSync(SHARED))

function quantiles(values: number[], ...shares: number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b)
  return shares.map((share) => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN)
}

describe('what the world is shaped after', () => {
  it('has the lag of reports that was measured: 10 % within 6 min, median 3.4 h, 90 % within 126 h', () => {
    const random = createRandom(1)
    const hours = Array.from({ length: 100_000 }, () => drawReportLagMs(random) / 3_600_000)
    const [early, median, late] = quantiles(hours, 0.1, 0.5, 0.9)
    expect(early).toBeGreaterThan(0.093)
    expect(early).toBeLessThan(0.107)
    expect(median).toBeGreaterThan(3.25)
    expect(median).toBeLessThan(3.55)
    expect(late).toBeGreaterThan(118)
    expect(late).toBeLessThan(134)
  })

  it('has the talk times of the study: 46 % under 6 s, 22 % of a minute or more', () => {
    const random = createRandom(2)
    const seconds = Array.from({ length: 100_000 }, () => drawQuantile(random, TALK_SECONDS))
    expect(seconds.filter((talk) => talk < 6).length / 1e5).toBeCloseTo(0.46, 1)
    expect(seconds.filter((talk) => talk >= 60).length / 1e5).toBeCloseTo(0.217, 1)
    expect(Math.max(...seconds)).toBeLessThanOrEqual(5138)
  })

  withShared('says what its sources say (skipped without ../shared)', () => {
    const rows = readFileSync(path.join(SHARED, 'calls/copenhagen-calls.csv'), 'utf8').trim().split('\n').slice(1)
    const calls = rows.map((row) => row.split(';').map(Number) as [number, number, number])
    const talk = calls.map(([, , seconds]) => seconds).sort((a, b) => a - b)
    for (const [index, seconds] of TALK_SECONDS.entries()) {
      const at = (index / (TALK_SECONDS.length - 1)) * (talk.length - 1)
      const near = [talk[Math.floor(at)] ?? 0, talk[Math.ceil(at)] ?? 0]
      expect([...near.map((value) => Math.abs(value - seconds))].sort((a, b) => a - b)[0]).toBeLessThanOrEqual(1)
    }
    const contacts = new Map<number, Set<number>>()
    const pairs = new Map<string, number>()
    for (const [a, b] of calls) {
      contacts.set(a, (contacts.get(a) ?? new Set()).add(b))
      contacts.set(b, (contacts.get(b) ?? new Set()).add(a))
      const pair = `${Math.min(a, b)}-${Math.max(a, b)}`
      pairs.set(pair, (pairs.get(pair) ?? 0) + 1)
    }
    for (const [count, people] of CONTACTS) {
      expect([...contacts.values()].filter(({ size }) => size === count)).toHaveLength(people)
    }
    expect(Math.max(...pairs.values())).toBe(CALLS_PER_PAIR.at(-1))
    for (const [file, hours] of [
      ['weekday', WEEKDAY_HOURS],
      ['weekend', WEEKEND_HOURS],
    ] as const) {
      const lines = readFileSync(path.join(SHARED, `calls/hourly-${file}.csv`), 'utf8')
        .trim()
        .split('\n')
        .slice(1)
      for (const line of lines) {
        const [hour, share] = line.split(',')
        expect(hours[Number(hour)]).toBeCloseTo(Number(share), 1)
      }
    }
  })

  it('begins at midnight of a Wednesday in Moscow', () => {
    expect(hourOf(START_MS)).toBe(0)
    expect(hourOf(START_MS - 1)).toBe(23)
    expect([0, 1, 2, 3, 4, 5, 6].map((day) => isWeekend(START_MS + day * 86_400_000))).toEqual([
      false,
      false,
      false,
      true,
      true,
      false,
      false,
    ])
  })
})

describe('randomness', () => {
  it('is the same for the same seed and name, and another for another', () => {
    const draws = (seed: number, name: string) => {
      const random = createRandom(seed).stream(name)
      return Array.from({ length: 20 }, () => random.below(1_000_000))
    }
    expect(draws(5, 'a')).toEqual(draws(5, 'a'))
    expect(draws(5, 'a')).not.toEqual(draws(5, 'b'))
    expect(draws(5, 'a')).not.toEqual(draws(6, 'a'))
  })

  it('draws in proportion to weights', () => {
    const random = createRandom(3)
    const draw = createWeightedDraw([1, 0, 3])
    const counts = [0, 0, 0]
    for (let at = 0; at < 40_000; at++) counts[draw(random)]!++
    expect(counts[1]).toBe(0)
    expect(counts[2]! / counts[0]!).toBeCloseTo(3, 0)
  })

  it.each([0.3, 5, 400])('has the mean and variance of Poisson at %d', (mean) => {
    const random = createRandom(4)
    const values = Array.from({ length: 20_000 }, () => random.poisson(mean))
    const average = values.reduce((sum, value) => sum + value, 0) / values.length
    const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length
    expect(Math.abs(average / mean - 1)).toBeLessThan(0.05)
    expect(Math.abs(variance / mean - 1)).toBeLessThan(0.08)
  })
})

describe('the event queue', () => {
  it('gives events in the order of time, whatever the order they came in', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })), { maxLength: 300 }), (steps) => {
        const queue = createEventQueue()
        const waiting: number[] = []
        for (const [id, time] of steps.entries()) {
          if (time !== null) {
            queue.push(time, id)
            waiting.push(time)
          } else if (waiting.length > 0) {
            waiting.sort((a, b) => a - b)
            expect(queue.nextMs).toBe(waiting[0])
            expect(steps[queue.pop()]).toBe(waiting.shift())
          }
        }
        expect(queue.size).toBe(waiting.length)
      }),
    )
  })

  it('gives events of one time in the order they came in', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 5 }), { maxLength: 200 }), (times) => {
        const queue = createEventQueue()
        for (const [id, time] of times.entries()) queue.push(time, id)
        const wanted = times.map((time, id) => ({ time, id })).sort((a, b) => a.time - b.time || a.id - b.id)
        expect(times.map(() => queue.pop())).toEqual(wanted.map(({ id }) => id))
      }),
    )
  })

  it('grows, and says Infinity when it is empty', () => {
    const queue = createEventQueue()
    expect(queue.nextMs).toBe(Number.POSITIVE_INFINITY)
    for (let at = 0; at < 10_000; at++) queue.push((at * 7_919) % 10_007, at)
    let last = -1
    while (queue.size > 0) {
      expect(queue.nextMs).toBeGreaterThanOrEqual(last)
      last = queue.nextMs
      queue.pop()
    }
  })
})

describe('the people', () => {
  const numbering = builtInNumbering()
  const population = createPopulation({ callsPerDay: 60_000, endMs: START_MS + 86_400_000 }, numbering, createRandom(7))
  const { parties, contacts } = population

  it('have distinct numbers, and one of ours at every end of a contact', () => {
    expect(new Set(parties.number.subarray(0, parties.peopleCount)).size).toBe(parties.peopleCount)
    for (let pair = 0; pair < contacts.caller.length; pair++) {
      const [a, b] = [contacts.caller[pair]!, contacts.callee[pair]!]
      expect(a).not.toBe(b)
      expect(Math.min(a, b)).toBeLessThan(parties.ownCount)
    }
  })

  it('have as many contacts as those of the study', () => {
    const degrees = new Map<number, number>()
    for (const list of [contacts.caller, contacts.callee]) {
      for (const person of list) degrees.set(person, (degrees.get(person) ?? 0) + 1)
    }
    const mean = (2 * contacts.caller.length) / parties.peopleCount
    const wanted = CONTACTS.reduce((sum, [count, people]) => sum + count * people, 0) / 536
    expect(Math.abs(mean / wanted - 1)).toBeLessThan(0.03)
    const one = [...degrees.values()].filter((degree) => degree === 1).length / parties.peopleCount
    expect(one).toBeGreaterThan(0.3)
    expect(one).toBeLessThan(0.45)
  })

  it('have numbers that the plan has given out, as dense as in life', () => {
    for (let person = 0; person < parties.peopleCount; person++) {
      const number = parties.number[person]!
      if (number < 7.9e10 || number >= 8e10) continue
      expect(numbering.allocated.some(({ from, to }) => number >= from && number <= to)).toBe(true)
    }
    expect(parties.ownCount / population.ownBlocks.length).toBeGreaterThan(350)
    expect(population.ownNumbers.length).toBeGreaterThan(parties.ownCount)
  })
})

describe('foreign numbers', () => {
  it('are what the hotline takes for a number, in the codes of the attack files too', () => {
    const sets = ['train', 'test'].flatMap((set) => readAttacks(path.join(ATTACKS, set)))
    const codes = sets.flatMap(({ calling }) => calling?.pools.flatMap(({ countries }) => countries ?? []) ?? [])
    expect(codes.length).toBeGreaterThan(5)
    const random = createRandom(2)
    for (const code of [...codes, ...FRIENDLY_COUNTRIES]) {
      const numbers = Array.from({ length: 50 }, () => foreignNumber(random, [code]))
      const parsed = numbers.map((number) => parsePhoneNumber(`+${number}`, diallingRules('RU'), 'call'))
      expect([code, parsed]).toEqual([code, numbers])
    }
  })
})

describe('the numbering plan', () => {
  const numbering = builtInNumbering()

  it('finds impossible numbers inside what it covers and outside what it gave out', () => {
    const random = createRandom(9)
    for (let at = 0; at < 2_000; at++) {
      const number = numbering.impossible(random)
      expect(numbering.covered.some(({ from, to }) => number >= from && number <= to)).toBe(true)
      expect(numbering.allocated.some(({ from, to }) => number >= from && number <= to)).toBe(false)
      const unassigned = numbering.unassigned(random)
      expect(numbering.covered.some(({ from, to }) => unassigned >= from && unassigned <= to)).toBe(false)
    }
  })

  it('refuses a file without ranges', () => {
    expect(() => readNumbering(path.join(import.meta.dirname, 'simulator-parts.test.ts'))).toThrow('is no range file')
    expect(() => readNumbering('/nowhere')).toThrow('The range file /nowhere cannot be read.')
  })

  it('refuses a file with too few numbers for the people there are, instead of looking for more for ever', () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'zaslon-numbering-'))
    const file = path.join(directory, 'ranges.csv')
    const ranges = (own: string) =>
      writeFileSync(file, `code;from;to;capacity;operator\n900;0000000;${own};;Т2 Мобайл\n916;0000000;0009999;;OTHER\n`)
    ranges('0000998')
    expect(() => readNumbering(file)).toThrow('each with a thousand numbers')
    ranges('0000999')
    const numbering = readNumbering(file)
    const options = { callsPerDay: 10_000, endMs: START_MS + 86_400_000 }
    expect(() => createPopulation(options, numbering, createRandom(7))).toThrow('too few numbers')
    rmSync(directory, { recursive: true })
  })

  withShared("reads the regulator's file (skipped without ../shared)", () => {
    const read = readNumbering(path.join(SHARED, 'numbering/ru_DEF-9xx_2026-08.csv'))
    expect(read.covered.length).toBe(83)
    const random = createRandom(1)
    for (let at = 0; at < 200; at++) {
      const block = read.mobileBlock(random, at % 2 === 0)
      expect(read.allocated.some(({ from, to }) => block >= from && block + 999 <= to)).toBe(true)
    }
  })
})

describe('the tally', () => {
  it('makes a curve of scores, without those that no threshold blocks', () => {
    const tally = createTally()
    tally.add(0, ALLOW, 10, false, 80)
    tally.add(0, FLAG, 85, false, 80) // taken back: a protected caller
    tally.add(0, ALLOW, 60, true, 80) // favoured
    tally.add(1, BLOCK, 90, false, 80)
    tally.add(FIRST_ATTACK_KIND, BLOCK, 95, false, 80)
    tally.add(FIRST_ATTACK_KIND, BLOCK, 20, false, 80) // a deny list
    tally.add(FIRST_ATTACK_KIND, FLAG, 79, false, 80)
    tally.add(FIRST_ATTACK_KIND, ALLOW, 0, false, 80)
    const curve = curveOf(tally)
    const at = (threshold: number) => curve.find((point) => point.threshold === threshold)
    expect(at(100)).toEqual({ threshold: 100, maliciousBlockedShare: 0.25, benignBlockedPer100000: 0 })
    expect(at(95)?.maliciousBlockedShare).toBe(0.5)
    expect(at(90)?.benignBlockedPer100000).toBe(25_000)
    expect(at(79)?.maliciousBlockedShare).toBe(0.75)
    expect(at(1)).toEqual({ threshold: 1, maliciousBlockedShare: 0.75, benignBlockedPer100000: 50_000 })
    expect(tally.flagged[0]).toBe(1)
  })
})

describe('a chart', () => {
  it('keeps points inside its frame and text as text', () => {
    const svg = svgChart({
      title: 'a < b & "c"',
      x: { label: 'x', min: 1, max: 100, ticks: [1, 100], isLog: true },
      y: { label: 'y', min: 0, max: 1, ticks: [0, 1] },
      lines: [
        {
          name: 'line',
          points: [
            [0, 0],
            [1_000, 2],
          ],
        },
      ],
    })
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;')
    expect(svg).toContain('M70 400L740 40')
  })
})
