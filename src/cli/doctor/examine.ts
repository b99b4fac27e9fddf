import { environment } from '../../config/environment.ts'
import { type LoadedConfig, loadConfig } from '../../config/load-config.ts'
import type { CommandContext } from '../command-context.ts'
import { checkDiskSpace, checkFormat, checkWritable } from './check-data-directory.ts'
import { checkAdapter, checkClock, checkGlibc, checkNode, checkOpenFiles } from './check-machine.ts'
import { checkNumbering } from './check-numbering.ts'
import { checkRedis } from './check-redis.ts'
import { checkHealth, checkPort } from './check-service.ts'
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
  const { client } = context
  const [control, verdict] = await Promise.all([checkHealth(client, 'control'), checkHealth(client, 'verdict')])
  findings.push(checkClock(context.surroundings.now(), verdict.dateMs ?? control.dateMs))
  if (config) {
    findings.push(await checkPort('verdict address', config.verdict.host, config.verdict.port, verdict.isRunning))
    findings.push(await checkPort('control address', config.admin.host, config.admin.port, control.isRunning))
  }
  findings.push(control.finding, verdict.finding)
  if (control.isRunning && control.finding.status === 'ok') {
    const numbering = await checkNumbering(client, context.surroundings.now())
    if (numbering) findings.push(numbering)
  }
  return findings
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
