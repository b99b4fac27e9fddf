import { readdirSync, truncateSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../fixtures/temporary-directory.ts'
import { type RunningService, runService } from '../support/run-service.ts'
import { askVerdict, post } from '../support/service-requests.ts'

const CALLER = '+79070100001'
/** Whom askVerdict calls. */
const CALLEE = '+79161234567'

let service: RunningService | undefined
afterEach(async () => {
  await service?.stop()
  service = undefined
})

/** What a report of the number by the reporter says of their call. */
async function matchOf(running: RunningService, number: string, reporter: string): Promise<unknown> {
  const body = { number, channel: 'app', scenario: 'bank', reporter }
  const { callMatch } = (await (await post(running, '/v1/reports', body)).json()) as { callMatch: unknown }
  return callMatch
}

/**
 * Whether one of several callers matches: a verdict process that is kept from its processor for 20 ms leaves a report
 * `unknown`, and the same report is not asked about twice.
 */
async function isMatched(running: RunningService, callers: readonly string[], reporter: string): Promise<boolean> {
  for (const caller of callers) if ((await matchOf(running, caller, reporter)) === 'yes') return true
  return false
}

const callersFrom = (first: number) => Array.from({ length: 10 }, (_, i) => `+${first + i}`)

describe('a call and the report about it', () => {
  it('match, whatever process took the call, in whatever form the reporter is written', async () => {
    service = await runService({ processes: 2 })
    const callers = callersFrom(79_070_100_001)
    for (const caller of callers) await askVerdict(service, caller)
    expect(await isMatched(service, callers, '8 916 123-45-67')).toBe(true)
    // Nobody called these, and the memory is too young to say so.
    expect(await matchOf(service, CALLER, '+79161234568')).toBe('unknown')
    expect(await matchOf(service, CALLER, 'subscriber-17')).toBe('unknown')
    expect(await matchOf(service, CALLEE, CALLER)).toBe('unknown')
  })

  it('match after a restart', async () => {
    const dataDirectory = temporaryDirectory()
    const callers = callersFrom(79_070_100_001)
    service = await runService({ dataDirectory })
    for (const caller of callers) await askVerdict(service, caller)
    await service.stop()

    service = await runService({ dataDirectory })
    expect(service.output()).toContain('remembered from before the restart')
    expect(await isMatched(service, callers, CALLEE)).toBe(true)
  }, 60_000)

  it('are unknown after a restart when what was kept is damaged, and match from then on', async () => {
    const dataDirectory = temporaryDirectory()
    const [before, after] = [callersFrom(79_070_100_001), callersFrom(79_070_100_101)]
    service = await runService({ dataDirectory })
    for (const caller of before) await askVerdict(service, caller)
    await service.stop()

    const snapshots = path.join(dataDirectory, 'snapshots')
    for (const name of readdirSync(snapshots)) truncateSync(path.join(snapshots, name), 1_000)
    service = await runService({ dataDirectory })
    expect(service.output()).toContain('a snapshot was not read: begun empty')
    expect(await isMatched(service, before, CALLEE)).toBe(false)
    for (const caller of after) await askVerdict(service, caller)
    expect(await isMatched(service, after, CALLEE)).toBe(true)
  }, 60_000)
})
