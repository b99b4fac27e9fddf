import { describe, expect, it } from 'vitest'
import {
  createLongTalks,
  LONG_TALKS_MAX,
  noteLongTalk,
  openLongTalks,
  takeLongTalks,
} from '../../../src/shm/long-talks.ts'

const CALLER = 79_160_000_001
/** The longest number there is: 15 digits. */
const LONGEST = 999_999_999_999_999

function open(slots: number) {
  const memory = createLongTalks(slots)
  const [thread, main] = [openLongTalks(memory), openLongTalks(memory)]
  const take = (max = 1_000) => {
    const talks: [number, number, number][] = []
    takeLongTalks(main, max, (...talk) => talks.push(talk))
    return talks
  }
  return { thread, take }
}

describe('the ring of long talks', () => {
  it('hands over caller and ingress kind in order, once, with one hash for one callee', () => {
    const { thread, take } = open(8)
    expect(take()).toEqual([])
    noteLongTalk(thread, CALLER, 79_260_000_001, 0)
    noteLongTalk(thread, LONGEST, 79_260_000_001, 3)
    noteLongTalk(thread, 112, LONGEST, 1)
    const talks = take()
    expect(talks.map(([caller, ingress]) => [caller, ingress])).toEqual([
      [CALLER, 0],
      [LONGEST, 3],
      [112, 1],
    ])
    expect(talks[0]?.[2]).toBe(talks[1]?.[2])
    expect(talks[0]?.[2]).not.toBe(talks[2]?.[2])
    expect(take()).toEqual([])
  })

  it('loses what finds no room, and goes on when it was read', () => {
    const { thread, take } = open(4)
    for (let i = 0; i < 4; i++) expect(noteLongTalk(thread, CALLER + i, 1_000_000, 0)).toBe(true)
    expect(noteLongTalk(thread, CALLER + 4, 1_000_000, 0)).toBe(false)
    expect(take(1).map(([caller]) => caller)).toEqual([CALLER])
    expect(noteLongTalk(thread, CALLER + 5, 1_000_000, 0)).toBe(true)
    expect(noteLongTalk(thread, CALLER + 6, 1_000_000, 0)).toBe(false)
    expect(take().map(([caller]) => caller)).toEqual([CALLER + 1, CALLER + 2, CALLER + 3, CALLER + 5])
  })

  it('goes on when its counts come round', () => {
    const { thread, take } = open(4)
    // Words 3 and 4 are the counts of slots read and given.
    for (const start of [0x7fff_fffe, -2]) {
      thread.words[3] = start
      thread.words[4] = start
      for (let i = 0; i < 4; i++) expect(noteLongTalk(thread, CALLER + i, 1_000_000, 2)).toBe(true)
      expect(noteLongTalk(thread, CALLER, 1_000_000, 2)).toBe(false)
      expect(take().map(([caller]) => caller - CALLER)).toEqual([0, 1, 2, 3])
    }
  })

  it('has a bound, and refuses other memory', () => {
    expect(() => createLongTalks(LONG_TALKS_MAX + 1)).toThrow(RangeError)
    expect(() => openLongTalks(new SharedArrayBuffer(64))).toThrow(expect.objectContaining({ code: 'SNAPSHOT_FORMAT' }))
  })
})
