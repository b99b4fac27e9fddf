import { readdirSync, readlinkSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'
import path from 'node:path'

/**
 * Threads that take calls come before the other threads of their process where both want one core: the main thread (logs, snapshots, the
 * change log), the garbage collector's and compiler's helpers, the pool that reads and writes files. They get a niceness of
 * their own, which nobody needs a right for: at 10 Linux gives such a thread a tenth of a core that a verdict thread could fill,
 * many times what it needs, so watches do not find it frozen. Linux alone has it by thread; elsewhere nothing happens.
 */
const NICER = 10

/** For the thread that takes calls, about itself: its id in Linux; undefined elsewhere. */
export function ownThreadId(): number | undefined {
  if (process.platform !== 'linux') return undefined
  // PID/task/TID
  return Number(path.basename(readlinkSync('/proc/thread-self')))
}

/**
 * Makes all threads of this process nicer but for those `callThreads`; threads that these start later are as nice as who starts
 * them. Done again, it changes those that have come since.
 */
export function letCallsFirst(callThreads: ReadonlySet<number>): void {
  if (process.platform !== 'linux' || callThreads.size === 0) return
  const own = Math.min(...[...callThreads].map((thread) => getPriority(thread)))
  const nicer = Math.min(own + NICER, constants.priority.PRIORITY_LOW)
  for (const name of readdirSync('/proc/self/task')) {
    const thread = Number(name)
    if (callThreads.has(thread)) continue
    try {
      if (getPriority(thread) < nicer) setPriority(thread, nicer)
    } catch {
      // It has ended meanwhile.
    }
  }
}
