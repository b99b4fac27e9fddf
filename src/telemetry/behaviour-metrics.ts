import { Counter, Gauge, type Registry } from 'prom-client'
import type { PairsState } from '../shm/pairs.ts'
import { ageSeconds } from './shared-record-metrics.ts'

/** How the table of activity of a verdict process does. */
export type ActivityState = {
  /** From when on nobody was forgotten, epoch milliseconds; Infinity before the first call. */
  readonly sinceMs: number
  /** Attempts that left a list early, and events given up, since the process started. */
  readonly overruns: number
  readonly lost: number
  /** Rows of other processes that could not be true. */
  readonly refusedRows: number
}

/** How its table of number blocks does. */
export type BlocksState = { readonly entries: number; readonly capacity: number; readonly lost: number }

export type BehaviourState = {
  readonly label: string
  readonly pairs: PairsState
  readonly activity: ActivityState
  readonly blocks: BlocksState
}

export type BehaviourMetrics = { update(processes: readonly BehaviourState[], nowMs: number): void }

/** What verdict processes remember of behaviour, and what they had to forget, as Prometheus sees it. */
export function createBehaviourMetrics(registry: Registry): BehaviourMetrics {
  const registers = [registry]
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly (Label | 'process')[]) =>
    new Gauge({ name, help, labelNames, registers })
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames: ['process'], registers })
  const pairs = gauge('zaslon_pairs_today', 'Pairs of numbers that called, or talked for a minute, today (UTC).', [
    'process',
    'relation',
  ])
  const pairsFull = gauge('zaslon_pairs_full', '1: today takes no more pairs, see verdict.pairsPerDay.', ['process'])
  const pairsCovered = gauge(
    'zaslon_pairs_covered_seconds',
    'For how long every call was remembered: reports of earlier ones are neither confirmed nor denied.',
    ['process'],
  )
  const activityCovered = gauge(
    'zaslon_activity_covered_seconds',
    'For how long no number was forgotten; below two days nobody is taken for a stranger, see verdict.activeNumbers.',
    ['process'],
  )
  const overruns = counter(
    'zaslon_activity_overruns_total',
    'Calls of busy numbers that were not counted for a whole hour.',
  )
  const lost = counter('zaslon_activity_lost_total', 'Calls and call ends whose behaviour was not counted.')
  const refused = counter(
    'zaslon_activity_refused_rows_total',
    'Activity told by other processes that could not be true.',
  )
  const blocks = gauge('zaslon_number_blocks', 'Number blocks with reported numbers in them.', ['process'])
  const blocksMax = gauge('zaslon_number_blocks_max', 'Number blocks there is room for, see verdict.blocks.', [
    'process',
  ])
  const blocksLost = counter('zaslon_number_blocks_lost_total', 'Number blocks that found no room, or had to make it.')
  const all = [pairs, pairsFull, pairsCovered, activityCovered, overruns, lost, refused, blocks, blocksMax, blocksLost]
  return {
    update(processes, nowMs) {
      for (const one of all) one.reset()
      for (const state of processes) {
        const labels = { process: state.label }
        pairs.set({ ...labels, relation: 'calls' }, state.pairs.calls)
        pairs.set({ ...labels, relation: 'contacts' }, state.pairs.contacts)
        pairsFull.set(labels, state.pairs.isFull ? 1 : 0)
        pairsCovered.set(labels, ageSeconds(state.pairs.sinceMs, nowMs))
        activityCovered.set(labels, ageSeconds(state.activity.sinceMs, nowMs))
        overruns.inc(labels, state.activity.overruns)
        lost.inc(labels, state.activity.lost)
        refused.inc(labels, state.activity.refusedRows)
        blocks.set(labels, state.blocks.entries)
        blocksMax.set(labels, state.blocks.capacity)
        blocksLost.inc(labels, state.blocks.lost)
      }
    },
  }
}
