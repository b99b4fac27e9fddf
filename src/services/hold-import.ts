import type { ImportCounts, ImportImpact, ImportRecord } from '../domain/import.ts'
import type { ListKind } from '../domain/number-list.ts'

/** When a change is too big to become active by itself. */
export type HoldOptions = {
  /** Share of the list (0..1) that may go at once. */
  readonly heldRemovedShare: number
  /** Share of the last day's calls (0..1) that an upload may block. */
  readonly heldCallsShare: number
}

/** Fewer removed rows than this are a small list being edited. */
const HELD_REMOVED_ROWS_MIN = 1_000
/** With fewer calls recorded a share of them says nothing: a node's first minutes, or a test bench. */
const HELD_CALLS_RECORDED_MIN = 10_000

const BLOCKING_KINDS: readonly ListKind[] = ['deny', 'do-not-originate']

/**
 * Why an import waits for somebody to look: it takes away much of the list, it would block many calls, or it would block
 * protected numbers (a deny list stands above protection; on a do-not-originate list such numbers are meant to be).
 */
export function reasonToHold(
  change: { kind: ListKind; entryCount: number; counts: ImportCounts; impact: ImportImpact },
  options: HoldOptions,
): NonNullable<ImportRecord['problem']> | undefined {
  const { kind, entryCount, counts, impact } = change
  if (counts.removed >= HELD_REMOVED_ROWS_MIN && counts.removed > entryCount * options.heldRemovedShare) {
    return {
      code: 'HELD_REMOVES_MANY',
      detail: `It removes ${counts.removed} of ${entryCount} entries, more than ${percent(options.heldRemovedShare)}.`,
    }
  }
  if (kind === 'deny' && impact.clashes.protectedCount > 0) {
    return {
      code: 'HELD_BLOCKS_PROTECTED',
      detail: `${impact.clashes.protectedCount} of its numbers are on a list of protected numbers.`,
    }
  }
  const isMeasured = impact.totalCalls >= HELD_CALLS_RECORDED_MIN
  if (BLOCKING_KINDS.includes(kind) && isMeasured && impact.calls > impact.totalCalls * options.heldCallsShare) {
    return {
      code: 'HELD_BLOCKS_MANY_CALLS',
      detail:
        `It would have blocked ${impact.calls} of the last day's ${impact.totalCalls} calls, ` +
        `more than ${percent(options.heldCallsShare)}.`,
    }
  }
  return undefined
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`
}
