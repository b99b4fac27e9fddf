import { readdirSync } from 'node:fs'
import os from 'node:os'

/** Between a usual process and one of the kernel. */
const NICE = -10

/**
 * Gives all threads of running processes the same higher priority, so that what else runs on a machine that others use too waits for what
 * is measured and not the other way round; threads they start later have it as well, unless they ask for another, as list jobs do.
 * Returns whether we may do that: mostly as root alone.
 */
export function comeFirst(pids: readonly number[]): boolean {
  try {
    for (const pid of pids) {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        // Job threads have the lowest priority and keep it.
        if (os.getPriority(Number(thread)) <= 0) os.setPriority(Number(thread), NICE)
      }
    }
    return true
  } catch {
    return false
  }
}
