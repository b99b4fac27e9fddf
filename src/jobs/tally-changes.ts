import type { IngressKind } from '../domain/call-event.ts'
import type { Verdict } from '../domain/verdict.ts'

/** One replayed call, whether its verdict changed or not. */
export type ReplayedCall = {
  /** `+7…`, or why there is no number. */
  readonly caller: string
  /** '' when none was named or it is not registered. */
  readonly trunk: string
  readonly ingress: IngressKind
  readonly from: Verdict
  readonly to: Verdict
}

export type VerdictChange = { readonly from: Verdict; readonly to: Verdict; readonly count: number }
export type CallerChanges = {
  readonly caller: string
  readonly changed: number
  readonly changes: readonly VerdictChange[]
}

/** Whom a rehearsal hits. */
export type ChangeSummary = {
  readonly decisions: number
  readonly changed: number
  /** Every pair of verdicts, those that stay included. Most frequent first; so are the lists below. */
  readonly verdicts: readonly VerdictChange[]
  readonly changes: readonly VerdictChange[]
  readonly callers: {
    /** Distinct callers with a changed verdict; at least so many when not `complete`. */
    readonly changed: number
    readonly complete: boolean
    readonly hitMost: readonly CallerChanges[]
  }
  readonly trunks: readonly { readonly trunk: string; readonly decisions: number; readonly changed: number }[]
  readonly ingress: readonly { readonly ingress: IngressKind; readonly decisions: number; readonly changed: number }[]
}

export type ChangeTally = { note(call: ReplayedCall): void; summary(): ChangeSummary }

export const CALLERS_SHOWN_MAX = 20
/** About 30 MB when all of them have changes; those who come later are in every other count. */
const CALLERS_KEPT_MAX = 100_000

type Pairs = Map<string, { from: Verdict; to: Verdict; count: number }>
type Share = { decisions: number; changed: number }

/** Counts what a rehearsal changes. `callersMax`: callers remembered one by one. */
export function createChangeTally({ callersMax = CALLERS_KEPT_MAX }: { callersMax?: number } = {}): ChangeTally {
  const total: Share = { decisions: 0, changed: 0 }
  const pairs: Pairs = new Map()
  const callers = new Map<string, { changed: number; pairs: Pairs }>()
  const trunks = new Map<string, Share>()
  const ingresses = new Map<IngressKind, Share>()
  let complete = true

  function noteCaller(call: ReplayedCall): void {
    let caller = callers.get(call.caller)
    if (caller === undefined) {
      if (callers.size === callersMax) {
        complete = false
        return
      }
      caller = { changed: 0, pairs: new Map() }
      callers.set(call.caller, caller)
    }
    caller.changed++
    notePair(caller.pairs, call)
  }

  return {
    note(call) {
      const isChanged = call.from !== call.to
      for (const share of [total, shareOf(trunks, call.trunk), shareOf(ingresses, call.ingress)]) {
        share.decisions++
        if (isChanged) share.changed++
      }
      notePair(pairs, call)
      if (isChanged) noteCaller(call)
    },
    summary: () => ({
      ...total,
      verdicts: ordered(pairs),
      changes: ordered(pairs).filter(({ from, to }) => from !== to),
      callers: {
        changed: callers.size,
        complete,
        hitMost: [...callers]
          .sort(([, a], [, b]) => b.changed - a.changed)
          .slice(0, CALLERS_SHOWN_MAX)
          .map(([caller, { changed, pairs }]) => ({ caller, changed, changes: ordered(pairs) })),
      },
      trunks: mostChanged(trunks).map(([trunk, share]) => ({ trunk, ...share })),
      ingress: mostChanged(ingresses).map(([ingress, share]) => ({ ingress, ...share })),
    }),
  }
}

function notePair(pairs: Pairs, { from, to }: ReplayedCall): void {
  const key = `${from} ${to}`
  const pair = pairs.get(key)
  if (pair === undefined) pairs.set(key, { from, to, count: 1 })
  else pair.count++
}

function shareOf<Key>(shares: Map<Key, Share>, key: Key): Share {
  let share = shares.get(key)
  if (share === undefined) {
    share = { decisions: 0, changed: 0 }
    shares.set(key, share)
  }
  return share
}

function ordered(pairs: Pairs): VerdictChange[] {
  return [...pairs.values()].sort((a, b) => b.count - a.count)
}

function mostChanged<Key>(shares: ReadonlyMap<Key, Share>): [Key, Share][] {
  return [...shares].sort(([, a], [, b]) => b.changed - a.changed || b.decisions - a.decisions)
}
