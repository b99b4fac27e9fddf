/** The production path of a report and of the verdict that follows, with the clock and the network of the world. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parse as parseYaml } from 'yaml'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import type { Call } from '../../src/domain/call-event.ts'
import { standingFrom } from '../../src/domain/number-standing.ts'
import { diallingRules, parsePhoneNumber } from '../../src/domain/parse-phone-number.ts'
import { parsePolicy } from '../../src/domain/parse-policy.ts'
import { isPhoneNumber, type PhoneNumber } from '../../src/domain/phone-number.ts'
import { burstIsSuspicious, DOUBT_DEFAULTS, reportsAreContested } from '../../src/domain/report-doubts.ts'
import type { ReviewOutcome } from '../../src/domain/review.ts'
import { compilePolicy } from '../../src/engine/compiled-policy.ts'
import { clearEvidence, createEvidence } from '../../src/engine/evidence.ts'
import { readReputation } from '../../src/engine/gather-evidence.ts'
import { judge } from '../../src/engine/judge.ts'
import { createReportIntake, REPORT_INTAKE_DEFAULTS } from '../../src/services/accept-report.ts'
import { createPseudonyms } from '../../src/services/pseudonym.ts'
import { createReviewDesk } from '../../src/services/review-number.ts'
import { createMemoryStore } from '../../src/stores/memory/memory-store.ts'
import { createCall } from '../../src/transports/data-plane/read-call.ts'
import { historyOf, type ReportEvent, type World } from './world.ts'

const HOME = diallingRules('RU')
const POLICY = parsePolicy(parseYaml(readFileSync(path.join(PACKAGE_DIRECTORY, 'data/policy.yaml'), 'utf8')))
const COMPILED = compilePolicy(POLICY, 1, HOME)
const CONTEXT = { policy: COMPILED, plans: [], home: HOME, screening: 'enforce' } as const

export function numberOf(text: string): PhoneNumber {
  const parsed = parsePhoneNumber(text, HOME, 'call')
  if (!isPhoneNumber(parsed)) throw new RangeError(`${text} is no number.`)
  return parsed
}

export function createScreening(world: World, corroboratedMin: number) {
  const rules = { ...POLICY.reports, ...DOUBT_DEFAULTS, corroboratedMin }
  let nowMs = 0
  const now = () => nowMs
  const store = createMemoryStore({}, { now })
  const parse = (text: string) => parsePhoneNumber(text, HOME, 'call')
  /** Calls that reporters did get, as the pair memory keeps them. */
  const calls = new Set<string>()
  const texts = new Map<PhoneNumber, string>()
  const intake = createReportIntake(REPORT_INTAKE_DEFAULTS, {
    store,
    pseudonyms: createPseudonyms({ key: new Uint8Array(32) }, { parse }),
    membership: { of: () => [] },
    parse,
    callMatch: async (caller, reporter) => {
      if (!isPhoneNumber(reporter)) return 'unknown'
      return calls.has(`${caller} ${reporter}`) ? 'yes' : 'no'
    },
    standingOf: async (number) => standingFrom(historyOf(world, texts.get(number)!, nowMs)),
    notify: async () => {},
    now,
    metrics: { accepted: () => {} },
  })
  const denied = new Set<PhoneNumber>()
  const desk = createReviewDesk({
    store,
    membership: { of: () => [] },
    addEntries: async (_list, entries) => {
      for (const { from } of entries) denied.add(from)
    },
    notify: async () => {},
    now,
  })
  const evidence = createEvidence()

  return {
    store,
    setTime(ms: number) {
      nowMs = Math.max(nowMs, Math.floor(ms))
    },
    async report({ number, reporter, channel, opinion, wasCalled }: ReportEvent) {
      const caller = numberOf(number)
      texts.set(caller, number)
      const person = parse(reporter)
      if (wasCalled && isPhoneNumber(person)) calls.add(`${caller} ${person}`)
      return intake.accept({ number, reporter, channel, opinion, scenario: 'bank' }, 'evaluation')
    },
    close: (reviewId: string, outcome: ReviewOutcome) => desk.close(reviewId, { outcome }, 'anna'),
    /** What the next call from the number is told. */
    verdict(number: PhoneNumber): 'allow' | 'flag' | 'block' {
      if (denied.has(number)) return 'block'
      const record = store.reputationOf(number)
      if (record === undefined) return 'allow'
      clearEvidence(evidence, 0)
      readReputation(record, nowMs, COMPILED, evidence)
      const call: Call = {
        ...createCall(),
        caller: number,
        callee: numberOf('+79161234567'),
        nowMs,
        deadlineMs: nowMs + 50,
      }
      const { verdict } = judge(call, evidence, CONTEXT)
      if (verdict !== 'block') return verdict
      const isDoubtful = burstIsSuspicious(record, 0, nowMs, rules) || reportsAreContested(record, 0, nowMs, rules)
      return isDoubtful ? 'flag' : 'block'
    },
  }
}
