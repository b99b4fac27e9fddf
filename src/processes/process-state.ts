/** What the kernel says of a process (proc(5)). Linux; elsewhere nothing is known of any. */
import { readFileSync } from 'node:fs'

export type ProcessState = {
  /** `T`: stopped by a signal. `t` is a debugger's. */
  readonly state: string
  /** Clock ticks from the boot to its start: with the boot it tells two processes with the same id apart. */
  readonly startTicks: string
}

/** Undefined when there is no such process. */
export function processState(pid: number): ProcessState | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Behind the name, which may hold spaces and parentheses: fields 3 (state) to 22 (starttime) and on.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state = '', startTicks = ''] = [fields[0], fields[19]]
    return state === 'Z' || state === 'X' ? undefined : { state, startTicks }
  } catch {
    return undefined
  }
}

/** A new one after every boot; empty where there is none. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}
