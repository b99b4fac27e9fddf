import { listenOnNode } from './node.ts'
import { listenOnUws, uwsReport } from './uws.ts'
import type { ListenVerdicts } from './verdict-server.ts'

/** `auto`: uWebSockets.js where its binary loads, else node:http. */
export const ADAPTER_PREFERENCES = ['auto', 'uws', 'node'] as const
export type AdapterPreference = (typeof ADAPTER_PREFERENCES)[number]

/** What `zaslon doctor` says about the verdict port. */
export type AdapterReport = {
  readonly adapter: 'uws' | 'node'
  /** Version of the uWebSockets.js binary in use; absent on node:http. */
  readonly version?: string
  /** Only uWebSockets.js lets several threads and processes share the port: with node:http there is one of each. */
  readonly canSharePort: boolean
  /** Why uWebSockets.js does not run here, when that was wanted. */
  readonly problem?: string
}

/** Which adapter a preference leads to on this machine. */
export function adapterReport(preference: AdapterPreference): AdapterReport {
  if (preference === 'node') return { adapter: 'node', canSharePort: false }
  const uws = uwsReport()
  if (uws.isAvailable) return { adapter: 'uws', version: uws.version, canSharePort: true }
  // Asked for by name: listening says why it cannot be.
  if (preference === 'uws') return { adapter: 'uws', canSharePort: true, problem: uws.problem }
  return { adapter: 'node', canSharePort: false, problem: uws.problem }
}

/** The adapter's listen function. */
export function listenVerdicts(preference: AdapterPreference): ListenVerdicts {
  return adapterReport(preference).adapter === 'uws' ? listenOnUws : listenOnNode
}
