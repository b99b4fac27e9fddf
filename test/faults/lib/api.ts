import { setTimeout as sleep } from 'node:timers/promises'
import type { ImportRecord } from '../../../src/domain/import.ts'

/** The control port of a node under fault: every refusal is a Refusal, every broken connection a plain error. */
export type Target = { readonly adminUrl: string }

export class Refusal extends Error {
  readonly status: number
  readonly code: string

  constructor(what: string, status: number, text: string) {
    super(`${what}: ${status} ${text}`)
    this.status = status
    this.code = /"code":"(\w+)"/.exec(text)?.[1] ?? String(status)
  }
}

/** A person gives up on a request that hangs, and a test must. */
const REQUEST_MS = 20_000
/** Under a fault an import may never end. */
const IMPORT_MS = 60_000

export async function ask<T>(target: Target, method: string, path: string, body?: unknown): Promise<T> {
  const isText = typeof body === 'string'
  const response = await fetch(`${target.adminUrl}${path}`, {
    method,
    signal: AbortSignal.timeout(REQUEST_MS),
    ...(body === undefined
      ? {}
      : {
          headers: { 'content-type': isText ? 'text/csv' : 'application/json' },
          body: isText ? body : JSON.stringify(body),
        }),
  })
  const text = await response.text()
  if (!response.ok) throw new Refusal(`${method} ${path}`, response.status, text)
  return JSON.parse(text) as T
}

/** Uploads a list and sees to it that it becomes active, also when it is held. Rejects when it does not. */
export async function importList(
  target: Target,
  list: string,
  csv: string,
  mode: 'replace' | 'append',
): Promise<number> {
  const { importId } = await ask<ImportRecord>(target, 'POST', `/v1/lists/${list}/imports?mode=${mode}`, csv)
  let record = await ended(target, importId)
  if (record.state === 'held') record = await ask(target, 'POST', `/v1/imports/${importId}/activate`, {})
  if (record.state !== 'active') throw new Refusal(`import ${importId}`, 409, JSON.stringify(record))
  return record.version ?? 0
}

async function ended(target: Target, importId: string): Promise<ImportRecord> {
  for (const giveUpMs = Date.now() + IMPORT_MS; Date.now() < giveUpMs; await sleep(20)) {
    const record = await ask<ImportRecord>(target, 'GET', `/v1/imports/${importId}`)
    if (['active', 'failed', 'cancelled', 'previewed', 'held'].includes(record.state)) return record
  }
  throw new Error(`The import ${importId} did not end.`)
}
