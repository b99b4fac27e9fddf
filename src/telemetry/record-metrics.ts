import { Gauge, type Registry } from 'prom-client'

/** The state of the record as gauges show it; read anew at every scrape. */
export type RecordState = {
  /** At most LISTS_MAX. */
  readonly lists: readonly {
    readonly name: string
    readonly kind: string
    readonly entryCount: number
    readonly version: number
  }[]
  readonly plans: readonly { readonly name: string; readonly asOfMs: number }[]
  readonly policyVersion: number
  readonly reviewsOpen: number
  readonly lastSequence: number
}

export type RecordMetrics = { update(state: RecordState, nowMs: number): void }

export function createRecordMetrics(registry: Registry): RecordMetrics {
  const registers = [registry]
  const gauge = <Label extends string>(name: string, help: string, labelNames: readonly Label[] = []) =>
    new Gauge({ name, help, labelNames, registers })
  const entries = gauge('zaslon_list_entries', 'Rows on the active version of a list.', ['list', 'kind'])
  const versions = gauge('zaslon_list_version', 'Active version of a list.', ['list'])
  const planAge = gauge('zaslon_numbering_plan_age_seconds', 'Age of what a numbering plan describes.', ['plan'])
  const policy = gauge('zaslon_policy_version', 'Version of the policy in force.')
  const reviews = gauge('zaslon_reviews_open', 'Reviews waiting for an analyst (counted up to 10,000).')
  const sequence = gauge('zaslon_change_log_sequence', 'Sequence number of the newest change.')
  return {
    update(state, nowMs) {
      entries.reset()
      versions.reset()
      planAge.reset()
      for (const list of state.lists) {
        entries.set({ list: list.name, kind: list.kind }, list.entryCount)
        versions.set({ list: list.name }, list.version)
      }
      for (const plan of state.plans) planAge.set({ plan: plan.name }, Math.max(0, nowMs - plan.asOfMs) / 1_000)
      policy.set(state.policyVersion)
      reviews.set(state.reviewsOpen)
      sequence.set(state.lastSequence)
    },
  }
}
