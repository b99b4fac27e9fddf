import { randomFillSync } from 'node:crypto'
import { ScreeningError } from '../domain/errors.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import { type Trunk, UNKNOWN_TRUNK } from '../domain/trunk.ts'
import type { ScreeningSnapshot } from '../engine/snapshot.ts'
import { createSnapshotBuilder } from '../services/build-snapshot.ts'
import { keepingReputations } from '../services/kept-reputations.ts'
import { counterIndex, createCounters, sumCounters } from '../shm/counters.ts'
import { createDecisionRing } from '../shm/decision-ring.ts'
import { gateToBytes } from '../shm/gate.ts'
import { touchPages } from '../shm/layout.ts'
import { createNodeHealth, openNodeHealth, setNodeHealth, setUnsupervised } from '../shm/node-health.ts'
import { createRecentCalls } from '../shm/recent-calls.ts'
import { createReputationTable, openReputationTable } from '../shm/reputation-table.ts'
import { createTraffic } from '../shm/traffic.ts'
import { openDataDirectory, readGateFile, readPseudonymKey, writeGateFile } from '../stores/data-directory.ts'
import { openVerdictStore } from '../stores/lmdb/verdict-store.ts'
import { createLogger } from '../telemetry/logger.ts'
import { VERDICT_PATH } from '../transports/data-plane/verdict-http.ts'
import { type ChildProgram, fail, failAtOnce, tell } from './child.ts'
import { createConnectionsWatch } from './connections-watch.ts'
import { createFollower } from './follow-changes.ts'
import { createRecordMoment, freshMoment } from './fresh-moment.ts'
import { startBehaviour } from './keep-behaviour.ts'
import { keptFreshMs } from './keep-fresh-moment.ts'
import { LEFT_BEHIND_MS, noteServing } from './left-behind.ts'
import { ALIVE_EVERY_MS, type StartMessage, type VerdictProcessStatus } from './messages.ts'
import { nodeKey } from './node-key.ts'
import { openClock } from './open-clock.ts'
import { createMemoryRelease, garbageCollector } from './release-memory.ts'
import { createThreadWatch } from './thread-watch.ts'
import { startVerdictLogs } from './verdict-logs.ts'
import type { VerdictThreadData } from './verdict-thread.ts'
import { startVerdictThread, startVerdictThreads } from './verdict-threads.ts'

/**
 * A verdict process: shared memory made, threads started, the change log followed. Its main thread takes no calls, so it
 * may spend 20 ms on a gate; the threads never wait for it.
 */

/** Covers a lost IPC message; each poll is one LMDB read. */
const POLL_MS = 50
const NOBODY_ANSWERS = 'the supervisor is gone and none has taken over: this process ends and answers no calls any more'
const WEB_SOCKET_PATH = '/v1/calls'
const CONNECTIONS_REFUSED = counterIndex('connections.refused')
/** 8 MiB a thread: at 10,000 blocks a second a stall of the log writer of 6 s loses nothing. */
const RING_RECORDS = 65_536

export async function startVerdictProcess({ label, config }: StartMessage): Promise<ChildProgram> {
  const log = createLogger({ level: config.log.level, process: label })
  const startedMs = Date.now()
  const directory = openDataDirectory(config.dataDirectory)
  const clock = openClock(directory)
  const store = await openVerdictStore({ directory: directory.root })
  const trunks: Trunk[] = [UNKNOWN_TRUNK, ...config.trunks]
  const builder = createSnapshotBuilder(
    { trunks, withGates: true, tableBytesMax: config.verdict.listTableBytes },
    {
      store,
      contents: store.contents,
      readGateFile: (layerId) => readGateFile(directory, layerId),
      onGateRebuilt({ layerId, stamp }, gate, cause) {
        log.warn({ layerId, cause: String(cause ?? 'missing') }, 'gate file rebuilt')
        try {
          writeGateFile(directory, layerId, gateToBytes(gate, stamp ?? 0))
        } catch (err) {
          // The gate is in memory; without its file the next start takes longer (4 s for 10 M numbers), no more.
          log.warn({ layerId, err }, 'gate file not written')
        }
      },
      onTableRefused: ({ layerId, numberCount }) =>
        log.warn(
          { layerId, numberCount },
          'no number table for a list (verdict.listTableBytes): its numbers are read from disk',
        ),
      onRangesRefused: (error) => log.error({ err: error }, 'prefixes and ranges do not fit: remove some from a list'),
    },
  )

  const reputations = createReputationTable(config.verdict.reputations)
  const reputationReads = keepingReputations(store, openReputationTable(reputations))
  const health = createNodeHealth(config.verdict.threads)
  const counters = createCounters(config.verdict.threads)
  const pseudonymKey = readPseudonymKey(directory, config.pseudonymKeyFile)
  const behaviour = await startBehaviour(
    {
      label,
      verdict: config.verdict,
      hasOthers: config.verdict.processes > 1 || config.redis.url !== '',
      key: nodeKey(pseudonymKey, 'pairs'),
      snapshotDirectory: directory.snapshots,
    },
    { store: reputationReads, now: clock.now, tell, log, onFailure: fail },
  )
  const shared = {
    counters,
    health,
    recentCalls: createRecentCalls(config.verdict.recentCalls),
    behaviour: behaviour.regions,
    reputations,
    callKey: randomFillSync(new Uint32Array(2)),
    logKey: nodeKey(pseudonymKey, 'decision-log'),
  }
  const threadData = Array.from(
    { length: config.verdict.threads },
    (_, thread): VerdictThreadData => ({
      thread,
      ...shared,
      decisionRing: createDecisionRing(RING_RECORDS),
      traffic: createTraffic(config.verdict.callersPerHour),
      dataDirectory: directory.root,
      homeCountry: config.homeCountry,
      adapter: config.verdict.adapter,
      handler: {
        deadlineMs: config.verdict.deadlineMs,
        callsPerWebSocket: config.verdict.callsPerWebSocket,
        labelLanguage: config.labelLanguage,
        webSocketPath: WEB_SOCKET_PATH,
        apiKeyDigests: config.keys
          .filter((key) => key.role === 'switch' || key.role === 'admin')
          .map((key) => key.sha256),
        allowedHosts: [config.verdict.host, '127.0.0.1', 'localhost', '[::1]'],
      },
      sampleOneIn: config.verdict.sampleOneIn,
      server: {
        host: config.verdict.host,
        port: config.verdict.port,
        connectionsMax: config.verdict.connectionsMax,
        verdictPath: VERDICT_PATH,
        webSocketPath: WEB_SOCKET_PATH,
        webSocketMessageBytesMax: 1_048_576,
        idleTimeoutSeconds: config.verdict.idleTimeoutSeconds,
      },
    }),
  )

  const tables = [reputations, shared.recentCalls, ...Object.values(behaviour.regions)]
  for (const table of [...tables, ...threadData.flatMap((data) => [data.decisionRing, data.traffic])]) {
    if (table instanceof SharedArrayBuffer) touchPages(table)
  }
  const startedAt = store.lastSequence()
  const first = await builder.build()
  const threads = startVerdictThreads(threadData, { startThread: startVerdictThread, onFailure: fail })
  let generation = 0
  const collect = garbageCollector()
  const release = createMemoryRelease(() => {
    threads.collect()
    collect()
  })
  const install = async (snapshot: ScreeningSnapshot) => {
    await threads.install(snapshot)
    builder.acknowledged()
    release(snapshot)
    generation = snapshot.generation
  }
  await install(first)
  behaviour.begin()

  const nodeHealth = openNodeHealth(health)
  const follower = createFollower(startedAt, {
    store,
    addReported(number) {
      // The log has what was stored as a PhoneNumber. Before the gates open: the copy of before must not be found any more.
      reputationReads.reputationOf(number as PhoneNumber)
      builder.addReported(number)
      behaviour.changed(number)
    },
    publish: async () => install(await builder.build()),
    onProgress: (seen, inForce) => tell({ type: 'applied', label, seen, inForce }),
    onFailure: fail,
    now: clock.now,
  })
  // Who starts us was told a moment ago, by control, that its store is open.
  let controlHeardMs = performance.now()
  const record = createRecordMoment(config.redis.url === '' ? undefined : keptFreshMs(directory, clock.now()))
  const freshMs = () => {
    const inForceMs = follower.freshMs
    return freshMoment(inForceMs, performance.now() - controlHeardMs, clock.now(), record.upTo(inForceMs))
  }
  const look = () => {
    follower.nudge()
    setNodeHealth(nodeHealth, freshMs(), follower.seen)
  }
  const poll = setInterval(look, POLL_MS)
  look()
  const logs = startVerdictLogs(
    {
      decisionsDirectory: directory.decisions,
      trafficDirectory: directory.traffic,
      // A restart within the hour must not write over what the process before it counted.
      process: `${label}-${process.pid}-${startedMs.toString(36)}`,
      trunkNames: trunks.map((trunk) => trunk.name),
      segmentBytesMax: config.decisionLog.segmentBytes,
      retentionDays: config.decisionLog.retentionDays,
      retentionBytesMax: config.decisionLog.bytesMax,
    },
    {
      rings: threadData.map((data) => data.decisionRing),
      traffic: threadData.map((data) => data.traffic),
      onReviewWanted: (items) => tell({ type: 'review-wanted', items }),
      now: clock.now,
    },
  )

  const { port, adapter } = await threads.listening
  // With port 0 nobody could take its place.
  const takeBackNote = config.verdict.port === 0 ? undefined : noteServing(directory, { ...config.verdict, adapter })
  const { frozenSeconds } = config.verdict
  const threadWatch = createThreadWatch(
    { ticksMax: Math.ceil((frozenSeconds * 1_000) / ALIVE_EVERY_MS) },
    {
      beats: nodeHealth.beats,
      onFrozen: (thread) =>
        failAtOnce(new ScreeningError('INTERNAL', `Verdict thread ${thread} has not moved for ${frozenSeconds} s.`)),
    },
  )
  const connectionsWatch = createConnectionsWatch({
    refused: () => sumCounters(counters)[CONNECTIONS_REFUSED] ?? 0,
    now: () => performance.now(),
    say: (refused) => log.warn({ refused }, 'connections beyond verdict.connectionsMax were closed'),
  })
  const watch = setInterval(() => {
    threadWatch.tick()
    connectionsWatch.tick()
  }, ALIVE_EVERY_MS)
  tell({ type: 'applied', label, seen: follower.seen, inForce: follower.inForce })
  tell({ type: 'ready', address: `http://${config.verdict.host}:${port}`, detail: adapter })

  function acceptClock(): void {
    clock.accept()
    threads.acceptClock()
    behaviour.acceptClock()
  }

  function status(): VerdictProcessStatus {
    return {
      label,
      pid: process.pid,
      adapter,
      threads: config.verdict.threads,
      seen: follower.seen,
      inForce: follower.inForce,
      freshMs: freshMs(),
      lastSequence: store.lastSequence(),
      generation,
      counters: sumCounters(counters),
      globalGateBytes: builder.globalGate.bytes,
      globalGateNumbers: builder.globalGate.numbers,
      decisionLog: logs.stats(),
      ...behaviour.state(),
      uptimeSeconds: (Date.now() - startedMs) / 1000,
      memoryBytes: process.memoryUsage.rss(),
    }
  }

  return {
    onMessage(message) {
      if (message.type === 'changed') follower.nudge()
      else if (message.type === 'alive') controlHeardMs = performance.now()
      else if (message.type === 'record-fresh') record.hear(message.freshMs, clock.now())
      else if (message.type === 'clock-accepted') acceptClock()
      else if (message.type === 'ask')
        tell({ type: 'answered', id: message.id, label, answer: behaviour.answer(message.question) })
      else if (message.type === 'call-match-request') tell(behaviour.match(message))
      else if (message.type === 'active-callers') behaviour.hear(message)
      else if (message.type === 'status-request') tell({ type: 'status', id: message.id, status: status() })
    },
    goOnAlone() {
      if (takeBackNote === undefined) {
        log.error({ port }, NOBODY_ANSWERS)
        return 0
      }
      log.warn({ forMs: LEFT_BEHIND_MS }, 'the supervisor is gone; calls are answered until another one has taken over')
      setUnsupervised(nodeHealth)
      return LEFT_BEHIND_MS
    },
    onNobodyCame: () => log.error({ port }, NOBODY_ANSWERS),
    async stop() {
      takeBackNote?.()
      clearInterval(poll)
      clearInterval(watch)
      // Begun first, so that no new snapshot is made, but awaited after the logs: one that is being made may take longer
      // than the supervisor's patience, and it reads the store.
      const followed = follower.close()
      await threads.close()
      // What was decided before what is remembered: the latter may take seconds on a slow disk.
      await logs.close()
      await behaviour.stop()
      await followed
      await store.close()
    },
  }
}
