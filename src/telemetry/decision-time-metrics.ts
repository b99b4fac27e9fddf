import { COUNTER_NAMES, DECISION_TIME_BUCKETS } from '../shm/counters.ts'
import type { VerdictProcessState } from './verdict-metrics.ts'

const NAME = 'zaslon_decision_duration_seconds'
const HELP = 'Time from a parsed call to its decision, without transport; one call in 64.'
const SUM_INDEX = COUNTER_NAMES.indexOf('decision-time.sum-ns')
const FIRST_BUCKET_INDEX = COUNTER_NAMES.indexOf('decision-time.0')

/** Buckets below 2^8 ns and above 2^26 ns (67 ms, past the deadline) are folded into their neighbours: 20 series are enough. */
const BUCKET_FIRST = 7
const BUCKET_LAST = 25

/**
 * The histogram of decision times in the text exposition format. prom-client counts observations itself and takes no
 * ready-made buckets; ours are counted by the verdict threads, as powers of two of nanoseconds.
 */
export function decisionTimeText(processes: readonly VerdictProcessState[]): string {
  const lines = [`# HELP ${NAME} ${HELP}`, `# TYPE ${NAME} histogram`]
  for (const state of processes) lines.push(...linesOf(state))
  return `${lines.join('\n')}\n`
}

function linesOf({ label, counters }: VerdictProcessState): string[] {
  const lines: string[] = []
  let total = 0
  for (let bucket = 0; bucket < DECISION_TIME_BUCKETS; bucket++) {
    total += counters[FIRST_BUCKET_INDEX + bucket] ?? 0
    if (bucket < BUCKET_FIRST || bucket > BUCKET_LAST) continue
    // Bucket b holds times below 2^(b+1) ns.
    lines.push(`${NAME}_bucket{le="${2 ** (bucket + 1) / 1e9}",process="${label}"} ${total}`)
  }
  lines.push(`${NAME}_bucket{le="+Inf",process="${label}"} ${total}`)
  lines.push(`${NAME}_sum{process="${label}"} ${(counters[SUM_INDEX] ?? 0) / 1e9}`)
  lines.push(`${NAME}_count{process="${label}"} ${total}`)
  return lines
}
