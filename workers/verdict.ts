import { randomFillSync } from 'node:crypto'
import { parentPort, workerData } from 'node:worker_threads'
import { diallingRules } from '../src/domain/parse-phone-number.ts'
import { createScreener } from '../src/engine/screen.ts'
import { openClock } from '../src/processes/open-clock.ts'
import { openThreadCounters, openThreadMemory, processHealth, serveThread } from '../src/processes/serve-thread.ts'
import type { VerdictThreadData } from '../src/processes/verdict-thread.ts'
import { withKeptReputations } from '../src/services/kept-reputations.ts'
import { openReputationTable } from '../src/shm/reputation-table.ts'
import { openVerdictStore } from '../src/stores/lmdb/verdict-store.ts'
import { numberReaders } from '../src/transports/data-plane/read-call.ts'
import { createVerdictHandler } from '../src/transports/data-plane/verdict-http.ts'

// A verdict thread: one engine and one server for life. Calls come in at verdict-http.ts, screen.ts decides them.
const data = workerData as VerdictThreadData
const home = diallingRules(data.homeCountry)
const clock = openClock({ root: data.dataDirectory })
const { counters, events } = openThreadCounters(data)
const memory = openThreadMemory(data)
const store = await openVerdictStore({ directory: data.dataDirectory })
const screener = createScreener(
  { home, callKey: data.callKey, logKey: data.logKey, sampleOneIn: data.sampleOneIn },
  {
    lookup: withKeptReputations(store.lookup, openReputationTable(data.reputations)),
    ...memory,
    counters,
    fillRandom: (words) => void randomFillSync(words),
    nowNs: () => performance.now() * 1e6,
    onFailure: events.fault,
  },
)
const handler = createVerdictHandler(data.handler, {
  screener,
  events,
  ...numberReaders(home),
  processHealth: processHealth(data.health),
  now: clock.now,
})
serveThread(data, { parent: parentPort, clock, screener, handler, store, behaviour: memory.behaviour })
