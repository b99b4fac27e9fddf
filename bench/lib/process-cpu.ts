import { readFileSync } from 'node:fs'

/** User and system time of a process so far, all its threads; Linux counts it in hundredths of a second. */
export function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * 10_000
}
