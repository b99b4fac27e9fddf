import { Type } from 'typebox'
import { RECORD_STATES, type RecordState, type RecordView } from '../../domain/record-view.ts'
import { formatTime } from '../../services/parse-time.ts'
import { Moment, oneOf } from './schemas.ts'

const Outbox = Type.Object(
  {
    facts: Type.Integer(),
    max: Type.Integer({ description: 'A report more than that is refused with QUEUE_FULL.' }),
    oldestAt: Type.Optional(Moment),
  },
  { description: "What waits on this node's disk for Redis." },
)
const FreshAt = Type.Optional(
  Type.String({
    format: 'date-time',
    description: 'Everything that was in the record then is here, kept over restarts. Not there: not known.',
  }),
)
const Behind = Type.Optional(
  Type.Integer({
    description:
      'Facts known to be in Redis and not applied here yet. Not there: Redis has not answered since the start.',
  }),
)
const EmbeddedRecord = Type.Object({ kind: Type.Literal('embedded') }, { description: 'The node is its own record.' })

export const RecordAnswer = Type.Union([
  EmbeddedRecord,
  Type.Object({
    kind: Type.Literal('redis'),
    recordId: Type.String(),
    redis: Type.String({ description: 'Addresses as configured, without passwords.' }),
    state: oneOf(RECORD_STATES, { description: 'Of the worst partition.' }),
    partitions: Type.Record(Type.String(), Type.Integer(), { description: 'How many are in each state.' }),
    problem: Type.Optional(
      Type.Object({ code: Type.String(), detail: Type.String(), hint: Type.Optional(Type.String()) }),
    ),
    freshAt: FreshAt,
    behind: Behind,
    applied: Type.Integer({ description: 'Facts applied since the process started.' }),
    rewound: Type.Integer({ description: 'Of them taken back, because Redis had lost them.' }),
    outbox: Outbox,
  }),
])

export function representRecord(view: RecordView) {
  if (view.kind === 'embedded') return view
  const { freshMs, outbox, ...rest } = view
  return { ...rest, ...representFresh(freshMs), outbox: representOutbox(outbox) }
}

/** What anybody may know who asks for health: no addresses and no ids. */
export const RecordHealth = Type.Union([
  EmbeddedRecord,
  Type.Object({
    kind: Type.Literal('redis'),
    state: oneOf(RECORD_STATES),
    problem: Type.Optional(Type.Object({ code: Type.String() })),
    freshAt: FreshAt,
    behind: Behind,
    outbox: Outbox,
  }),
])

export function representRecordHealth(view: RecordView) {
  if (view.kind === 'embedded') return view
  const { kind, state, problem, freshMs, behind: facts, outbox } = view
  const known = problem === undefined ? {} : { problem: { code: problem.code } }
  const behind = facts === undefined ? {} : { behind: facts }
  return { kind, state, ...known, ...representFresh(freshMs), ...behind, outbox: representOutbox(outbox) }
}

function representFresh(freshMs: number) {
  return freshMs === 0 ? {} : { freshAt: formatTime(freshMs) }
}

function representOutbox({ facts, max, oldestMs }: Extract<RecordView, { kind: 'redis' }>['outbox']) {
  return { facts, max, ...(oldestMs === undefined ? {} : { oldestAt: formatTime(oldestMs) }) }
}

const STATE_REASONS: Readonly<Record<RecordState, string>> = {
  following: 'This node is catching up with the record in Redis',
  away: 'Redis does not answer',
  'catching-up': 'This node is catching up with the record in Redis',
  waiting: 'Redis has not the contents of a list, and no node has given them back yet',
  lost: 'The record in Redis, or a part of it, is gone',
  diverged: 'Redis has another history than this node',
  damaged: 'The record in Redis is damaged',
  newer: 'A newer version wrote to the record what this one cannot read',
  stopped: "This node's disk refuses what comes from the record",
}

const REFUSED_REASON = 'Redis refuses this node, because of its password, its rights or its pseudonym key'

/** Why verdicts are given on an older state than the record's: at most one full sentence, none up to an age of `oldMs`. */
export function recordReasons(view: RecordView, nowMs: number, oldMs: number): string[] {
  if (view.kind === 'embedded' || nowMs - view.freshMs <= oldMs) return []
  const age =
    view.freshMs === 0
      ? 'it was not read to its end since the node started'
      : `the state here is ${Math.round((nowMs - view.freshMs) / 1_000)} s old`
  const isRefused = view.state === 'away' && view.problem?.code === 'CONFIG_INVALID'
  return [`${isRefused ? REFUSED_REASON : STATE_REASONS[view.state]}: ${age}.`]
}
