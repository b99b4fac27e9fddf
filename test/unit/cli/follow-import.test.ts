import { expect, it } from 'vitest'
import { EXIT } from '../../../src/cli/exit-codes.ts'
import { startFakeService, zaslon } from './fake-service.ts'

it('an import that is not over after --timeout is left alone, and the command says that it goes on', async () => {
  const problem = { code: 'UNAVAILABLE', detail: 'The import waits until the record takes writes again.' }
  const service = await startFakeService({
    'GET /v1/imports/i1': { body: { importId: 'i1', list: 'black', state: 'queued', progress: 0, problem } },
  })
  try {
    const { code, err } = await zaslon(['lists', 'status', 'i1', '--wait', '--timeout', '0.4'], service.url)
    expect(code).toBe(EXIT.unfinished)
    expect(err).toContain('Not over after 0.4 s, it goes on by itself: import i1. The import waits until')
    expect(err).toContain('hint: "zaslon lists status i1 --wait" follows it.')
    expect(service.seen.length).toBeGreaterThan(1)
  } finally {
    await service.close()
  }
})
