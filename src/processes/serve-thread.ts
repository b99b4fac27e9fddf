import type { MessagePort } from 'node:worker_threads'
import { ScreeningError } from '../domain/errors.ts'
import type { NodeClock } from '../domain/node-clock.ts'
import { type BehaviourMemory, openBehaviour } from '../engine/behaviour-memory.ts'
import type { Screener } from '../engine/screener.ts'
import { flushActivity } from '../shm/activity.ts'
import { type Counters, count, counterIndex, openCounters } from '../shm/counters.ts'
import { openDecisionRing } from '../shm/decision-ring.ts'
import { beatThread, nodeHealth, openNodeHealth } from '../shm/node-health.ts'
import { openRecentCalls } from '../shm/recent-calls.ts'
import { openTraffic } from '../shm/traffic.ts'
import type { DataPlaneEvents } from '../transports/data-plane/call-screening.ts'
import { listenVerdicts } from '../transports/data-plane/choose-adapter.ts'
import type { ProcessHealth } from '../transports/data-plane/verdict-http.ts'
import type { VerdictHandler, VerdictServer } from '../transports/data-plane/verdict-server.ts'
import { garbageCollector } from './release-memory.ts'
import type { ToVerdictThread, VerdictThreadData, VerdictThreadMessage } from './verdict-thread.ts'

type ThreadParts = {
  readonly parent: MessagePort | null
  readonly clock: NodeClock
  readonly screener: Screener
  readonly handler: VerdictHandler
  readonly store: { close(): Promise<void> }
  readonly behaviour: BehaviourMemory
}

/** Twice for every look of the main thread (ALIVE_EVERY_MS), which a late beat must not surprise. */
const BEAT_MS = 500

/** A thread's life: it listens when it has its first snapshot, installs the later ones, and closes when told. */
export function serveThread(
  data: VerdictThreadData,
  { parent, clock, screener, handler, store, behaviour }: ThreadParts,
): void {
  if (!parent) throw new Error('A verdict thread must be started by a verdict process.')
  const say = (message: VerdictThreadMessage) => parent.postMessage(message)
  let server: Promise<VerdictServer> | undefined
  const collect = garbageCollector()
  const health = openNodeHealth(data.health)
  const beat = setInterval(() => {
    beatThread(health, data.thread)
    // A thread that nobody asks sees the clock as those do that are asked.
    clock.now()
    // What waits for a row that was busy is counted with the next event, which may be long in coming.
    flushActivity(behaviour.activity)
  }, BEAT_MS)

  async function listen(): Promise<void> {
    try {
      server = listenVerdicts(data.adapter)(data.server, handler, clock.now)
      const { port, adapter } = await server
      say({ type: 'listening', port, adapter })
    } catch (error) {
      if (!(error instanceof ScreeningError)) throw error
      const { hint } = error.details
      say({ type: 'failed', code: error.code, message: error.message, ...(hint ? { hint } : {}) })
    }
  }

  parent.on('message', (message: ToVerdictThread) => {
    if (message.type === 'close') return void close()
    if (message.type === 'accept-clock') return clock.accept()
    if (message.type === 'collect') return collect()
    screener.install(message.snapshot)
    say({ type: 'installed', generation: message.snapshot.generation })
    if (!server) void listen()
  })

  async function close(): Promise<void> {
    clearInterval(beat)
    await (await server)?.close()
    flushActivity(behaviour.activity)
    await store.close()
    parent?.close()
  }
}

/** The shared memory a thread's screener works in. */
export function openThreadMemory(data: VerdictThreadData) {
  return {
    recent: openRecentCalls(data.recentCalls),
    behaviour: openBehaviour(data.behaviour),
    ring: openDecisionRing(data.decisionRing),
    traffic: openTraffic(data.traffic),
  }
}

/** The counters of a thread, and what the data plane tells them; a fault is printed as well, for it is a bug. */
export function openThreadCounters(data: VerdictThreadData): { counters: Counters; events: DataPlaneEvents } {
  const counters = openCounters(data.counters, data.thread)
  return { counters, events: createThreadEvents(counters) }
}

function createThreadEvents(counters: Counters): DataPlaneEvents {
  const refused = counterIndex('requests.refused')
  const connectionsRefused = counterIndex('connections.refused')
  const endsRefused = counterIndex('call-ends.refused')
  const opened = counterIndex('ws.opened')
  const frames = counterIndex('ws.frames-received')
  const faults = counterIndex('internal-errors')
  let faultsPrinted = 0
  return {
    refused: () => count(counters, refused),
    connectionRefused: () => count(counters, connectionsRefused),
    callEndsRefused: (ends) => count(counters, endsRefused, ends),
    socketOpened: () => count(counters, opened),
    socketFrame: () => count(counters, frames),
    fault(error) {
      count(counters, faults)
      if (faultsPrinted++ < FAULTS_PRINTED_MAX)
        process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`)
    },
  }
}

/** A fault that comes with every call must not fill the disk: the counter goes on. */
const FAULTS_PRINTED_MAX = 20

/** What a thread says of its process when it is asked whether it is ready. */
export function processHealth(memory: SharedArrayBuffer): () => ProcessHealth {
  const health = openNodeHealth(memory)
  return () => nodeHealth(health)
}
