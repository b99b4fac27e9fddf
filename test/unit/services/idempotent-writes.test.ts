import { describe, expect, it } from 'vitest'
import { createIdempotentWrites } from '../../../src/services/idempotent-writes.ts'
import { createMemoryStore } from '../../../src/stores/memory/memory-store.ts'

const OPTIONS = { keptMax: 3, keptMs: 1_000 }
const ANSWER = { status: 202, headers: {}, body: '{}' }
const write = (key: string, fingerprint = 'f', actor = 'a') => ({ actor, key, fingerprint })

function open() {
  const clock = { nowMs: 10_000 }
  const store = createMemoryStore()
  const now = () => clock.nowMs
  return { clock, store, reopen: () => createIdempotentWrites(OPTIONS, { store, now }) }
}

describe('idempotent writes', () => {
  it('replays an answer after a restart', async () => {
    const { reopen } = open()
    const before = reopen()
    expect(before.begin(write('k'))).toBeUndefined()
    await before.keep(write('k'), ANSWER)
    expect(reopen().begin(write('k'))).toEqual(ANSWER)
  })

  it('tells actors apart', async () => {
    const writes = open().reopen()
    writes.begin(write('k'))
    await writes.keep(write('k'), ANSWER)
    expect(writes.begin(write('k', 'f', 'b'))).toBeUndefined()
  })

  it('refuses a second one while the first runs, and lets it in when the first failed', () => {
    const writes = open().reopen()
    writes.begin(write('k'))
    expect(() => writes.begin(write('k'))).toThrow(expect.objectContaining({ code: 'IDEMPOTENCY_IN_FLIGHT' }))
    expect(() => writes.begin(write('k', 'other'))).toThrow(expect.objectContaining({ code: 'IDEMPOTENCY_CONFLICT' }))
    writes.forget(write('k'))
    expect(writes.begin(write('k', 'other'))).toBeUndefined()
  })

  it('keeps so many and no more, across restarts', async () => {
    const { store, reopen } = open()
    for (let index = 0; index < 6; index++) {
      const writes = reopen()
      writes.begin(write(`k${index}`))
      await writes.keep(write(`k${index}`), ANSWER)
    }
    expect(store.documents('idempotency', 100)).toHaveLength(OPTIONS.keptMax)
    expect(reopen().begin(write('k5'))).toEqual(ANSWER)
    expect(reopen().begin(write('k2'))).toBeUndefined()
  })

  it('forgets after its time', async () => {
    const { clock, reopen } = open()
    const writes = reopen()
    writes.begin(write('k'))
    await writes.keep(write('k'), ANSWER)
    clock.nowMs += OPTIONS.keptMs - 1
    expect(writes.begin(write('k'))).toEqual(ANSWER)
    clock.nowMs += 1
    expect(writes.begin(write('k', 'another'))).toBeUndefined()
  })

  it('does not keep an answer that is too long', async () => {
    const { store, reopen } = open()
    const writes = reopen()
    for (const [key, chars] of [
      ['fits', 65_536],
      ['too long', 65_537],
    ] as const) {
      writes.begin(write(key))
      await writes.keep(write(key), { ...ANSWER, body: 'x'.repeat(chars) })
    }
    expect(store.documents('idempotency', 100)).toHaveLength(1)
    expect(writes.begin(write('too long'))).toBeUndefined()
  })
})
