import { reachable } from '../../config/client-config.ts'
import { environment } from '../../config/environment.ts'
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts'
import type { CommandContext } from '../command-context.ts'
import { createServiceClient, type Plane } from '../service-client.ts'
import { checkDiskSpace, checkFormat, checkWritable } from './check-data-directory.ts'
import { checkAdapter, checkClock, checkGlibc, checkNode, checkOpenFiles } from './check-machine.ts'
import { checkNumbering } from './check-numbering.ts'
import { checkRedis } from './check-redis.ts'
import { checkHealth, checkPort, foundElsewhere, type PlaneHealth } from './check-service.ts'
import { type Address, findService } from './find-service.ts'
import type { Finding } from './finding.ts'

/** All checks, in the order a person mends things: configuration, machine, data, network, service. */
export async function examine(context: CommandContext, configFile: string | undefined): Promise<Finding[]> {
  const findings: Finding[] = []
  const config = readConfig(configFile, findings)
  findings.push(checkNode(), checkGlibc(), checkAdapter(config?.verdict.adapter ?? 'auto'), checkOpenFiles())
  if (config) {
    findings.push(checkWritable(config.dataDirectory), checkDiskSpace(config.dataDirectory))
    findings.push(await checkFormat(config.dataDirectory))
    const redis = await checkRedis(config.redis)
    if (redis) findings.push(redis)
  }
  const { client, control, verdict, addresses, taken } = await findPlanes(context, config)
  findings.push(checkClock(context.surroundings.now(), verdict.dateMs ?? control.dateMs))
  if (config) {
    findings.push(await checkPort('verdict address', addresses.verdict ?? config.verdict, verdict.isRunning))
    findings.push(await checkPort('control address', addresses.control ?? config.admin, control.isRunning))
  }
  findings.push(...taken, control.finding, verdict.finding)
  if (control.isRunning && ['ok', 'note'].includes(control.finding.status)) {
    const numbering = await checkNumbering(client, context.surroundings.now())
    if (numbering) findings.push(numbering)
  }
  return findings
}

/**
 * Both planes where this command was told, or where the service on this data directory listens. One that was asked for by a URL of its
 * own is not looked for elsewhere.
 */
async function findPlanes({ client, signal }: CommandContext, config: LoadedConfig | undefined) {
  const [control, verdict] = await Promise.all([checkHealth(client, 'control'), checkHealth(client, 'verdict')])
  const found = config && !(control.isRunning && verdict.isRunning) ? findService(config.dataDirectory) : {}
  const isElsewhere = ({ isRunning }: PlaneHealth, asked: string, configured: Address | undefined) =>
    !isRunning && configured !== undefined && asked === urlOf(configured)
  const addresses = {
    ...(found.control && isElsewhere(control, client.options.adminUrl, config?.admin)
      ? { control: found.control }
      : {}),
    ...(found.verdict && isElsewhere(verdict, client.options.verdictUrl, config?.verdict)
      ? { verdict: found.verdict }
      : {}),
  }
  const elsewhere = createServiceClient(
    {
      ...client.options,
      ...(addresses.control ? { adminUrl: urlOf(addresses.control) } : {}),
      ...(addresses.verdict ? { verdictUrl: urlOf(addresses.verdict) } : {}),
    },
    { signal },
  )
  const again = async (health: PlaneHealth, plane: Plane) => {
    const address = addresses[plane]
    return address ? foundElsewhere(await checkHealth(elsewhere, plane), plane, address) : health
  }
  return {
    client: elsewhere,
    control: await again(control, 'control'),
    verdict: await again(verdict, 'verdict'),
    addresses,
    // Where it was found elsewhere, what has the port it was told is told besides.
    taken: [
      ...(addresses.control && control.isTaken ? [control.finding] : []),
      ...(addresses.verdict && verdict.isTaken ? [verdict.finding] : []),
    ],
  }
}

function urlOf({ host, port }: Address): string {
  return `http://${reachable(host)}:${port}`
}

function readConfig(file: string | undefined, findings: Finding[]): LoadedConfig | undefined {
  try {
    const config = loadConfig(environment, file)
    findings.push({ name: 'configuration', status: 'ok', detail: `valid; data in ${config.dataDirectory}` })
    return config
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error)
    findings.push({ name: 'configuration', status: 'fail', detail, hint: 'docs/OPERATIONS.md lists every key.' })
    return undefined
  }
}
