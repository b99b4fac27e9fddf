import { execFileSync } from 'node:child_process'

/** Runs a program of the machine and returns what it printed. Throws with its own words when it fails. */
export function run(program: string, ...args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
    throw new Error(`${[program, ...args].join(' ')}: ${words || String(error)}`)
  }
}

export function succeeds(program: string, ...args: string[]): boolean {
  try {
    run(program, ...args)
    return true
  } catch {
    return false
  }
}
