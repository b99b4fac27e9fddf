import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../../src/config/load-config.ts'
import { fitToAdapter } from '../../../src/processes/supervisor.ts'

function fittedTo(processes: number, threads: number, canSharePort: boolean) {
  const { verdict } = loadConfig({
    ZASLON_VERDICT_PROCESSES: String(processes),
    ZASLON_THREADS: String(threads),
    ZASLON_DATA_DIR: '/nowhere',
  })
  const warnings: object[] = []
  const fitted = fitToAdapter(
    verdict,
    { adapter: canSharePort ? 'uws' : 'node', canSharePort, problem: 'no binary' },
    { warn: (fields) => void warnings.push(fields) },
  )
  return { processes: fitted.processes, threads: fitted.threads, warnings }
}

describe('a verdict port', () => {
  it('that can be shared gets the processes and threads that are configured', () => {
    expect(fittedTo(2, 4, true)).toEqual({ processes: 2, threads: 4, warnings: [] })
  })

  it.each([
    [1, 4],
    [2, 1],
  ])('that cannot be shared gets one of each instead of %i and %i, with a warning', (processes, threads) => {
    const warnings = [{ processes, threads, problem: 'no binary' }]
    expect(fittedTo(processes, threads, false)).toEqual({ processes: 1, threads: 1, warnings })
  })

  it('that need not be shared gives no warning', () => {
    expect(fittedTo(1, 1, false)).toEqual({ processes: 1, threads: 1, warnings: [] })
  })
})
