import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

export type ProcessMetrics = {
  update(): void
  close(): void
}

const NANOSECONDS = 1e9
/** Delays are sampled this often: what the loop may be late without being seen. */
const LAG_RESOLUTION_MS = 10

/**
 * The control process itself: processor time, memory, and how late its event loop runs. prom-client's own defaults are
 * not used because some of their names fail `promtool check metrics`.
 */
export function createProcessMetrics(registry: Registry): ProcessMetrics {
  const registers = [registry]
  const cpu = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the control process.',
    registers,
  })
  const memory = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Resident memory, memory maps included.',
    registers,
  })
  const heap = new Gauge({
    name: 'zaslon_heap_used_bytes',
    help: 'JavaScript heap in use in the control process.',
    registers,
  })
  const start = new Gauge({
    name: 'process_start_time_seconds',
    help: 'Start of the control process, Unix time.',
    registers,
  })
  const lag = new Gauge({
    name: 'zaslon_event_loop_lag_seconds',
    help: 'How late the event loop of the control process ran since the last scrape.',
    labelNames: ['statistic'] as const,
    registers,
  })
  start.set(Math.round(Date.now() / 1_000 - process.uptime()))
  const delays = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS })
  delays.enable()
  let countedMicroseconds = 0
  return {
    update() {
      const { user, system } = process.cpuUsage()
      cpu.inc((user + system - countedMicroseconds) / 1e6)
      countedMicroseconds = user + system
      memory.set(process.memoryUsage.rss())
      heap.set(process.memoryUsage().heapUsed)
      const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / NANOSECONDS : 0)
      lag.set({ statistic: 'p50' }, seconds(delays.percentile(50)))
      lag.set({ statistic: 'p99' }, seconds(delays.percentile(99)))
      lag.set({ statistic: 'max' }, delays.count === 0 ? 0 : seconds(delays.max))
      delays.reset()
    },
    close: () => delays.disable(),
  }
}
