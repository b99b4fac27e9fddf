/** How old numbering plans are. One older than the policy says only flags: numbers come into use all the time. */
import { orRefused } from './cli-failure.ts'
import { type Fields, fieldsOf } from './fields.ts'
import type { ServiceClient } from './service-client.ts'

const DAY_MS = 86_400_000
/** data/policy.yaml; for a service that does not tell its policy. */
const STALE_AFTER_DAYS_DEFAULT = 35

/** `numbering.staleAfterDays` of the policy in force. */
export async function readStaleAfterDays(client: ServiceClient): Promise<number> {
  const answer = fieldsOf(await orRefused(client.call('control', '/v1/policy')))
  return answer.fields('policy').fields('numbering').number('staleAfterDays') ?? STALE_AFTER_DAYS_DEFAULT
}

/** Whole days since the day a plan describes; undefined when it does not say. */
export function planAgeDays(plan: Fields, nowMs: number): number | undefined {
  const asOfMs = planDayMs(plan)
  return asOfMs === undefined ? undefined : Math.max(0, Math.floor((nowMs - asOfMs) / DAY_MS))
}

/** As the verdict path counts (engine/signals/impossible-number.ts): to the millisecond. */
export function isStalePlan(plan: Fields, nowMs: number, staleAfterDays: number): boolean {
  const asOfMs = planDayMs(plan)
  return asOfMs !== undefined && nowMs - asOfMs > staleAfterDays * DAY_MS
}

/** The day a plan describes, epoch milliseconds. */
export function planDayMs(plan: Fields): number | undefined {
  const asOfMs = Date.parse(plan.text('asOf') ?? '')
  return Number.isNaN(asOfMs) ? undefined : asOfMs
}
