import { createServer } from 'node:net'
import { CliFailure } from '../cli-failure.ts'
import { fieldsOf } from '../fields.ts'
import { printable } from '../output.ts'
import type { Plane, ServiceClient } from '../service-client.ts'
import type { Address } from './find-service.ts'
import type { Finding } from './finding.ts'
import { portHolder } from './port-holder.ts'

/** A health answer later than this is as good as none. */
const HEALTH_TIMEOUT_MS = 2_000

const NOT_HERE =
  'Does it run with settings of its own, give this command the same: ZASLON_DATA_DIR (it is found by that), ZASLON_ADMIN_PORT and ZASLON_VERDICT_PORT, or --config.'

const HERE: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]'])

export type PlaneHealth = {
  readonly finding: Finding
  readonly isRunning: boolean
  /** Something else has its port. */
  readonly isTaken?: boolean
  readonly dateMs?: number
}

/** Asks a plane whether it is ready. Nobody there is no mistake: the service may just not be started. */
export async function checkHealth(client: ServiceClient, plane: Plane): Promise<PlaneHealth> {
  const name = plane === 'verdict' ? 'verdict service' : 'control service'
  const url = plane === 'verdict' ? client.options.verdictUrl : client.options.adminUrl
  try {
    const answer = await client.open(plane, '/health/ready', { timeoutMs: HEALTH_TIMEOUT_MS })
    const body = fieldsOf(await answer.json().catch(() => undefined))
    const text = body.text('status')
    if (text === undefined) return notOurs(name, url, String(answer.status))
    const status = printable(text)
    const dateMs = Date.parse(answer.headers.get('date') ?? '')
    const reasons: unknown = body.fields('reasons').value
    const why = Array.isArray(reasons) ? reasons.map((reason) => ` ${printable(reason)}`).join('') : ''
    const isWell = status !== 'degraded'
    const finding: Finding = {
      name,
      status: isWell ? 'ok' : 'warn',
      detail: `${url}: ${status}${isWell ? '' : `.${why}`}`,
    }
    return { finding, isRunning: true, ...(Number.isNaN(dateMs) ? {} : { dateMs }) }
  } catch (error) {
    if (error instanceof CliFailure && error.problem.code === 'UNREACHABLE') {
      return { finding: { name, status: 'note', detail: `${url}: not running here`, hint: NOT_HERE }, isRunning: false }
    }
    if (error instanceof CliFailure && error.problem.code === undefined && error.problem.status !== undefined) {
      return notOurs(name, url, String(error.problem.status))
    }
    const detail = error instanceof Error ? error.message : String(error)
    return { finding: { name, status: 'fail', detail: `${url}: ${detail}` }, isRunning: true }
  }
}

/** Every answer of ours is JSON with a status or a problem with a code. */
function notOurs(name: string, url: string, answered: string): PlaneHealth {
  const { hostname, port } = new URL(url)
  const holder = HERE.has(hostname) ? portHolder(Number(port)) : undefined
  const detail = `${url}: something else answers there, ${answered}${holder ? `: ${holder}` : ''}`
  return { finding: { name, status: 'fail', detail, hint: NOT_HERE }, isRunning: false, isTaken: true }
}

/** The finding of a plane that listens elsewhere than this command was told. */
export function foundElsewhere({ finding, ...rest }: PlaneHealth, plane: Plane, { host, port }: Address): PlaneHealth {
  const prefix = plane === 'verdict' ? 'ZASLON_VERDICT' : 'ZASLON_ADMIN'
  const hint = `Found by its data directory. For other commands set ${prefix}_HOST=${host} ${prefix}_PORT=${port}, as the service has them.`
  return { ...rest, finding: { hint, ...finding, status: finding.status === 'ok' ? 'note' : finding.status } }
}

/** A port should be free, or be held by the service itself. */
export async function checkPort(name: string, { host, port }: Address, isServiceRunning: boolean): Promise<Finding> {
  const at = `${host}:${port}`
  const problem = await listenProblem(host, port)
  if (problem === undefined) return { name, status: 'ok', detail: `${at} is free` }
  if (problem !== 'EADDRINUSE') {
    return {
      name,
      status: 'fail',
      detail: `cannot listen on ${at} (${problem})`,
      hint: 'Choose another address or port.',
    }
  }
  const holder = portHolder(port) ?? 'unknown'
  if (isServiceRunning) return { name, status: 'ok', detail: `${at} is served by ${holder}` }
  const variable = name === 'verdict address' ? 'ZASLON_VERDICT_PORT' : 'ZASLON_ADMIN_PORT'
  return { name, status: 'fail', detail: `${at} is held by ${holder}`, hint: `Stop it, or set ${variable}.` }
}

/** The code of the error listening gives, or undefined when it works. */
function listenProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
    probe.listen({ host, port, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
}
