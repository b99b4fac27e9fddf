/** What goes on beside the traffic: reports, imports, reloads of the policy, and questions whose answers are known. */
import { rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { RunningService } from '../../test/support/run-service.ts'
import { POOLS } from '../generator/traffic.ts'
import { generatedNumber, writeNumbersFile } from '../lib/generate-numbers.ts'
import { call, importFile } from '../lib/service-client.ts'
import { steadily } from '../lib/steadily.ts'
import { steadyReports } from '../lib/steady-reports.ts'

const REPORTS_PER_SECOND = 10
const RELOAD_EVERY_SECONDS = 10
const QUESTIONS_PER_SECOND = 10
/** Rows of the lists that are imported in turn. */
export const IMPORT_ROWS = [5_000, 50_000, 200_000] as const
/** Where their numbers begin, as indexes of generatedNumber, with room for a shift of each. */
const IMPORT_NUMBERS = 200_000_000
const APART = 1_000_000
/** Between two imports of a list a tenth of it changes; more than a fifth would be held. */
const SHIFTS = 2
const CALLEES = 650_000_000
/** Callers that call but once. */
const STRANGERS = 950_000_000

export type Changes = {
  /** Answers that were not what they had to be, the first few, and how many of how many. */
  readonly wrong: readonly string[]
  counts(): Readonly<Record<'reports' | 'imports' | 'reloads' | 'asked' | 'late' | 'wrong' | 'failed', number>>
  problems(): readonly string[]
  stop(): Promise<void>
}

export function startChanges(service: RunningService, listed: number, importEverySeconds: number): Changes {
  const wrong: string[] = []
  let wrongCount = 0
  let asked = 0
  let late = 0
  async function check(caller: string, expected: string, index: number): Promise<void> {
    const { decision, reasons } = await ask(service, caller, index)
    asked++
    if (decision === expected) return
    if (reasons.some(({ code }) => code === 'overloaded')) {
      late++
      return
    }
    wrongCount++
    if (wrong.length < 5) wrong.push(`${expected} expected, got ${decision} (question ${index})`)
  }
  const works = {
    reports: steadyReports(service, REPORTS_PER_SECOND),
    imports: steadily(1 / importEverySeconds, (index) => importOne(service, index, check), { isAlone: true }),
    reloads: steadily(1 / RELOAD_EVERY_SECONDS, () => reload(service), { isAlone: true }),
    questions: steadily(QUESTIONS_PER_SECOND, (index) => {
      const [caller, expected] = question(index, listed)
      return check(caller, expected, index)
    }),
  }
  const all = Object.values(works)
  return {
    wrong,
    counts: () => ({
      reports: works.reports.done,
      imports: works.imports.done,
      reloads: works.reloads.done,
      asked,
      late,
      wrong: wrongCount,
      failed: all.reduce((total, { failed }) => total + failed, 0),
    }),
    problems: () => all.flatMap(({ problems }) => problems),
    async stop() {
      await Promise.all(all.map((work) => work.stop()))
    },
  }
}

type Check = (caller: string, expected: string, index: number) => Promise<void>

/** A number of each kind in turn; three reports make a flag. */
function question(index: number, listed: number): [caller: string, decision: string] {
  switch (index % 4) {
    case 0:
      return [generatedNumber((index * 7_919) % listed), 'block']
    case 1:
      return [generatedNumber(index % POOLS.reported.range, POOLS.reported.first), 'flag']
    case 2:
      return [generatedNumber(index % POOLS.contacts.range, POOLS.contacts.first), 'allow']
    default:
      return [generatedNumber(index, STRANGERS), 'allow']
  }
}

type Verdict = { readonly decision: string; readonly reasons: readonly { readonly code: string }[] }

async function ask(service: RunningService, caller: string, index: number): Promise<Verdict> {
  const isContact = index % 4 === 2
  const callee = isContact
    ? generatedNumber(index % POOLS.contacted.range, POOLS.contacted.first)
    : generatedNumber(index % APART, CALLEES)
  const response = await fetch(`${service.verdictUrl}/v1/verdict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ caller, callee, callId: `soak-${caller}-${index}`, ingress: { kind: 'national' } }),
  })
  if (!response.ok) throw new Error(`A question got ${response.status}.`)
  return (await response.json()) as Verdict
}

async function importOne(service: RunningService, index: number, check: Check): Promise<void> {
  const which = index % IMPORT_ROWS.length
  const rows = IMPORT_ROWS[which] ?? 0
  const round = Math.floor(index / IMPORT_ROWS.length)
  const first = IMPORT_NUMBERS + which * APART + ((round % SHIFTS) * rows) / 10
  const list = `soak-${rows}`
  const file = path.join(os.tmpdir(), `${list}.csv`)
  writeNumbersFile(file, rows, first)
  if (round === 0) await again(() => call(service, 'PUT', `/v1/lists/${list}`, { kind: 'deny' }))
  const { record } = await importFile(service, list, file, 'mode=replace')
  rmSync(file)
  if (record.state !== 'active') throw new Error(`The import ended ${record.state}: ${JSON.stringify(record.problem)}`)
  await check(generatedNumber(rows - 1 - round, first), 'block', 4 * index + 3)
}

async function reload(service: RunningService): Promise<void> {
  const { text } = await again(() => call<{ text: string }>(service, 'GET', '/v1/policy'))
  await call(service, 'PUT', '/v1/policy', { text })
}

/** A connection that was idle for seconds may be closed just when a request leaves on it: that one has changed nothing. */
async function again<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof TypeError) return work()
    throw error
  }
}
