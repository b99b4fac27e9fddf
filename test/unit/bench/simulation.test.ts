import { readFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { Attack } from '../../../bench/simulator/attack-schema.ts'
import { FIRST_ATTACK_KIND } from '../../../bench/simulator/call-pool.ts'
import { describeResults } from '../../../bench/simulator/describe-result.ts'
import { readAttacks } from '../../../bench/simulator/read-attacks.ts'
import { runSimulation, type ScreenedCall, type SimulationOptions } from '../../../bench/simulator/run-simulation.ts'
import { BENIGN_KINDS, kindIndex } from '../../../bench/simulator/world/kinds.ts'
import { builtInNumbering } from '../../../bench/simulator/world/numbering.ts'
import { hourOf } from '../../../bench/simulator/world/time.ts'
import { parsePolicy } from '../../../src/domain/parse-policy.ts'

const ROOT = path.join(import.meta.dirname, '../../..')
const policyText = readFileSync(path.join(ROOT, 'data/policy.yaml'), 'utf8')
const policy = parsePolicy(parse(policyText))
const attacks = readAttacks(path.join(ROOT, 'bench/simulator/attacks/test'))

const OPTIONS: SimulationOptions = {
  seed: 11,
  calls: 60_000,
  days: 2,
  warmUpDays: 1,
  fraudShare: 0.005,
  attacks,
  policyText,
  policy,
  numbering: builtInNumbering(),
}

const inOrder = (counts: Float64Array) => Array.from(counts)

describe('a simulation', () => {
  const calls: { -readonly [Key in keyof Omit<ScreenedCall, 'decision'>]: ScreenedCall[Key] }[] = []
  let first: Awaited<ReturnType<typeof runSimulation>>

  beforeAll(async () => {
    first = await runSimulation({
      ...OPTIONS,
      onCall: ({ decision: _, ...call }) => void calls.push(call),
    })
  })

  it('gives the same findings for the same seed and files, to the byte', async () => {
    const again = await runSimulation(OPTIONS)
    expect(JSON.stringify(describeResults([again], attacks))).toBe(JSON.stringify(describeResults([first], attacks)))
    const other = await runSimulation({ ...OPTIONS, seed: 12 })
    expect(inOrder(other.tally.calls)).not.toEqual(inOrder(first.tally.calls))
  }, 120_000)

  it('has about the calls and the share of fraud that were asked for', () => {
    const { malicious, benign, fraudShare } = describeResults([first], attacks)
    expect(Math.abs(benign.calls / OPTIONS.calls - 1)).toBeLessThan(0.05)
    expect(fraudShare).toBeGreaterThan(0.004)
    expect(fraudShare).toBeLessThan(0.006)
    expect(malicious.calls + benign.calls).toBe(calls.length)
  })

  it('makes calls of every benign kind and of every attack', () => {
    // A school calls once in hundreds of thousands of calls.
    const rare = new Set(['school', 'staff-announcement'])
    expect(BENIGN_KINDS.filter((kind) => !rare.has(kind) && first.tally.calls[kindIndex(kind)] === 0)).toEqual([])
    const silent = attacks.filter(({ calling }, index) => calling && first.tally.calls[FIRST_ATTACK_KIND + index] === 0)
    expect(silent.map(({ name }) => name)).toEqual([])
  })

  it('labels as malicious what attacks call, and nothing else', () => {
    const byCaller = new Map<number, Set<boolean>>()
    const own = new Set(
      attacks.flatMap(({ calling }, index) =>
        calling?.pools.every(({ spoofed }) => !spoofed) ? [FIRST_ATTACK_KIND + index] : [],
      ),
    )
    expect(own.size).toBeGreaterThan(5)
    for (const { kind, caller, isMalicious } of calls) {
      expect(isMalicious).toBe(kind >= FIRST_ATTACK_KIND)
      if (isMalicious && !own.has(kind)) continue
      byCaller.set(caller, (byCaller.get(caller) ?? new Set()).add(isMalicious))
    }
    // Numbers that an attacker holds himself call for nobody else. Foreign ones are drawn at random and never meet.
    expect([...byCaller.values()].filter(({ size }) => size > 1)).toEqual([])
  })

  it.each([29, 31, 38])('ends in a small world in which a whole trade is not in use yet, seed %d', async (seed) => {
    const small = { ...OPTIONS, seed, calls: 10_000, days: 1 }
    const result = await runSimulation(small)
    expect(Math.abs(describeResults([result], attacks).benign.calls / small.calls - 1)).toBeLessThan(0.2)
  })

  it('passes in time, most calls by day', () => {
    for (let at = 1; at < calls.length; at++) expect(calls[at]!.atMs).toBeGreaterThanOrEqual(calls[at - 1]!.atMs)
    const night = calls.filter(({ atMs }) => hourOf(atMs) < 6).length / calls.length
    expect(night).toBeGreaterThan(0.01)
    expect(night).toBeLessThan(0.08)
    expect(calls[0]!.atMs).toBeGreaterThanOrEqual(first.countFromMs)
  })

  it('counts what the verdicts were', () => {
    const blocked = calls.filter(({ verdict }) => verdict === 'block').length
    const flagged = calls.filter(({ verdict }) => verdict === 'flag').length
    const sum = (counts: Float64Array) => counts.reduce((total, count) => total + count, 0)
    expect(blocked).toBeGreaterThan(0)
    expect(sum(first.tally.blocked)).toBe(blocked)
    expect(sum(first.tally.flagged)).toBe(flagged)
    expect(sum(first.tally.byScore)).toBe(calls.length)
  })

  it('has impossible numbers blocked, and says after how many calls a source was', () => {
    const { types, detection } = describeResults([first], attacks)
    const impossible = types.find(({ type }) => type === 'impossible-number')
    expect(impossible?.blockedShare).toBeGreaterThan(0.5)
    for (const row of detection) {
      expect(row.detectedShare).toBeGreaterThanOrEqual(0)
      if (row.detectedShare < 0.5) expect(row.callsMedian).toBeNull()
      if (row.detectedShare >= 0.95) expect(row.calls95).toBeGreaterThanOrEqual(row.callsMedian ?? Number.NaN)
    }
  })
})

describe('a world in which nothing is blocked', () => {
  const harmless = { ...policy, rules: policy.rules.map((rule) => ({ ...rule, mode: 'shadow' as const })) }
  const run = (own: Partial<SimulationOptions>) =>
    runSimulation({ ...OPTIONS, calls: 20_000, days: 1, policy: harmless, ...own })
  // Who rings fraud back may roam, or have a ported number.
  const others = ['call-back', 'roaming', 'ported']
  const planned = (result: Awaited<ReturnType<typeof runSimulation>>) =>
    BENIGN_KINDS.filter((kind) => !others.includes(kind)).map((kind) => result.tally.calls[kindIndex(kind)])

  it.each([11, 12])(
    'has the same benign calls whatever the attack files, but for those who ring fraud back; seed %d',
    async (seed) => {
      const some = await run({ seed })
      const none = await run({ seed, attacks: [attacks.find(({ name }) => name === 'sim-box') as Attack] })
      expect(planned(none)).toEqual(planned(some))
      expect(some.tally.blocked.every((count) => count === 0)).toBe(true)
    },
  )

  it('makes only those numbers look good that can come to be used, however many a pool has', async () => {
    const whitewashed = attacks.find(({ name }) => name === 'whitewashed') as Attack
    const calling = whitewashed.calling!
    const pools = calling.pools.map((pool) => ({ ...pool, size: 20_000 }))
    const attack: Attack = { ...whitewashed, calling: { ...calling, pools } }
    const result = await run({ attacks: [attack], days: 2, warmUpDays: 0 })
    expect(result.tally.calls[FIRST_ATTACK_KIND]).toBeGreaterThan(50)
    expect(result.screened).toBeLessThan(50_000)
  })

  it('without fraud has none', async () => {
    const honest = await run({ fraudShare: 0, attacks: attacks.filter(({ reporting }) => reporting === undefined) })
    expect(describeResults([honest], attacks).malicious.calls).toBe(0)
    expect(honest.reports.bombing).toBe(0)
  })
})

describe('reports', () => {
  const bombing = attacks.filter(({ name, calling }) => name === 'bombing-burst' || calling !== undefined)

  it('come from victims, annoyed people and colluders, and most are about those who called', async () => {
    // Whoever is blocked has no victims: here the rules only watch.
    const rules = OPTIONS.policy.rules.map((rule) => ({ ...rule, mode: 'shadow' as const }))
    const policy = { ...OPTIONS.policy, rules }
    const result = await runSimulation({ ...OPTIONS, policy, fraudShare: 0.05, attacks: bombing })
    const { genuine, wrong, bombing: lies } = result.reports
    expect(genuine).toBeGreaterThan(15)
    expect(wrong).toBeLessThan(genuine / 3)
    expect(lies).toBeGreaterThan(4)
    expect(result.bombed.numbers).toBe(1)
    expect(result.refusedReports).toBeLessThanOrEqual(wrong)
  })
})
