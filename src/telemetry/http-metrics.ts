import { Histogram, type Registry } from 'prom-client'

export type HttpMetrics = {
  /** `route` is the pattern, never the path: paths hold numbers, and labels must stay few. */
  answered(request: { method: string; route: string; status: number; durationSeconds: number }): void
}

/** A report is promised within 20 ms; an upload may take minutes. */
const DURATION_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5, 30, 300]

export function createHttpMetrics(registry: Registry): HttpMetrics {
  const durations = new Histogram({
    name: 'zaslon_http_request_duration_seconds',
    help: 'Time the control plane took to answer, by route pattern and status class.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  })
  return {
    answered({ method, route, status, durationSeconds }) {
      durations.observe({ method, route, status: `${Math.floor(status / 100)}xx` }, durationSeconds)
    },
  }
}
