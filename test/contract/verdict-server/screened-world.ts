import type { Trunk } from '../../../src/domain/trunk.ts'
import { numberReaders } from '../../../src/transports/data-plane/read-call.ts'
import { createVerdictHandler, type DataPlaneOptions } from '../../../src/transports/data-plane/verdict-http.ts'
import type { VerdictHandler, VerdictServerOptions } from '../../../src/transports/data-plane/verdict-server.ts'
import { HOME, NOW, type OpenWorld, openWorld, reports } from '../../fixtures/screening-world.ts'

/** On the deny list `hotline-confirmed`; reported by three subscribers; known for nothing. */
export const LISTED = '+79160000001'
export const REPORTED = '+79160000003'
export const CLEAN = '+79160000009'
export const CALLEE = '+79031112233'
/** A registered trunk of kind international. */
export const ABROAD: Trunk = { name: 'abroad-1', kind: 'international', screening: 'enforce', failMode: 'open' }

export type ScreenedWorld = {
  readonly world: OpenWorld
  readonly handler: VerdictHandler
  readonly faults: unknown[]
  readonly seen: { refused: number; endsRefused: number; connectionsRefused: number; opened: number; frames: number }
  /** What the process says of itself. */
  readonly health: { freshMs: number; isUnsupervised: boolean }
}

/** The real handler over the real engine and a small world. */
export function screenedWorld(options: Partial<DataPlaneOptions> = {}): ScreenedWorld {
  const world = openWorld({
    lists: [{ name: 'hotline-confirmed', kind: 'deny', layers: [{ numbers: [79160000001] }] }],
    reports: reports(3, { number: 79160000003 as never }),
    trunks: [ABROAD],
  })
  const faults: unknown[] = []
  const health = { freshMs: NOW - 1_500, isUnsupervised: false }
  const seen = { refused: 0, endsRefused: 0, connectionsRefused: 0, opened: 0, frames: 0 }
  const handler = createVerdictHandler(
    {
      deadlineMs: 50,
      callsPerWebSocket: 1_024,
      labelLanguage: 'en',
      apiKeyDigests: [],
      allowedHosts: ['127.0.0.1', 'localhost'],
      webSocketPath: '/v1/calls',
      ...options,
    },
    {
      screener: world.screener,
      ...numberReaders(HOME),
      now: () => NOW,
      processHealth: () => health,
      events: {
        refused: () => void seen.refused++,
        callEndsRefused: (count) => {
          seen.endsRefused += count
        },
        connectionRefused: () => void seen.connectionsRefused++,
        socketOpened: () => void seen.opened++,
        socketFrame: () => void seen.frames++,
        fault: (error) => void faults.push(error),
      },
    },
  )
  return { world, handler, faults, seen, health }
}

export const SERVER_OPTIONS: VerdictServerOptions = {
  host: '127.0.0.1',
  port: 0,
  connectionsMax: 200,
  verdictPath: '/v1/verdict',
  webSocketPath: '/v1/calls',
  webSocketMessageBytesMax: 64 * 1024,
  idleTimeoutSeconds: 60,
}
