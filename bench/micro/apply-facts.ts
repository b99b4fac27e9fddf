import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { partitionOf, REPORT_PARTITIONS } from '../../src/stores/fact.ts'
import { decodeFact, encodeFact } from '../../src/stores/fact-codec.ts'
import { APPLIED_FACTS_KEPT } from '../../src/stores/lmdb/apply-entries.ts'
import { openReplica } from '../../src/stores/lmdb/replica.ts'
import type { FactEntry } from '../../src/stores/redis/fact-streams.ts'
import { machine } from '../lib/record-result.ts'
import { reportFacts } from '../lib/report-facts.ts'
import { round } from '../lib/stats.ts'

/**
 * Microseconds a fact that a node which catches up spends on decoding and applying it, without Redis: pages of 2,000 facts
 * of 64 partitions side by side, as the follower has them. `node dist/bench/micro/apply-facts.js [FACTS]`.
 */
const PAGE_ENTRIES = 2_000
const count = Number(process.argv[2] ?? 300_000)
/** Of a million facts this share is young enough to be kept with what it overwrote (4,096 of 15,600 a partition). */
const KEPT_SHARE = 0.26

const { facts, source } = reportFacts(count)
const partitions: FactEntry[][] = Array.from({ length: REPORT_PARTITIONS }, () => [])
for (const fact of facts) {
  const entries = partitions[partitionOf(fact)]!
  const position = { epoch: 1, sequence: entries.length + 1 }
  entries.push({ position, factId: fact.report.reporter, payload: encodeFact(fact) })
}

const directory = mkdtempSync(path.join(os.tmpdir(), 'zaslon-bench-'))
try {
  const replica = await openReplica({ directory })
  const cpuBefore = process.cpuUsage()
  const startMs = performance.now()
  await Promise.all(
    partitions.map(async (entries, partition) => {
      for (let from = 0; from < entries.length; from += PAGE_ENTRIES) {
        const page = entries.slice(from, from + PAGE_ENTRIES)
        const decoded = page.map((entry) => ({ ...entry, fact: decodeFact(entry.payload) }))
        const newest = entries.length + APPLIED_FACTS_KEPT - Math.floor(entries.length * KEPT_SHARE)
        await replica.apply(partition, decoded, { newest })
      }
    }),
  )
  const micros = (performance.now() - startMs) * 1_000
  const { user, system } = process.cpuUsage(cpuBefore)
  await replica.close()
  const result = { count, source, microseconds: round(micros / count), cpuMicroseconds: round((user + system) / count) }
  process.stdout.write(`${JSON.stringify({ ...machine(), ...result })}\n`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}
