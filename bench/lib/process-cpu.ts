import { readdirSync, readFileSync } from 'node:fs'

/** User and system time of a process so far, all its threads; Linux counts it in hundredths of a second. */
export function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}

/**
 * Nanoseconds on a processor so far (schedstat), of all living threads of these processes. What a thread has used that ended
 * meanwhile is lost, so it is for processes whose threads stay.
 */
export function cpuNanoseconds(pids: readonly number[]): number {
  let sum = 0
  for (const pid of pids) {
    for (const thread of readdirSync(`/proc/${pid}/task`)) sum += threadNanoseconds(`/proc/${pid}/task/${thread}`)
  }
  return sum
}

function threadNanoseconds(thread: string): number {
  try {
    return Number(readFileSync(`${thread}/schedstat`, 'utf8').split(' ')[0])
  } catch {
    return 0
  }
}
