import type { ImportCounts, ImportImpact, ImportRecord } from '../domain/import.ts'
import type { ListKind } from '../domain/number-list.ts'

/** When a change is too big to become active by itself. */
export type HoldOptions = {
  /** Share of the list (0..1) that may go at once. */
  readonly heldRemovedShare: number
  /** Share of the last day's calls (0..1) that an upload may block. */
  readonly heldCallsShare: number
}

/**
 * Fewer removed rows than this are a small list being edited. What protects callers or stands for whole blocks of numbers
 * gets little room: half of a hundred protected numbers is as wrong as half of a million. So does emptying any list.
 */
const REMOVED_ROWS_MIN = 1_000
const REMOVED_ROWS_MIN_GUARDED = 20
const GUARDED_KINDS: readonly ListKind[] = ['allow', 'protected', 'own', 'do-not-originate']
/** With fewer calls recorded a share of them says nothing: a node's first minutes, or a test bench. */
const HELD_CALLS_RECORDED_MIN = 10_000

/** Kinds whose entries block calls. */
export const BLOCKING_KINDS: readonly ListKind[] = ['deny', 'do-not-originate']

export type HoldReason = NonNullable<ImportRecord['problem']>

/** A preview that only has to be looked at again is no big change. */
const HELD_LIST_CHANGED = 'HELD_LIST_CHANGED'

/** Whether somebody else than who uploaded it should look at it; a preview knows its reason too. */
export function needsSecondPerson(problem: HoldReason | undefined): boolean {
  return problem !== undefined && problem.code !== HELD_LIST_CHANGED
}

/** A change as the rules look at it: `entryCount` is the list before, `entryCountAfter` as it would be. */
export type HoldableChange = {
  readonly kind: ListKind
  readonly entryCount: number
  readonly entryCountAfter: number
  readonly counts: Pick<ImportCounts, 'removed'>
  readonly impact: ImportImpact
}

/**
 * Why an import waits for somebody to look: it takes away much of the list, it would block many calls, or it would block
 * protected numbers (a deny list stands above protection; on a do-not-originate list such numbers are meant to be).
 */
export function reasonToHold(change: HoldableChange, options: HoldOptions): HoldReason | undefined {
  return removesMany(change, options) ?? blocksTooMuch(change, options)
}

/** What a person has seen of an import that waits. */
export type ApprovedImport = {
  readonly problem: HoldReason | undefined
  readonly counts: ImportCounts
  readonly impact: ImportImpact | undefined
}

/**
 * Why an import that somebody activates must be looked at again after it was compared with the list as it is now. What was
 * seen and has not become more is no reason: on a list that changes all the time nothing could be activated. `found` is
 * what `reasonToHold` says now.
 */
export function reasonToLookAgain(
  found: HoldReason | undefined,
  { mode, counts, impact }: Pick<ImportRecord, 'mode' | 'counts' | 'impact'>,
  approved: ApprovedImport,
): HoldReason | undefined {
  const removesMore = counts.removed > approved.counts.removed
  const protectedBefore = approved.impact?.clashes.protectedCount ?? 0
  const isMore = removesMore || (impact?.clashes.protectedCount ?? 0) > protectedBefore
  if (found !== undefined && (isMore || found.code !== approved.problem?.code)) return found
  // A replacement also takes away what came after its preview.
  if (mode !== 'replace' || !removesMore) return undefined
  const detail = `It removes ${counts.removed} entries now, ${approved.counts.removed} when it was compared before.`
  return { code: HELD_LIST_CHANGED, detail }
}

function removesMany(change: HoldableChange, options: HoldOptions): HoldReason | undefined {
  const { kind, entryCount, entryCountAfter, counts } = change
  if (entryCount >= REMOVED_ROWS_MIN_GUARDED && entryCountAfter === 0) {
    return { code: 'HELD_EMPTIES_LIST', detail: `It empties the list, which has ${entryCount} entries.` }
  }
  if (counts.removed < (GUARDED_KINDS.includes(kind) ? REMOVED_ROWS_MIN_GUARDED : REMOVED_ROWS_MIN)) return undefined
  if (counts.removed <= entryCount * options.heldRemovedShare) return undefined
  return {
    code: 'HELD_REMOVES_MANY',
    detail: `It removes ${counts.removed} of ${entryCount} entries, more than ${percent(options.heldRemovedShare)}.`,
  }
}

/** Entries that are in force at once are asked this; removing them names each of them. */
export function blocksTooMuch(
  { kind, impact }: Pick<HoldableChange, 'kind' | 'impact'>,
  options: HoldOptions,
): HoldReason | undefined {
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
