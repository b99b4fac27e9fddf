import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import type { ImportRecord } from '../../src/domain/import.ts'
import type { RunningService } from '../../test/support/run-service.ts'
import { waitUntil } from './wait-until.ts'

/** Some changes wait for the record: the longest of them, and a machine that is busy. */
const CALL_MS = 30_000
/** 10 M rows take some seconds; on a shared machine ten times as long. */
const IMPORT_MS = 300_000
const OVER = ['active', 'failed', 'cancelled', 'previewed', 'held']

/** A JSON request to a service under measurement; throws on anything but 2xx. */
export async function call<T>(service: RunningService, method: string, path: string, body?: unknown): Promise<T> {
  const response = await fetch(`${service.adminUrl}${path}`, {
    method,
    signal: AbortSignal.timeout(CALL_MS),
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

/** For preparations: the same again while the node says UNAVAILABLE, as a node with Redis does on a busy machine. */
export async function prepareBy(service: RunningService, method: string, path: string, body: unknown): Promise<void> {
  const isTaken = () =>
    call(service, method, path, body).then(
      () => true,
      (error: Error) => {
        if (error.message.includes('"UNAVAILABLE"')) return false
        throw error
      },
    )
  await waitUntil(`${method} ${path} is not UNAVAILABLE`, isTaken, { limitMs: CALL_MS, everyMs: 500 })
}

/** Streams a CSV file into an import and waits until it is over. Returns the record and the seconds from first byte to active. */
export async function importFile(
  service: RunningService,
  list: string,
  file: string,
  query: string,
): Promise<{ record: ImportRecord; seconds: number }> {
  const startMs = performance.now()
  const { importId } = await upload(service, `/v1/lists/${list}/imports?${query}`, file)
  const record = await waitImport(service, importId)
  return { record, seconds: (performance.now() - startMs) / 1000 }
}

export async function waitImport(service: RunningService, importId: string): Promise<ImportRecord> {
  let record: ImportRecord | undefined
  const isOver = async () => {
    record = await call<ImportRecord>(service, 'GET', `/v1/imports/${importId}`)
    return OVER.includes(record.state)
  }
  await waitUntil(`the end of import ${importId}`, isOver, { limitMs: IMPORT_MS })
  return record!
}

/** By curl at the lowest priority: in life the client stands on another machine and takes no core of ours. */
async function upload(service: RunningService, path: string, file: string): Promise<{ importId: string }> {
  const args = [
    '-n',
    '19',
    'curl',
    '-sS',
    '--fail-with-body',
    '--max-time',
    String(IMPORT_MS / 1000),
    '-T',
    file,
    '-X',
    'POST',
    '-H',
    'Content-Type: text/csv',
  ]
  const { stdout } = await promisify(execFile)('nice', [...args, `${service.adminUrl}${path}`])
  return JSON.parse(stdout) as { importId: string }
}

/** Anonymous plus shared memory of a process in MiB: RSS would count the memory map of LMDB as well. */
export function privateMiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kibibytes = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0)
  return (kibibytes('RssAnon') + kibibytes('RssShmem')) / 1024
}
