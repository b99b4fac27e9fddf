/**
 * Who tells the hotline what: victims after a while, some of them wrongly; people annoyed by a business; and colluders, who
 * were never called.
 */
import { INGRESS_KINDS } from '../../src/domain/call-event.ts'
import type { Channel, Scenario } from '../../src/domain/report.ts'
import type { Attack, Reporting } from './attack-schema.ts'
import { type CallPool, FIRST_ATTACK_KIND } from './call-pool.ts'
import { drawReportLagMs } from './measured.ts'
import { createWeightedDraw, type Random } from './random.ts'
import { BUSINESSES } from './world/businesses.ts'
import { type BenignKind, kindIndex } from './world/kinds.ts'
import { REPORTS } from './world/parameters.ts'
import type { Population } from './world/people.ts'
import { MINUTE_MS } from './world/time.ts'

/** A report on its way. */
export type PlannedReport = {
  readonly number: number
  /** A telephone number with +, or an opaque id. */
  readonly reporter: string
  readonly channel: Channel
  readonly scenario: Scenario
  /** INGRESS_KINDS index; 0: the channel does not know. */
  readonly ingress: number
  /** When the call was. */
  readonly atMs: number
  /** genuine: about a fraud call by its number. The others are wrong, annoyed, or lies. */
  readonly nature: 'genuine' | 'wrong' | 'annoyed' | 'bombing'
}

export type Victims = {
  /** An answered call is over: perhaps somebody reports it. */
  after(slot: number, atMs: number): void
  /** A benign call: its caller may be mixed up with another by somebody. */
  remember(slot: number): void
  /** Numbers under attack by reports: number to its party. */
  readonly bombed: ReadonlyMap<number, number>
}

export type VictimsDependencies = {
  readonly population: Population
  readonly pool: CallPool
  readonly placeReport: (report: PlannedReport, atMs: number) => void
  readonly random: Random
}

const MIXED_UP_AMONG = 512

export function createVictims(
  options: {
    readonly attacks: readonly Attack[]
    readonly startMs: number
    readonly endMs: number
    readonly calls: number
  },
  deps: VictimsDependencies,
): Victims {
  const { population, pool, placeReport, random } = deps
  const { parties } = population
  const drawChannel = createWeightedDraw(REPORTS.channels.map(([, share]) => share))
  const annoyance = new Map(BUSINESSES.map(({ kind, reported }) => [kindIndex(kind), reported]))
  const recent = new Float64Array(MIXED_UP_AMONG)
  let remembered = 0
  const bombed = new Map<number, number>()

  function bomb(reporting: Reporting, name: string): void {
    const own = random.stream(name)
    const kinds = new Set(reporting.targets.map((kind) => kindIndex(kind as BenignKind)))
    const candidates: number[] = []
    for (let party = 0; party < parties.count; party++) if (kinds.has(parties.kind[party]!)) candidates.push(party)
    const colluders = Array.from({ length: reporting.colluders }, (_, at) =>
      reporting.opaque ? `${name}-${at}-${own.below(1e9)}` : `+${parties.number[own.below(parties.ownCount)]}`,
    )
    const count = Math.max(1, Math.round(reporting.numbersPerMillion * (options.calls / 1e6)))
    for (let at = 0; at < count; at++) {
      const party = own.pick(candidates)
      const number = parties.number[party]!
      bombed.set(number, party)
      const firstMs = options.startMs + own.unit() * 0.8 * (options.endMs - options.startMs)
      const [least, most] = reporting.reportsPerNumber
      const offset = own.below(colluders.length)
      for (let index = own.between(least, most); index > 0; index--) {
        const atMs = firstMs + own.unit() * reporting.withinMinutes * MINUTE_MS
        const reporter = colluders[(offset + index) % colluders.length]!
        const { channel, scenario } = reporting
        // They say when they were called, as everybody does: less would be looked for in more days than a run has.
        const saidMs = atMs - MINUTE_MS * own.between(2, 600)
        placeReport({ number, reporter, channel, scenario, ingress: 0, atMs: saidMs, nature: 'bombing' }, atMs)
      }
    }
  }
  for (const { reporting, name } of options.attacks) if (reporting !== undefined) bomb(reporting, name)

  /** One digit of the last nine becomes another. */
  function mistyped(number: number): number {
    const scale = 10 ** random.below(9)
    const digit = Math.floor(number / scale) % 10
    return number + (((digit + 1 + random.below(9)) % 10) - digit) * scale
  }

  function report(slot: number, atMs: number, scenario: Scenario, nature: PlannedReport['nature']): void {
    let number = pool.caller[slot]!
    let told = nature
    const chance = random.unit()
    if (nature === 'genuine' && chance < REPORTS.mistyped) {
      number = mistyped(number)
      told = 'wrong'
    } else if (nature === 'genuine' && chance < REPORTS.mistyped + REPORTS.wrongCaller && remembered > 0) {
      number = recent[random.below(Math.min(remembered, MIXED_UP_AMONG))]!
      told = 'wrong'
    }
    const callee = pool.callee[slot]!
    const channel = REPORTS.channels[drawChannel(random)]![0]
    const reporter = random.chance(REPORTS.opaque) ? `${channel}-${callee}` : `+${callee}`
    const ingress = random.chance(REPORTS.ingressKnown) ? pool.ingress[slot]! : INGRESS_KINDS.indexOf('unknown')
    const callMs = pool.atMs[slot]!
    placeReport(
      { number, reporter, channel, scenario, ingress, atMs: callMs, nature: told },
      atMs + drawReportLagMs(random),
    )
  }

  return {
    bombed,
    after(slot, atMs) {
      if (pool.answered[slot] === 0 || pool.calleeParty[slot]! < 0) return
      const kind = pool.kind[slot]!
      const attack = options.attacks[kind - FIRST_ATTACK_KIND]
      if (attack?.calling !== undefined) {
        const { reported, scenario } = attack.calling
        if (random.chance(reported ?? REPORTS.ofAnswered)) report(slot, atMs, scenario ?? 'spam', 'genuine')
        return
      }
      const share = annoyance.get(kind)
      if (share !== undefined && share > 0 && random.chance(share)) report(slot, atMs, 'spam', 'annoyed')
    },
    remember(slot) {
      if (pool.caller[slot]! > 0) recent[remembered++ % MIXED_UP_AMONG] = pool.caller[slot]!
    },
  }
}
