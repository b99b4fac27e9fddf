import { describe, expect, it } from 'vitest'
import { createGoodTalksNoter } from '../../../src/processes/note-good-talks.ts'

const WORD = { type: 'good-talks', number: 79_160_000_001, ingress: 3, callees: 4, atMs: 7 } as const

describe('long talks that a verdict process tells control about', () => {
  it('are noted as they are', async () => {
    const noted: unknown[] = []
    const goodCalls = { note: async (...what: unknown[]) => noted.push(what) > 0 }
    await createGoodTalksNoter({ goodCalls, now: () => 0, log: { warn: () => {} } })(WORD)
    expect(noted).toEqual([[79_160_000_001, 3, 4, 7]])
  })

  it('are left when the record cannot be read, with a line a minute', async () => {
    let nowMs = 1_000_000
    let lines = 0
    const goodCalls = { note: () => Promise.reject(new Error('MDB_BAD_TXN')) }
    const note = createGoodTalksNoter({ goodCalls, now: () => nowMs, log: { warn: () => void lines++ } })
    await note(WORD)
    await note(WORD)
    expect(lines).toBe(1)
    nowMs += 59_999
    await note(WORD)
    expect(lines).toBe(1)
    nowMs += 1
    await note(WORD)
    expect(lines).toBe(2)
  })
})
