import { readFileSync } from 'node:fs'
import path from 'node:path'
import { findServed } from '../../processes/left-behind.ts'
import { dataDirectoryAt } from '../../stores/data-directory.ts'
import { LOCK_FILE } from '../../stores/lmdb/process-lock.ts'
import type { Plane } from '../service-client.ts'
import { addressesOf, hasTitle } from './port-holder.ts'

export type Address = { readonly host: string; readonly port: number }

/** Where the planes of the service that runs on a data directory listen: those that are found. Linux. */
export function findService(dataDirectory: string): Readonly<Partial<Record<Plane, Address>>> {
  const pid = lockHolder(dataDirectory)
  // In a container that shares the directory the same number is another process.
  const control = hasTitle(pid, 'zaslon control') ? addressesOf(pid)[0] : undefined
  const verdict = findServed(dataDirectoryAt(dataDirectory))[0]
  return {
    ...(control ? { control } : {}),
    ...(verdict ? { verdict: { host: verdict.host, port: verdict.port } } : {}),
  }
}

/** NaN: nobody. It may be a process that has ended. */
function lockHolder(dataDirectory: string): number {
  try {
    return Number.parseInt(readFileSync(path.join(dataDirectory, LOCK_FILE), 'utf8'), 10)
  } catch {
    return Number.NaN
  }
}
