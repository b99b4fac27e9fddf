import { describe, expect, it } from 'vitest'
import { mixNumber } from '../../src/shm/hash.ts'
import {
  addToSketch,
  measureSketch,
  moveSketch,
  REGISTERS,
  SKETCH_WORDS,
  sketchMayHave,
  startSketch,
} from '../../src/shm/sliding-sketch.ts'

const SEED = 20_260_314
const ROUNDS = 150
/** HyperLogLog's, for as many registers. */
const STANDARD_ERROR = 1.04 / Math.sqrt(REGISTERS)

function sketchOf() {
  const memory = new ArrayBuffer(SKETCH_WORDS * 4)
  const words = new Int32Array(memory)
  startSketch(words, 0)
  return { words, halves: new Uint16Array(memory), bytes: new Uint8Array(memory) }
}

/** Random, not consecutive: callees of a dialler are neither. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let x = Math.imul(state ^ (state >>> 15), 1 | state)
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

describe('the sliding sketch', () => {
  it('promises at most 5 %', () => {
    expect(STANDARD_ERROR).toBeLessThan(0.05)
  })

  it.each([50, 300, 1_000, 5_000, 50_000])('has its standard error, and no bias, at %i distinct', (distinct) => {
    const random = mulberry32(SEED + distinct)
    const errors: number[] = []
    const rounds = Math.min(ROUNDS, Math.ceil(2_000_000 / distinct))
    for (let round = 0; round < rounds; round++) {
      const { words, halves, bytes } = sketchOf()
      for (let i = 0; i < distinct; i++) {
        const number = 79_000_000_000 + Math.floor(random() * 1e9)
        addToSketch(words, halves, bytes, 0, mixNumber(number), 1)
        if (i % 7 === 0) addToSketch(words, halves, bytes, 0, mixNumber(number), 1) // again: nothing
      }
      errors.push(words[2]! / distinct - 1)
    }
    const mean = errors.reduce((sum, error) => sum + error, 0) / rounds
    const root = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / rounds)
    // 40 to 150 rounds know a standard error to a tenth: three times that, and three errors of the mean.
    expect(root).toBeLessThan(STANDARD_ERROR * 1.3)
    expect(Math.abs(mean)).toBeLessThan((3 * STANDARD_ERROR) / Math.sqrt(rounds) + 0.002)
  })

  it('has it for sequential numbers too, which is how ranges are dialled', () => {
    const errors = Array.from({ length: ROUNDS }, (_, round) => {
      const { words, halves, bytes } = sketchOf()
      for (let i = 0; i < 3_000; i++)
        addToSketch(words, halves, bytes, 0, mixNumber(79_000_000_000 + round * 3_000 + i), 1)
      return words[2]! / 3_000 - 1
    })
    const root = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / ROUNDS)
    expect(root).toBeLessThan(STANDARD_ERROR * 1.3)
  })

  it('estimates all three windows as they slide, the same whether read ahead or moved on', () => {
    const random = mulberry32(SEED)
    const { words, halves, bytes } = sketchOf()
    const seen = new Map<number, number>() // number -> last minute
    const squares = [0, 0, 0]
    const measured = [0, 0, 0]
    const into = new Int32Array(SKETCH_WORDS)
    const first = 29_000_000
    let previous = first
    for (let minute = first; minute < first + 400; minute += 1 + Math.floor(random() * random() * 20)) {
      if (minute > previous) {
        measureSketch(words, bytes, 0, previous, minute - previous, into)
        moveSketch(words, halves, bytes, 0, minute, minute - previous)
        expect([...words.subarray(0, 3)]).toEqual([...into.subarray(0, 3)])
      }
      previous = minute
      const calls = 500 + Math.floor(random() * 3_000)
      for (let i = 0; i < calls; i++) {
        const number = 79_000_000_000 + Math.floor(random() * 60_000)
        seen.set(number, minute)
        addToSketch(words, halves, bytes, 0, mixNumber(number), minute)
      }
      for (const [window, minutes] of [1, 15, 60].entries()) {
        let exact = 0
        for (const last of seen.values()) if (minute - last < minutes) exact++
        squares[window]! += (words[window]! / exact - 1) ** 2
        measured[window]!++
      }
      expect(words[0]).toBeLessThanOrEqual(words[1]!)
      expect(words[1]).toBeLessThanOrEqual(words[2]!)
    }
    // Neighbouring windows share most of their numbers, so that their errors are few: twice is still improbable.
    for (const window of [0, 1, 2]) expect(Math.sqrt(squares[window]! / measured[window]!)).toBeLessThan(0.08)
    measureSketch(words, bytes, 0, previous, 59, into)
    expect(into[0]).toBe(0)
    expect(into[2]).toBeGreaterThan(0)
    measureSketch(words, bytes, 0, previous, 60, into)
    expect([...into.subarray(0, 3)]).toEqual([0, 0, 0])
  })

  it('never denies a hash of the hour', () => {
    const { words, halves, bytes } = sketchOf()
    for (let i = 0; i < 300; i++) addToSketch(words, halves, bytes, 0, mixNumber(79_000_000_000 + i), 1_000)
    moveSketch(words, halves, bytes, 0, 1_059, 59)
    for (let i = 0; i < 300; i++) expect(sketchMayHave(bytes, 0, mixNumber(79_000_000_000 + i), 1_059)).toBe(true)
    moveSketch(words, halves, bytes, 0, 1_060, 1)
    for (let i = 0; i < 300; i++) expect(sketchMayHave(bytes, 0, mixNumber(79_000_000_000 + i), 1_060)).toBe(false)
  })
})
