import { describe, expect, it, vi } from 'vitest'
import type { PhoneNumber } from '../../../src/domain/phone-number.ts'
import { createStandings, STANDING_WAIT_MS } from '../../../src/processes/ask-standing.ts'
import type { VerdictAnswer, VerdictQuestion } from '../../../src/processes/messages.ts'
import { createPeerQuestions } from '../../../src/processes/peer-questions.ts'
import { createActivityView } from '../../../src/shm/activity.ts'

const NUMBER = 79_160_000_001 as PhoneNumber
const KNOWN = { days: 30, totalAnswered: 20, totalLong: 10 }
const BUSY = { days: 30, totalAnswered: 5_000, totalLong: 10 }

/** Processes and what they have of the number, by ingress kind; undefined: it does not answer. */
function standingWith(processes: Readonly<Record<string, Readonly<Record<string, object>> | undefined>>) {
  const sent: VerdictQuestion[] = []
  const questions = createPeerQuestions({
    send(id, question) {
      sent.push(question)
      for (const [label, rows] of Object.entries(processes)) {
        if (rows === undefined) continue
        const outgoing = Object.fromEntries(
          Object.entries(rows).map(([kind, row]) => [kind, { ...createActivityView(), ...row }]),
        )
        const answer: VerdictAnswer = { number: { outgoing, blockHarm: {} } }
        queueMicrotask(() => questions.onAnswered({ type: 'answered', id, label, answer }))
      }
    },
  })
  questions.onPeers(Object.keys(processes))
  return { sent, standing: createStandings({ questions, now: () => 5 })(NUMBER) }
}

describe('what the calls of a reported number say about it', () => {
  it('is the best of any process and any kind of ingress', async () => {
    const { sent, standing } = standingWith({
      'verdict-1': { national: {}, subscriber: KNOWN },
      'verdict-2': { international: BUSY, subscriber: KNOWN },
    })
    expect(await standing).toBe('high-volume')
    expect(sent).toEqual([{ about: 'number', number: NUMBER, nowMs: 5 }])
    expect(await standingWith({ 'verdict-1': { subscriber: KNOWN }, 'verdict-2': {} }).standing).toBe('established')
  })

  it('is unknown when it never called, or nobody is there to say', async () => {
    expect(await standingWith({ 'verdict-1': {} }).standing).toBe('unknown')
    expect(await standingWith({}).standing).toBe('unknown')
  })

  it('does not wait for a process that is busy', async () => {
    vi.useFakeTimers()
    try {
      const { standing } = standingWith({ 'verdict-1': { subscriber: KNOWN }, 'verdict-2': undefined })
      let isSettled = false
      void standing.then(() => (isSettled = true))
      await vi.advanceTimersByTimeAsync(STANDING_WAIT_MS - 1)
      expect(isSettled).toBe(false)
      await vi.advanceTimersByTimeAsync(1)
      expect(await standing).toBe('established')
    } finally {
      vi.useRealTimers()
    }
  })
})
