import path from 'node:path'
import { PACKAGE_DIRECTORY, packageVersion } from '../config/package-directory.ts'
import { diallingRules } from '../domain/dialling-rules.ts'
import { ScreeningError } from '../domain/errors.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import { createClockDesk } from '../services/clock-desk.ts'
import { createControlServices } from '../services/control-services.ts'
import { openDataDirectory, readPseudonymKey } from '../stores/data-directory.ts'
import { iterateDecisions } from '../stores/decision-log/search-decisions.ts'
import { openListContents } from '../stores/lmdb/list-contents.ts'
import type { ListContents } from '../stores/ports.ts'
import { createLogger } from '../telemetry/logger.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { createControlPlane } from '../transports/control-plane/server.ts'
import { listenError } from '../transports/listen-error.ts'
import { busiestBehaviour, busiestNumber } from './answer-behaviour.ts'
import { createCallMatches } from './ask-call-match.ts'
import { createStandings } from './ask-standing.ts'
import { type ChildProgram, fail, tell } from './child.ts'
import { startActivityRelay } from './exchange-activity.ts'
import { putFirstPolicy } from './first-policy.ts'
import { importFaultLog } from './import-fault-log.ts'
import { keepFreshMoment } from './keep-fresh-moment.ts'
import { loadSamples } from './load-samples.ts'
import { createLocalExplainer } from './local-explainer.ts'
import { type BehaviourQuestion, RECORD_FRESH_EVERY_MS, type StartMessage } from './messages.ts'
import { nodeKey } from './node-key.ts'
import { createGoodTalksNoter } from './note-good-talks.ts'
import { keepClock, openClock } from './open-clock.ts'
import { openRecordOf } from './open-record.ts'
import { createWantedReviews } from './open-wanted-reviews.ts'
import { createPeerQuestions } from './peer-questions.ts'
import { policyYaml } from './policy-yaml.ts'
import { startRehearsalThreads } from './rehearsal-threads.ts'
import { startImports } from './start-imports.ts'
import { createVerdictPeers } from './verdict-peers.ts'

/** The control process: the only writer of the record, everything that is not a verdict. */

/** A report waits this long for its gate bit; a busy verdict process has it a poll later. */
const REPORT_WAIT_MS = 1_000
/** A snapshot of ten million numbers takes seconds when its gate file is gone. */
const SNAPSHOT_WAIT_MS = 20_000

/** A verdict process answers in about a millisecond; an explanation goes without one that is busy. */
const BEHAVIOUR_WAIT_MS = 250

const CLOCK_JUMPED = "the machine's clock has jumped; the node goes on by the time that has passed: zaslon clock status"
const CLOCK_STEADY = "the node goes by the machine's clock again"

export async function startControlProcess(start: StartMessage): Promise<ChildProgram> {
  const { label, config } = start
  const log = createLogger({ level: config.log.level, process: label })
  const directory = openDataDirectory(config.dataDirectory)
  const clock = openClock(directory)
  const keptClock = keepClock(directory, clock, {
    onChange: (aheadMs) => log.error({ aheadMs }, aheadMs === 0 ? CLOCK_STEADY : CLOCK_JUMPED),
    onFault: (error) => log.warn({ err: error }, 'the time was not noted'),
  })
  const home = homeRules(config.homeCountry)
  const pseudonymKey = readPseudonymKey(directory, config.pseudonymKeyFile)
  let opened: ListContents | undefined
  const openContents = () => {
    opened ??= openListContents({ directory: directory.root, readOnly: false })
    return opened
  }
  // What other nodes wrote before anybody here could be told is found by whoever starts.
  let announce = () => {}
  const record = await openRecordOf(
    { config, directory, pseudonymKey },
    { openContents, log, now: clock.now, onApplied: () => announce() },
  )
  const { store } = record
  const fresh = keepFreshMoment(directory, record.desk, {
    now: clock.now,
    onFault: (error) => log.debug({ err: error }, 'how fresh the state is was not noted'),
  })
  const contents = openContents()
  await putFirstPolicy(store)
  tell({ type: 'store-ready' })

  const peers = createVerdictPeers({
    tellChanged: (upTo) => tell({ type: 'changed', upTo }),
    askStatus: (id) => tell({ type: 'status-request', id }),
  })
  const questions = createPeerQuestions({ send: (id, question) => tell({ type: 'ask', id, question }) })
  const behaviourOf = async (asked: BehaviourQuestion) => {
    const answers = await questions.ask({ about: 'behaviour', asked }, BEHAVIOUR_WAIT_MS)
    return busiestBehaviour(answers.flatMap((answer) => ('behaviour' in answer ? answer.behaviour : [])))
  }
  const behaviourOfNumber = async (number: PhoneNumber) => {
    const answers = await questions.ask({ about: 'number', number, nowMs: clock.now() }, BEHAVIOUR_WAIT_MS)
    return busiestNumber(answers.flatMap((answer) => ('number' in answer ? answer.number : [])))
  }
  const callMatches = createCallMatches(
    {
      key: nodeKey(pseudonymKey, 'pairs'),
      processes: config.verdict.processes,
      seesAllCalls: config.redis.url === '' && !config.verdict.sharePort,
    },
    { ask: tell, now: clock.now },
  )
  const explainer = await createLocalExplainer(
    { trunks: config.trunks, home },
    { store, contents, behaviourOf, now: clock.now, onFailure: fail },
  )
  const notify = async (sequence: number) => {
    await Promise.all([
      explainer.follow(sequence),
      peers.notify(sequence, { needsSnapshot: true, timeoutMs: SNAPSHOT_WAIT_MS }),
    ])
  }
  const notifyReport = async (sequence: number) => {
    await peers.notify(sequence, { needsSnapshot: false, timeoutMs: REPORT_WAIT_MS })
  }
  announce = () => {
    const sequence = store.lastSequence()
    tell({ type: 'changed', upTo: sequence })
    void explainer.follow(sequence)
  }
  const metrics = createMetrics({ version: packageVersion() })
  const imports = await startImports(
    { config, directory },
    {
      store,
      contents,
      jobs: record.jobs.runner,
      notify,
      now: clock.now,
      onFault: importFaultLog(log),
      onSettled: (record) => metrics.imports.settled(record, clock.now()),
    },
  )
  const rehearsals = startRehearsalThreads({
    dataDirectory: directory.root,
    homeCountry: config.homeCountry,
    trunks: config.trunks,
  })
  const services = createControlServices(
    { home, timeZone: config.timeZone, pseudonymKey, trunks: config.trunks },
    {
      store,
      contents,
      imports: imports.lists,
      numbering: imports.numbering,
      notify,
      notifyReport,
      callMatch: callMatches.match,
      standingOf: createStandings({ questions, now: clock.now }),
      record: fresh.desk,
      clock: createClockDesk({
        clock,
        store,
        onAccepted() {
          keptClock.write()
          tell({ type: 'clock-accepted' })
        },
      }),
      decisionLog: { iterate: (query) => iterateDecisions({ directory: directory.decisions }, query) },
      explain: explainer.explain,
      behaviourOf: behaviourOfNumber,
      trunkIndex: explainer.trunkIndex,
      rehearseEvents: rehearsals.run,
      yaml: policyYaml,
      metrics,
      now: clock.now,
    },
  )
  const app = await createControlPlane(
    {
      keys: config.keys,
      host: config.admin.host,
      version: packageVersion(),
      homeCountry: config.homeCountry,
      uploadBytesMax: config.imports.bytesMax,
      spoolDirectory: directory.imports,
    },
    { services, metrics, verdictStatus: () => peers.statuses(), now: clock.now, log },
  )
  const address = await listen(app, config.admin.host, config.admin.port)
  if (start.loadSamples)
    await loadSamples(
      {
        directory: path.join(PACKAGE_DIRECTORY, 'data'),
        root: directory.root,
        spool: directory.imports,
        country: config.homeCountry,
      },
      { store, services },
    )
  tell({ type: 'ready', address, detail: '' })

  const tellFresh = setInterval(() => {
    fresh.note()
    const view = fresh.desk.view()
    if (view.kind === 'redis') tell({ type: 'record-fresh', freshMs: view.freshMs, state: view.state })
  }, RECORD_FRESH_EVERY_MS)

  const { openActivityChannel } = record
  const relay = openActivityChannel && startActivityRelay({ openChannel: openActivityChannel, tell })
  const openReviews = createWantedReviews({ store, now: clock.now, log })
  const noteGoodTalks = createGoodTalksNoter({ goodCalls: services.goodCalls, now: clock.now, log })

  return {
    onMessage(message) {
      if (message.type === 'peers') {
        peers.onPeers(message.labels)
        questions.onPeers(message.labels)
        callMatches.onPeers(message.labels)
      } else if (message.type === 'answered') questions.onAnswered(message)
      else if (message.type === 'call-match') callMatches.onAnswer(message)
      else if (message.type === 'applied') peers.onApplied(message)
      else if (message.type === 'status') peers.onStatus(message)
      else if (message.type === 'review-wanted') void openReviews(message.items)
      else if (message.type === 'good-talks') void noteGoodTalks(message)
      else if (message.type === 'active-callers') relay?.publish(message)
    },
    async stop() {
      // Nobody answers any more: what waits for verdict processes goes on without them.
      peers.onPeers([])
      questions.onPeers([])
      relay?.close()
      clearInterval(tellFresh)
      fresh.note()
      keptClock.stop()
      await app.close()
      await imports.close()
      await rehearsals.close()
      metrics.close()
      await record.close()
      await record.jobs.close()
      await contents.close()
    },
  }
}

function homeRules(country: string) {
  try {
    return diallingRules(country)
  } catch (cause) {
    throw new ScreeningError(
      'CONFIG_INVALID',
      `homeCountry ${country} is not a country with telephone numbers.`,
      {},
      { cause },
    )
  }
}

async function listen(
  app: { listen(options: { host: string; port: number }): Promise<string> },
  host: string,
  port: number,
): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (cause) {
    if (!(cause instanceof Error && 'syscall' in cause)) throw cause
    throw listenError(cause, { host, port, name: 'ADMIN' })
  }
}
