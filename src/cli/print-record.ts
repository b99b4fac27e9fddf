import { RECORD_STATES, type RecordState } from '../domain/record-view.ts'
import type { Fields } from './fields.ts'
import { counted, type Output, printable, shortTime, thousands } from './output.ts'

/** What to do next, by state; docs/OPERATIONS.md says it at length. */
const NEXT_STEPS: Readonly<Record<RecordState, string | undefined>> = {
  following: undefined,
  'catching-up': undefined,
  away: 'Bring Redis or the network to it back; this node goes on by itself then.',
  waiting: 'Start the node where the list was imported last; it gives the contents back by itself.',
  lost:
    'Redis was emptied, or ZASLON_REDIS_URL names another Redis: then correct that. Else restore the backup of Redis; ' +
    'without one: "zaslon record restore" on the node with the newest state.',
  diverged: 'Decide who is right: Redis, "zaslon record accept"; this node, "zaslon record restore".',
  damaged: 'Restore the backup of Redis, or "zaslon record restore" on a node that follows the rest.',
  newer: 'Start the newer version on this node.',
  stopped: "Look at the node's disk and the log of its control process.",
}

/** An answer of GET /v1/record for people. `nowMs`: epoch milliseconds. */
export function printRecord(output: Output, record: Fields, nowMs: number): void {
  if (record.text('kind') === 'embedded') {
    output.line('embedded: this node is its own record.')
    return
  }
  const { bold, green, red } = output.colours
  const state = printable(record.text('state'))
  const line = (name: string, text: string) => output.line(`${name.padEnd(9)} ${text}`)
  line('record', `${printable(record.text('redis'))} (${printable(record.text('recordId'))})`)
  line('state', bold(state === 'following' ? green(state) : red(state)))
  line('fresh', freshText(record.text('freshAt'), nowMs))
  const behind = record.number('behind')
  line('behind', behind === undefined ? 'not known: Redis has not answered since the start' : counted(behind, 'fact'))
  line('outbox', outboxText(record.fields('outbox'), nowMs))
  const rewound = record.number('rewound') ?? 0
  const takenBack = rewound === 0 ? '' : `, ${thousands(rewound)} of them taken back`
  line('applied', `${counted(record.number('applied'), 'fact')} since the start${takenBack}`)
  const problem = record.fields('problem')
  if (problem.has('code')) line('problem', `${printable(problem.text('code'))}: ${printable(problem.text('detail'))}`)
  output.line()
  output.table(
    ['state', 'partitions'],
    partitionsOf(record).map(([name, count]) => [name, String(count)]),
  )
  const next = nextStep(record)
  if (next !== undefined) output.note(next)
}

/** What to do about the state of the record; undefined when nothing is. */
export function nextStep(record: Fields): string | undefined {
  const state = RECORD_STATES.find((name) => name === record.text('state'))
  if (state === undefined) return undefined
  const problem = record.fields('problem')
  // A Redis that answers needs not be brought back: what it says names what to mend.
  const isAnswered = state === 'away' && problem.has('code') && problem.text('code') !== 'UNAVAILABLE'
  return (isAnswered ? problem.text('hint') : undefined) ?? NEXT_STEPS[state]
}

/** `62 following, 1 away and 2 lost`; of these states only, when some are named. */
export function partitionsText(record: Fields, states: readonly RecordState[] = RECORD_STATES): string {
  const parts = partitionsOf(record, states).map(([name, count]) => `${count} ${name}`)
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`
}

export function countPartitions(record: Fields, states: readonly RecordState[] = RECORD_STATES): number {
  return partitionsOf(record, states).reduce((sum, [, count]) => sum + count, 0)
}

function partitionsOf(record: Fields, states: readonly RecordState[] = RECORD_STATES): [RecordState, number][] {
  const partitions = record.fields('partitions')
  return states
    .map((name): [RecordState, number] => [name, partitions.number(name) ?? 0])
    .filter(([, count]) => count > 0)
}

function freshText(freshAt: string | undefined, nowMs: number): string {
  if (freshAt === undefined) return 'never since the start'
  return `${shortTime(freshAt)} UTC, ${durationText(nowMs - Date.parse(freshAt))} ago`
}

function outboxText(outbox: Fields, nowMs: number): string {
  const waiting = `${thousands(outbox.number('facts') ?? 0)} of ${counted(outbox.number('max'), 'fact')}`
  const oldestAt = outbox.text('oldestAt')
  return oldestAt === undefined ? waiting : `${waiting}, the oldest for ${durationText(nowMs - Date.parse(oldestAt))}`
}

function durationText(durationMs: number): string {
  const seconds = Math.max(0, Math.round(durationMs / 1_000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 3_600)} h`
}
