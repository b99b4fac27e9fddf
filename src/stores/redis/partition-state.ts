import { ScreeningError } from '../../domain/errors.ts'
import type { RecordProblem, RecordState } from '../../domain/record-view.ts'
import type { Position } from './fact-streams.ts'

export type FollowerStatus = {
  /** How many partitions are in each state that any is in. */
  readonly states: Readonly<Partial<Record<RecordState, number>>>
  /** The first trouble that needs somebody. */
  readonly problem: RecordProblem | undefined
  /** The last moment of which everything in the record is applied here, epoch milliseconds. */
  readonly freshMs: number
  /** Facts that are known to be in the record and are not applied here; undefined: Redis was not asked yet. */
  readonly behind: number | undefined
  readonly applied: number
  readonly rewound: number
}

/** What a follower knows of one partition. */
export type Partition = {
  readonly index: number
  position: Position
  newest: number
  /** Redis has said once what is the newest. */
  isAsked: boolean
  state: RecordState
  error: unknown
  freshMs: number
  touchAt: number
  retryAt: number
  busy: Promise<void> | undefined
  isNudged: boolean
  isHeld: boolean
}

export function newPartition(index: number, position: Position): Partition {
  return {
    index,
    position,
    newest: position.sequence,
    isAsked: false,
    state: 'away',
    error: undefined,
    freshMs: 0,
    touchAt: 0,
    retryAt: 0,
    busy: undefined,
    isNudged: false,
    isHeld: false,
  }
}

export function stateFor(error: unknown): RecordState {
  if (!(error instanceof ScreeningError)) return 'stopped'
  switch (error.code) {
    case 'CONTENTS_MISSING':
      return 'waiting'
    case 'RECORD_LOST':
    case 'RECORD_FOREIGN':
      return 'lost'
    case 'RECORD_DIVERGED':
      return 'diverged'
    case 'RECORD_DAMAGED':
      return 'damaged'
    case 'STORAGE_FORMAT':
      return 'newer'
    // Whatever else Redis says (full, its disk, its rights): it takes nothing now, and may again without us.
    default:
      return 'away'
  }
}

export function statusOf(partitions: readonly Partition[]): Omit<FollowerStatus, 'applied' | 'rewound'> {
  const states: Partial<Record<RecordState, number>> = {}
  let freshMs = Number.POSITIVE_INFINITY
  let behind: number | undefined = 0
  let worst: Partition | undefined
  for (const partition of partitions) {
    states[partition.state] = (states[partition.state] ?? 0) + 1
    freshMs = Math.min(freshMs, partition.freshMs)
    const missing = partition.isAsked ? Math.max(0, partition.newest - partition.position.sequence) : undefined
    behind = behind === undefined || missing === undefined ? undefined : behind + missing
    if (partition.error !== undefined && (worst === undefined || worst.state === 'away')) worst = partition
  }
  return { states, freshMs, behind, problem: worst === undefined ? undefined : problemOf(worst.error) }
}

function problemOf(error: unknown): RecordProblem {
  if (error instanceof ScreeningError) {
    const { hint } = error.details
    return { code: error.code, detail: error.message, ...(hint === undefined ? {} : { hint }) }
  }
  return { code: 'INTERNAL', detail: error instanceof Error ? error.message : String(error) }
}
