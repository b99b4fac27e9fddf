import { orRefused } from '../cli-failure.ts'
import { itemsOf } from '../fields.ts'
import { counted, printable } from '../output.ts'
import { isStalePlan, planAgeDays, readStaleAfterDays } from '../plan-age.ts'
import type { ServiceClient } from '../service-client.ts'
import type { Finding } from './finding.ts'

/** Asks a running service how old its plans are. Undefined: it does not tell this key. */
export async function checkNumbering(client: ServiceClient, nowMs: number): Promise<Finding | undefined> {
  const name = 'numbering'
  const answer = await orRefused(client.call('control', '/v1/numbering'))
  if (answer === undefined) return undefined
  const plans = itemsOf(answer, 'plans')
  if (plans.length === 0) return { name, status: 'ok', detail: 'no plans: no number counts as impossible' }
  const staleAfterDays = await readStaleAfterDays(client)
  const stale = plans.filter((plan) => isStalePlan(plan, nowMs, staleAfterDays))
  if (stale.length === 0)
    return { name, status: 'ok', detail: `no plan is older than ${counted(staleAfterDays, 'day')}` }
  const said = stale.map((plan) => `${printable(plan.text('name'))} is ${counted(planAgeDays(plan, nowMs), 'day')} old`)
  const hint = `A plan older than ${counted(staleAfterDays, 'day')} only flags: "zaslon numbering import" takes a newer file.`
  return { name, status: 'warn', detail: said.join(', '), hint }
}
