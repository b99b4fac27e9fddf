import { execFileSync } from 'node:child_process'
import os from 'node:os'

/** Put before a command: it runs on that core alone. Nothing on a machine with one core. */
export function onCore(core: number): string[] {
  return os.cpus().length > core && os.cpus().length > 1 ? ['taskset', '-c', String(core)] : []
}

/** Runs `work` with this process on one core: what it starts meanwhile inherits that, unless it says otherwise. */
export async function stayingOnCore<T>(core: number, work: () => Promise<T>): Promise<T> {
  if (onCore(core).length === 0) return work()
  setCores(String(core))
  try {
    return await work()
  } finally {
    setCores(`0-${os.cpus().length - 1}`)
  }
}

function setCores(list: string): void {
  execFileSync('taskset', ['-cp', list, String(process.pid)], { stdio: 'ignore' })
}
