import { standingFrom } from '../domain/number-standing.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import { NUMBER_STANDINGS, type NumberStanding } from '../domain/report.ts'
import type { VerdictAnswer } from './messages.ts'
import type { PeerQuestions } from './peer-questions.ts'

/** A verdict process answers in about a millisecond; a report must not wait for one that makes a snapshot. */
export const STANDING_WAIT_MS = 20

/**
 * What a reported number's own calls say about it: the best that one verdict process says of one kind of ingress. Never
 * rejects; a number nobody answers about in time is `unknown`.
 */
export function createStandings(dependencies: {
  readonly questions: Pick<PeerQuestions, 'ask'>
  readonly now: () => number
}): (number: PhoneNumber) => Promise<NumberStanding> {
  const { questions, now } = dependencies
  return async (number) =>
    bestStanding(await questions.ask({ about: 'number', number, nowMs: now() }, STANDING_WAIT_MS))
}

function bestStanding(answers: readonly VerdictAnswer[]): NumberStanding {
  let best = 0
  for (const answer of answers) {
    if (!('number' in answer)) continue
    for (const history of Object.values(answer.number.outgoing))
      best = Math.max(best, NUMBER_STANDINGS.indexOf(standingFrom(history)))
  }
  return NUMBER_STANDINGS[best] ?? 'unknown'
}
