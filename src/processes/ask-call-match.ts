import { isPhoneNumber, isShortCode, type ParsedNumber, type PhoneNumber } from '../domain/phone-number.ts'
import type { CallMatch } from '../domain/report.ts'
import { callHash, createPairHasher } from '../shm/pair-hash.ts'
import type { CallMatchMessage, CallMatchRequestMessage } from './messages.ts'

/**
 * Asks the verdict processes whether a reporter got a call from the number reported. They are told the keyed hash of the
 * pair, no number. `yes` as soon as one remembers it; `no` only when all that take calls say no.
 */
export type CallMatches = {
  onPeers(labels: readonly string[]): void
  onAnswer(message: CallMatchMessage): void
  /** Never rejects. */
  match(caller: PhoneNumber, reporter: ParsedNumber, atMs: number): Promise<CallMatch>
}

export type CallMatchesOptions = {
  /** nodeKey(…, 'pairs'), which the verdict processes note with. */
  readonly key: Uint32Array
  /** How many verdict processes take calls when all are up. */
  readonly processes: number
  /** False: calls may have come in elsewhere (other nodes, a shared port), so nobody here can say no. */
  readonly seesAllCalls: boolean
}

export type CallMatchesDependencies = {
  readonly ask: (message: CallMatchRequestMessage) => void
  readonly now: () => number
}

/** A verdict process answers in about a millisecond; a report must not wait for one that makes a snapshot. */
export const CALL_MATCH_WAIT_MS = 20

/**
 * People are wrong about when they were called, and few by more than a day. A report without a time comes with the
 * present one: then the call may have been on any day that is remembered.
 */
const HAPPENED_SLACK_MS = 24 * 3_600_000
const UNSTATED_MS = 60_000
const REMEMBERED_MS = 7 * 24 * 3_600_000

export function createCallMatches(
  { key, processes, seesAllCalls }: CallMatchesOptions,
  { ask, now }: CallMatchesDependencies,
): CallMatches {
  const hasher = createPairHasher(key)
  const waiting = new Map<number, (message: CallMatchMessage) => void>()
  let labels: readonly string[] = []
  let lastId = 0

  function askAll(low: number, high: number, sinceMs: number): Promise<CallMatch> {
    return new Promise((resolve) => {
      const id = ++lastId
      const answers = new Map<string, CallMatch>()
      const timer = setTimeout(() => finish('unknown'), CALL_MATCH_WAIT_MS)
      function finish(match: CallMatch): void {
        clearTimeout(timer)
        waiting.delete(id)
        resolve(match)
      }
      waiting.set(id, ({ label, match }) => {
        answers.set(label, match)
        if (match === 'yes') finish('yes')
        else if (labels.every((one) => answers.has(one))) finish(jointNo([...answers.values()]))
      })
      ask({ type: 'call-match-request', id, low, high, sinceMs })
    })
  }

  /** A process that is down, or was replaced while it was asked, may have had the call. */
  function jointNo(answers: readonly CallMatch[]): CallMatch {
    const isWhole = seesAllCalls && answers.length === processes && answers.every((match) => match === 'no')
    return isWhole ? 'no' : 'unknown'
  }

  return {
    onPeers(current) {
      labels = current
    },
    onAnswer(message) {
      waiting.get(message.id)?.(message)
    },
    async match(caller, reporter, atMs) {
      if (!isPhoneNumber(reporter) || isShortCode(reporter) || labels.length === 0) return 'unknown'
      const nowMs = now()
      const sinceMs = nowMs - atMs < UNSTATED_MS ? nowMs - REMEMBERED_MS : atMs - HAPPENED_SLACK_MS
      const { low, high } = callHash(hasher, caller, reporter)
      return await askAll(low, high, sinceMs)
    },
  }
}
