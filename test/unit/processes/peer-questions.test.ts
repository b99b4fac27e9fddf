import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { NumberBehaviour } from '../../../src/engine/number-behaviour.ts'
import type { VerdictAnswer, VerdictQuestion } from '../../../src/processes/messages.ts'
import { createPeerQuestions } from '../../../src/processes/peer-questions.ts'

const QUESTION: VerdictQuestion = { about: 'number', number: 79160000002 as never, nowMs: 1 }
const WAIT_MS = 20
const answerOf = (blockHarm: number): VerdictAnswer => {
  const number: NumberBehaviour = { outgoing: {}, blockHarm: { unknown: blockHarm } }
  return { number }
}

function open(...labels: string[]) {
  const sent: number[] = []
  const questions = createPeerQuestions({ send: (id) => sent.push(id) })
  questions.onPeers(labels)
  const answer = (id: number, label: string, blockHarm: number) =>
    questions.onAnswered({ type: 'answered', id, label, answer: answerOf(blockHarm) })
  return { questions, sent, answer, ask: () => questions.ask(QUESTION, WAIT_MS) }
}

describe('questions to verdict processes', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('are answered as soon as all have answered, and leave no timer', async () => {
    const { answer, ask } = open('a', 'b')
    const asked = ask()
    answer(1, 'b', 2)
    answer(1, 'a', 1)
    expect(await asked).toEqual([answerOf(2), answerOf(1)])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('are answered with what is there when the time is over', async () => {
    const { answer, ask } = open('a', 'b')
    let found: unknown
    void ask().then((answers) => {
      found = answers
    })
    answer(1, 'a', 1)
    await vi.advanceTimersByTimeAsync(WAIT_MS - 1)
    expect(found).toBeUndefined()
    await vi.advanceTimersByTimeAsync(1)
    expect(found).toEqual([answerOf(1)])
  })

  it('are not asked when nobody is up', async () => {
    const { sent, ask } = open()
    expect(await ask()).toEqual([])
    expect(sent).toEqual([])
  })

  it('do not wait for a process that has gone', async () => {
    const { questions, answer, ask } = open('a', 'b')
    const asked = ask()
    answer(1, 'a', 1)
    questions.onPeers(['a'])
    expect(await asked).toEqual([answerOf(1)])
  })

  it('do not wait for a process that came up later', async () => {
    const { questions, answer, ask } = open('a')
    const asked = ask()
    questions.onPeers(['a', 'b'])
    answer(1, 'b', 9)
    answer(1, 'a', 1)
    expect(await asked).toEqual([answerOf(1)])
  })

  it('take one answer of each, and none that is late or of another question', async () => {
    const { answer, ask } = open('a', 'b')
    const first = ask()
    const second = ask()
    answer(1, 'a', 1)
    answer(1, 'a', 7)
    answer(3, 'b', 8)
    answer(2, 'a', 3)
    answer(1, 'b', 2)
    expect(await first).toEqual([answerOf(1), answerOf(2)])
    answer(1, 'b', 6)
    answer(2, 'b', 4)
    expect(await second).toEqual([answerOf(3), answerOf(4)])
  })

  it('are 1,024 at most at a time: one more gets no answer, until others are over', async () => {
    const { sent, ask } = open('a')
    const asked = Array.from({ length: 1_024 }, ask)
    expect(await ask()).toEqual([])
    expect(sent).toHaveLength(1_024)
    await vi.advanceTimersByTimeAsync(WAIT_MS)
    await Promise.all(asked)
    const after = ask()
    expect(sent).toHaveLength(1_025)
    await vi.advanceTimersByTimeAsync(WAIT_MS)
    expect(await after).toEqual([])
  })
})
