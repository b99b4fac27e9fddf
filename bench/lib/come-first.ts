import { readdirSync } from 'node:fs'
import os from 'node:os'

/** From a usual process half of the way to one of the kernel. */
const NICER_BY = 10
/** Of job threads, which keep it. */
const LOWEST = 19

/**
 * Gives all threads of running processes a priority that much higher, so that what else runs on a machine that others use too waits for what
 * is measured and not the other way round; among themselves they stay as they were. Threads they start later have it as well,
 * unless they ask for another, as list jobs do. Once for a process. Returns whether we may do that: mostly as root alone.
 */
export function comeFirst(pids: readonly number[]): boolean {
  try {
    for (const pid of pids) {
      for (const thread of readdirSync(`/proc/${pid}/task`).map(Number)) {
        const nice = os.getPriority(thread)
        if (nice < LOWEST) os.setPriority(thread, Math.max(-NICER_BY, nice - NICER_BY))
      }
    }
    return true
  } catch {
    return false
  }
}
