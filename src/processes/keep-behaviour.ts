import type { Config } from '../config/schema.ts'
import { CLOCK_JUMP_MS } from '../domain/node-clock.ts'
import type { PhoneNumber } from '../domain/phone-number.ts'
import { type BehaviourRegions, LONG_TALKS, openBehaviour } from '../engine/behaviour-memory.ts'
import { describeBehaviour } from '../engine/number-behaviour.ts'
import { createBlockBuilder } from '../services/build-blocks.ts'
import { activityLosses, rememberedSince, rememberFrom } from '../shm/activity.ts'
import { blockTableLoad, createBlockTable } from '../shm/block-table.ts'
import { createLongTalks, takeLongTalks } from '../shm/long-talks.ts'
import { createNotedCalls } from '../shm/recent-calls.ts'
import { createRemoteActivity } from '../shm/remote-activity.ts'
import type { VerdictStore } from '../stores/ports.ts'
import type { ActivityState } from '../telemetry/behaviour-metrics.ts'
import { answerBehaviour } from './answer-behaviour.ts'
import { startActivityExchange } from './exchange-activity.ts'
import { createForgettingWatch } from './forgetting-watch.ts'
import { createGoodTalks } from './good-talks.ts'
import { createKeptActivity } from './keep-activity.ts'
import { createKeptPairs } from './keep-pairs.ts'
import { startSnapshots } from './keep-snapshots.ts'
import type {
  ActiveCallersMessage,
  CallMatchMessage,
  CallMatchRequestMessage,
  GoodTalksMessage,
  VerdictAnswer,
  VerdictProcessStatus,
  VerdictQuestion,
} from './messages.ts'

/** What a verdict process remembers of behaviour, as its main thread has it: made or taken up, kept, exchanged, asked. */
export type KeptBehaviour = {
  /** For the verdict threads. */
  readonly regions: BehaviourRegions
  /** The threads have their first snapshot: what may come late begins. */
  begin(): void
  /** A number's reputation has changed. */
  changed(number: number): void
  /** What another process says of who is busy. */
  hear(message: ActiveCallersMessage): void
  answer(question: VerdictQuestion): VerdictAnswer
  match(question: CallMatchRequestMessage): CallMatchMessage
  /** The clock was set right: what is remembered counts from now on. */
  acceptClock(): void
  state(): Pick<VerdictProcessStatus, 'activity' | 'blocks' | 'pairs'>
  /** After the threads are closed; writes what has changed. */
  stop(): Promise<void>
}

export type KeptBehaviourOptions = {
  readonly label: string
  readonly verdict: Config['verdict']
  /** Whether other processes of this node or other nodes take calls as well. */
  readonly hasOthers: boolean
  /** nodeKey(…, 'pairs'). */
  readonly key: Uint32Array
  readonly snapshotDirectory: string
}

export type KeptBehaviourDependencies = {
  readonly store: Pick<VerdictStore, 'readReputationNumbers' | 'reputationOf'>
  readonly now: () => number
  readonly tell: (message: ActiveCallersMessage | GoodTalksMessage, sent?: () => void) => void
  readonly log: Readonly<Record<'info' | 'warn', (fields: object, text: string) => void>>
  readonly onFailure: (error: unknown) => void
}

/** 1,000 new rows a second of one other process for a minute; 9 MB. */
const REMOTE_ROWS = 65_536
const LOOK_EVERY_MS = 1_000

/** Rejects as a snapshot that cannot be read does not: with a fault of ours. */
export async function startBehaviour(
  { label, verdict, hasOthers, key, snapshotDirectory }: KeptBehaviourOptions,
  { store, now, tell, log, onFailure }: KeptBehaviourDependencies,
): Promise<KeptBehaviour> {
  const activity = createKeptActivity({ capacity: verdict.activeNumbers })
  const pairs = createKeptPairs(
    { pairsPerDay: verdict.pairsPerDay, key },
    { now, onFull: (today) => log.warn(today, 'the memory of pairs is full for today') },
  )
  const snapshots = await startSnapshots(
    { directory: snapshotDirectory, label },
    // At a stop whose time runs out on a slow disk, a week of pairs is worth more than an hour of activity.
    { parts: [...pairs.parts, activity.part], now, log },
  )
  pairs.start()
  const regions: BehaviourRegions = {
    activity: activity.memory(),
    remote: createRemoteActivity(hasOthers ? REMOTE_ROWS : 1),
    pairs: pairs.memory,
    pairKey: pairs.key,
    blocks: createBlockTable(verdict.blocks, now()),
    ends: createNotedCalls(verdict.recentEnds),
    longTalks: createLongTalks(LONG_TALKS),
  }
  const memory = openBehaviour(regions)
  const blocks = createBlockBuilder({ store, table: memory.blocks, onFailure })
  const exchange = hasOthers ? startActivityExchange({ label }, { ...memory, tell, now }) : undefined
  const goodTalks = createGoodTalks({ now })
  const forgetting = createForgettingWatch(verdict, { activity: memory.activity, now, log })
  let timer: NodeJS.Timeout | undefined

  function look(): void {
    const sinceMs = rememberedSince(memory.activity, now())
    // Taken up with a clock that was ahead, perhaps by years.
    if (Number.isFinite(sinceMs) && sinceMs > now() + CLOCK_JUMP_MS) rememberFrom(memory.activity, now())
    forgetting.look()
    takeLongTalks(memory.longTalks, LONG_TALKS, (number, ingress, calleeHash) => {
      // What a thread noted was a PhoneNumber.
      if (store.reputationOf(number as PhoneNumber) !== undefined) goodTalks.add(number, ingress, calleeHash)
    })
    const message = goodTalks.next()
    if (message !== undefined) tell(message)
  }

  function activityState(): ActivityState {
    const refusedRows = exchange?.refusedRows ?? 0
    return { sinceMs: rememberedSince(memory.activity, now()), ...activityLosses(memory.activity), refusedRows }
  }

  return {
    regions,
    begin() {
      // Nobody waits for it: until it is done the table says too little, never too much.
      void blocks.start()
      timer = setInterval(look, LOOK_EVERY_MS)
    },
    changed: (number) => blocks.changed(number),
    hear: (message) => exchange?.hear(message),
    answer: (question) =>
      question.about === 'number'
        ? { number: describeBehaviour(question.number, question.nowMs, memory) }
        : { behaviour: answerBehaviour(question.asked, memory) },
    match: ({ id, low, high, sinceMs }) => ({ type: 'call-match', id, label, match: pairs.match(low, high, sinceMs) }),
    acceptClock() {
      pairs.turn()
      rememberFrom(memory.activity, now())
    },
    state: () => ({ activity: activityState(), blocks: blockTableLoad(memory.blocks), pairs: pairs.state() }),
    async stop() {
      clearInterval(timer)
      exchange?.stop()
      blocks.close()
      pairs.stop()
      await snapshots.close()
    },
  }
}
