import { DECISION_FLAG, DECISION_RECORD_BYTES } from '../domain/decision-record.ts'
import { drainRecords, openDecisionRing } from '../shm/decision-ring.ts'
import { readTrafficHour } from '../shm/traffic.ts'
import { createDecisionLogWriter, type DecisionLogStats } from '../stores/decision-log/decision-log-writer.ts'
import { createTrafficLogWriter, TRAFFIC_WRITE_EVERY_MS } from '../stores/traffic-log/traffic-log-writer.ts'
import type { ReviewWantedMessage } from './messages.ts'
import { createPace } from './pace.ts'

/** Moves what the verdict threads left in shared memory to disk, and review wishes to control. */
export type VerdictLogs = {
  stats(): DecisionLogStats
  /** Writes what is left. */
  close(): Promise<void>
}

export type VerdictLogsOptions = {
  readonly decisionsDirectory: string
  readonly trafficDirectory: string
  readonly process: string
  readonly trunkNames: readonly string[]
  readonly segmentBytesMax: number
  readonly retentionDays: number
  readonly retentionBytesMax: number
}

export type VerdictLogsDependencies = {
  readonly rings: readonly SharedArrayBuffer[]
  readonly traffic: readonly SharedArrayBuffer[]
  readonly onReviewWanted: (items: ReviewWantedMessage['items']) => void
  readonly now: () => number
}

/** A ring of 65,536 records is half full after 50 ms of 650,000 records a second. */
const DRAIN_MS = 50
const RECORDS_PER_DRAIN = 4_096
/** Numbers told to control at once; of a flood the rest waits for the next drain that meets them. */
const REVIEWS_PER_DRAIN = 100

// Places in a record, domain/decision-record.ts.
const TIME = 0
const CALLER = 24
const SCORE = 52
const FLAGS = 53

export function startVerdictLogs(options: VerdictLogsOptions, dependencies: VerdictLogsDependencies): VerdictLogs {
  const { now } = dependencies
  const rings = dependencies.rings.map((memory) => openDecisionRing(memory))
  const page = new Uint8Array(RECORDS_PER_DRAIN * DECISION_RECORD_BYTES)
  const decisions = createDecisionLogWriter(
    {
      directory: options.decisionsDirectory,
      process: options.process,
      trunks: options.trunkNames,
      segmentBytesMax: options.segmentBytesMax,
      retentionDays: options.retentionDays,
      retentionBytesMax: options.retentionBytesMax,
    },
    { now },
  )
  const pace = createPace()
  const traffic = createTrafficLogWriter(
    { directory: options.trafficDirectory, process: options.process },
    {
      tables: dependencies.traffic.map((memory) => (hour, visit) => readTrafficHour(memory, hour, visit)),
      beginRests: pace.begin,
    },
  )

  function drain(): void {
    const reviews = new Map<number, ReviewWantedMessage['items'][number]>()
    for (const ring of rings) {
      for (;;) {
        const count = drainRecords(ring, page)
        if (count > 0) {
          decisions.append(page.subarray(0, count * DECISION_RECORD_BYTES))
          collectReviews(page, count, reviews)
        }
        if (count < RECORDS_PER_DRAIN) break
      }
    }
    if (reviews.size > 0) dependencies.onReviewWanted([...reviews.values()])
  }

  const drainTimer = setInterval(drain, DRAIN_MS)
  const trafficTimer = setInterval(() => void traffic.write(now()), TRAFFIC_WRITE_EVERY_MS)
  decisions.expire()

  return {
    stats: () => decisions.stats(),
    async close() {
      clearInterval(drainTimer)
      clearInterval(trafficTimer)
      drain()
      decisions.close()
      pace.hurry()
      // A write under way is joined, and may have passed the newest counts: the second one has them.
      await traffic.write(now())
      await traffic.write(now())
    },
  }
}

/** Suspicious protected callers of a page: one item a number, with its highest score. */
function collectReviews(
  page: Uint8Array,
  count: number,
  into: Map<number, ReviewWantedMessage['items'][number]>,
): void {
  const view = new DataView(page.buffer)
  for (let at = 0; at < count * DECISION_RECORD_BYTES; at += DECISION_RECORD_BYTES) {
    if ((view.getUint8(at + FLAGS) & DECISION_FLAG.reviewWanted) === 0) continue
    const number = view.getFloat64(at + CALLER, true)
    const score = view.getUint8(at + SCORE)
    const known = into.get(number)
    if (known) known.score = Math.max(known.score, score)
    else if (into.size < REVIEWS_PER_DRAIN) into.set(number, { number, score, atMs: view.getFloat64(at + TIME, true) })
  }
}
