import { execFileSync } from 'node:child_process'
import os from 'node:os'

/** Two cores: what is measured has one to itself, whatever makes the load the other. */
export const SERVER_CORE = 0
export const GENERATOR_CORE = os.availableParallelism() > 1 ? 1 : 0

/** All threads of running processes; threads and processes that they start later go with them. */
export function pin(pids: readonly number[], core = SERVER_CORE): void {
  for (const pid of pids) execFileSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' })
}

/** Before a command that starts on that core. */
export function pinned(core = SERVER_CORE): string[] {
  return ['taskset', '-c', String(core)]
}

/** Runs `work` with this process on one core: what it starts meanwhile inherits that, unless it says otherwise. */
export async function stayingOnCore<T>(core: number, work: () => Promise<T>): Promise<T> {
  pin([process.pid], core)
  try {
    return await work()
  } finally {
    execFileSync('taskset', ['-acp', `0-${os.cpus().length - 1}`, String(process.pid)], { stdio: 'ignore' })
  }
}
