import { setTimeout as sleep } from 'node:timers/promises'
import type { ImportRecord } from '../../src/domain/import.ts'
import type { VerdictBody } from '../../src/domain/reason.ts'
import type { RunningService } from './run-service.ts'

/** Requests tests send to a running service. */
export function post(service: RunningService, path: string, body: unknown): Promise<Response> {
  return send(service, 'POST', path, body)
}

export async function put(service: RunningService, path: string, body: unknown): Promise<void> {
  await expectOk(await send(service, 'PUT', path, body))
}

export async function report(
  service: RunningService,
  number: string,
  reporter: string,
): Promise<{ accepted: boolean }> {
  const response = await post(service, '/v1/reports', { number, channel: 'hotline', scenario: 'bank', reporter })
  return (await (await expectOk(response)).json()) as { accepted: boolean }
}

/** On a connection of its own, so that the kernel chooses a thread anew. */
export async function askVerdict(service: RunningService, caller: string): Promise<VerdictBody> {
  const url = `${service.verdictUrl}/v1/verdict?caller=${encodeURIComponent(caller)}&callee=%2B79161234567`
  const response = await fetch(url, { headers: { connection: 'close' } })
  return (await (await expectOk(response)).json()) as VerdictBody
}

/** Uploads a list and waits until its import is over. */
export async function uploadList(
  service: RunningService,
  list: string,
  csv: string | Uint8Array,
  query: string,
): Promise<ImportRecord> {
  const response = await fetch(`${service.adminUrl}/v1/lists/${list}/imports?${query}`, {
    method: 'POST',
    headers: { 'content-type': 'text/csv' },
    body: csv,
  })
  const { importId } = (await (await expectOk(response)).json()) as { importId: string }
  for (;;) {
    const answer = await expectOk(await fetch(`${service.adminUrl}/v1/imports/${importId}`))
    const record = (await answer.json()) as ImportRecord
    if (!['queued', 'parsing', 'activating'].includes(record.state)) return record
    await sleep(10)
  }
}

function send(service: RunningService, method: string, path: string, body: unknown): Promise<Response> {
  const headers = { 'content-type': 'application/json' }
  return fetch(`${service.adminUrl}${path}`, { method, headers, body: JSON.stringify(body) })
}

async function expectOk(response: Response): Promise<Response> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`)
  return response
}
