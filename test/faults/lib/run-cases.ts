import { missing } from './capabilities.ts'
import { createCleanup } from './cleanup.ts'
import type { CaseResult, FaultCase } from './fault-case.ts'
import { createWorld } from './world.ts'

export type RunCasesOptions = {
  readonly isQuick: boolean
  /** Rounds of a case that counts itself, times another one is run. */
  readonly count: (fault: FaultCase) => number
  readonly seed: number
  /** The person has said how long. */
  readonly hasEnd?: boolean
}
export type RunCasesDependencies = {
  readonly mustEnd: () => boolean
  readonly onBegin: (fault: FaultCase) => void
  readonly onResult: (result: CaseResult) => void
  readonly say: (text: string) => void
}

/** Runs cases one after the other; each in a world of its own, which is taken down whatever happened. */
export async function runCases(
  cases: readonly FaultCase[],
  options: RunCasesOptions,
  dependencies: RunCasesDependencies,
): Promise<CaseResult[]> {
  const results: CaseResult[] = []
  for (const fault of cases) {
    const count = options.count(fault)
    const times = fault.countsItself ? 1 : count
    for (let time = 0; time < times && !dependencies.mustEnd(); time++) {
      dependencies.onBegin(fault)
      const result = await runCase(fault, { ...options, count, seed: options.seed + time }, dependencies)
      results.push(result)
      dependencies.onResult(result)
    }
  }
  return results
}

async function runCase(
  fault: FaultCase,
  options: Omit<RunCasesOptions, 'count'> & { readonly count: number },
  dependencies: RunCasesDependencies,
): Promise<CaseResult> {
  const { id, what, expected } = fault
  const row = { id, what, expected, figures: {}, failures: [], seconds: 0 }
  const why = fault.needs.map(missing).find((reason) => reason !== undefined)
  if (why !== undefined) return { ...row, outcome: 'skipped', why }
  const startMs = performance.now()
  const cleanup = createCleanup()
  running.add(cleanup)
  const { say, mustEnd } = dependencies
  const { world, findings } = createWorld({ hasEnd: false, ...options, cleanup, say, mustEnd })
  try {
    await fault.run(world)
  } catch (error) {
    const got = error instanceof Error ? (error.stack ?? error.message) : String(error)
    findings.failures.push({ expected: 'the case runs to its end', got })
  }
  for (const error of await cleanup.run()) say(`not undone: ${error instanceof Error ? error.message : error}`)
  running.delete(cleanup)
  const seconds = Math.round((performance.now() - startMs) / 100) / 10
  return { ...row, ...findings, outcome: findings.failures.length === 0 ? 'passed' : 'failed', seconds }
}

const running = new Set<ReturnType<typeof createCleanup>>()

/** For a person who cannot wait for the end of the round. */
export async function undoEverything(): Promise<void> {
  for (const cleanup of running) await cleanup.run()
}
