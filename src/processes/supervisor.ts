import { type ChildProcess, fork } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLogger } from '../telemetry/logger.ts'
import { createSupervision, type Role, type SupervisionOptions } from './supervision.ts'

/**
 * `zaslon serve`: one control process and the verdict processes, started, watched and started again. The unit of failure
 * is the process (docs/adr/0001): nothing inside a process tries to survive what a restart mends in a second.
 */

/** Runs until SIGINT or SIGTERM; resolves with the exit code. */
export async function runSupervisor(options: SupervisionOptions): Promise<number> {
  const log = createLogger({ level: options.config.log.level, process: 'supervisor' })
  const supervision = createSupervision(options, { fork: forkEntry, log })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => supervision.stop())
  return supervision.run()
}

function forkEntry(role: Role): ChildProcess {
  const entry = path.join(path.dirname(fileURLToPath(import.meta.url)), `${role}-entry.js`)
  return fork(entry, [], { serialization: 'advanced' })
}
