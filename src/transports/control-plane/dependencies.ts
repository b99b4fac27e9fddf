import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { ControlServices } from '../../services/control-services.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { VerdictProcessState } from '../../telemetry/verdict-metrics.ts'
import type { AccessKey, RouteAccess } from './access.ts'

/** Plain settings of the control plane. */
export type ControlPlaneOptions = {
  /** Empty: this machine only. */
  readonly keys: readonly AccessKey[]
  /** The address that will be listened on. */
  readonly host: string
  /** Stands in the OpenAPI document and in metrics. */
  readonly version: string
  /** ISO 3166-1 alpha-2: how numbers without + in an upload are read when the request names no country. */
  readonly homeCountry: string
  /** Largest upload. */
  readonly uploadBytesMax: number
  /** Where uploads are written while they arrive: `<dataDir>/imports`. Made when absent. */
  readonly spoolDirectory: string
  readonly limits?: Partial<ControlPlaneLimits>
}

export type ControlPlaneLimits = {
  /** Bodies other than uploads. A policy has at most 64 Ki characters, 1,000 entries about 200 KB. */
  readonly bodyBytesMax: number
  readonly connectionsMax: number
  /** A socket on which nothing moves is closed. */
  readonly idleTimeoutMs: number
  /** All headers of a request must have arrived. */
  readonly headersTimeoutMs: number
  /** The whole request must have arrived: 2 GiB at 30 Mbit/s. */
  readonly requestTimeoutMs: number
  /**
   * A handler that has not answered by then goes on, and its client is told 503. Uploads, exports and whatever may wait
   * for an import of the same list have longer.
   */
  readonly handlerTimeoutMs: number
  readonly longHandlerTimeoutMs: number
  readonly uploadsMax: number
  readonly writesPerSecond: number
  readonly writesBurst: number
}

export const CONTROL_PLANE_LIMITS: ControlPlaneLimits = {
  bodyBytesMax: 1_048_576,
  connectionsMax: 1_024,
  idleTimeoutMs: 120_000,
  headersTimeoutMs: 10_000,
  requestTimeoutMs: 600_000,
  handlerTimeoutMs: 30_000,
  longHandlerTimeoutMs: 900_000,
  uploadsMax: 4,
  writesPerSecond: 2_000,
  writesBurst: 4_000,
}

export type ControlPlaneDependencies = {
  readonly services: ControlServices
  readonly metrics: Metrics
  /** The verdict processes that answer; resolves within a short bound, without those that do not. */
  readonly verdictStatus: () => Promise<readonly VerdictProcessState[]>
  readonly now: () => number
  /** A pino logger (telemetry/logger.ts). */
  readonly log: FastifyBaseLogger
}

/** What every route file gets. */
export type RouteContext = {
  readonly app: FastifyInstance
  readonly services: ControlServices
  readonly options: ControlPlaneOptions
  readonly limits: ControlPlaneLimits
  readonly now: () => number
}

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: RouteAccess
    isWrite?: boolean
    /** The handler itself calls beginKeyedWrite, because the body is a stream. */
    isStreamedBody?: boolean
  }
  interface FastifyRequest {
    /** Name of the API key, or `local`: the actor of every write. */
    actor: string
  }
}
