import { setTimeout as sleep } from 'node:timers/promises'
import { runService } from '../../test/support/run-service.ts'
import { generatedNumber } from '../lib/generate-numbers.ts'
import { openKeptConnection } from '../lib/kept-connection.ts'
import { recordResult } from '../lib/record-result.ts'
import { call } from '../lib/service-client.ts'
import { round, summarize } from '../lib/stats.ts'

/**
 * Report accepted -> every thread of every process judges by it. Five reports make a number blocked; the clock starts when
 * the fifth is sent and stops when a connection to each thread has answered `block`. The kernel spreads connections over
 * the threads, so with many connections to few threads each is met with near certainty.
 */
const PROCESSES = 2
const THREADS = 2
const CONNECTIONS = 48

export async function benchReportVisibility(options: { rounds: number }): Promise<void> {
  const service = await runService({ processes: PROCESSES, threads: THREADS })
  try {
    const connections = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => openKeptConnection(service.verdictPort)),
    )
    const fromSent: number[] = []
    const fromAccepted: number[] = []
    for (let round = 0; round < options.rounds; round++) {
      const number = generatedNumber(round, 3e8)
      const report = (reporter: number) =>
        call(service, 'POST', '/v1/reports', {
          number,
          channel: 'hotline',
          scenario: 'bank',
          reporter: `r-${round}-${reporter}`,
        })
      for (let reporter = 0; reporter < 4; reporter++) await report(reporter)
      const sentMs = performance.now()
      await report(4)
      const acceptedMs = performance.now()
      await Promise.all(
        connections.map(async (connection) => {
          while ((await connection.verdict(number)) !== 'block') await sleep(0)
        }),
      )
      fromSent.push(performance.now() - sentMs)
      fromAccepted.push(performance.now() - acceptedMs)
    }
    for (const connection of connections) connection.close()
    const rounded = (values: number[]) =>
      Object.fromEntries(Object.entries(summarize(values)).map(([key, value]) => [key, round(value)]))
    recordResult(options.rounds >= 500 ? 'report-visibility' : 'report-visibility-quick', {
      processes: PROCESSES,
      threads: THREADS,
      connections: CONNECTIONS,
      fromSentMs: rounded(fromSent),
      fromAcceptedMs: rounded(fromAccepted),
    })
  } finally {
    await service.stop()
  }
}
