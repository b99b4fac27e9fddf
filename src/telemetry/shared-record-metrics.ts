import { Counter, Gauge, Registry } from 'prom-client'
import { RECORD_STATES, type RecordView } from '../domain/record-view.ts'

/** How a node stands to the record in Redis, as text in the exposition format; empty on a node that is its own record. */
export type SharedRecordMetrics = { render(view: RecordView, nowMs: number): Promise<string> }

/** They have a registry of their own, because a gauge without labels is always exported. */
export function createSharedRecordMetrics(): SharedRecordMetrics {
  const registry = new Registry()
  const registers = [registry]
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const counter = (name: string, help: string) => new Counter({ name, help, registers })
  const state = gauge('zaslon_record_state', '1 for the state of the worst partition, 0 for the others.', ['state'])
  const partitions = gauge('zaslon_record_partitions', 'Partitions of the record in each state.', ['state'])
  const age = gauge(
    'zaslon_record_age_seconds',
    'Age of the newest moment of which everything in the record is here; +Inf: never since the start.',
  )
  const behind = gauge(
    'zaslon_record_behind_facts',
    'Facts known to be in Redis and not applied here yet; absent: not asked.',
  )
  const waiting = gauge('zaslon_record_outbox_facts', "Facts that wait on this node's disk for Redis.")
  const oldest = gauge('zaslon_record_outbox_oldest_seconds', 'How long the oldest of them waits; 0 when none does.')
  const max = gauge('zaslon_record_outbox_max', 'Facts that may wait; a report more is refused.')
  const applied = counter('zaslon_record_applied_total', 'Facts applied.')
  const rewound = counter('zaslon_record_rewound_total', 'Facts taken back because Redis had lost them.')
  return {
    async render(view, nowMs) {
      if (view.kind === 'embedded') return ''
      for (const name of RECORD_STATES) {
        state.set({ state: name }, name === view.state ? 1 : 0)
        partitions.set({ state: name }, view.partitions[name] ?? 0)
      }
      const { facts, oldestMs = nowMs } = view.outbox
      age.set(ageSeconds(view.freshMs, nowMs))
      if (view.behind === undefined) behind.remove()
      else behind.set(view.behind)
      waiting.set(facts)
      oldest.set(Math.max(0, nowMs - oldestMs) / 1_000)
      max.set(view.outbox.max)
      applied.reset()
      applied.inc(view.applied)
      rewound.reset()
      rewound.inc(view.rewound)
      return registry.metrics()
    },
  }
}

/** Of a moment in epoch milliseconds, in seconds; 0 stands for a moment nobody knows: infinitely old. */
export function ageSeconds(momentMs: number, nowMs: number): number {
  return momentMs === 0 ? Number.POSITIVE_INFINITY : Math.max(0, nowMs - momentMs) / 1_000
}
