import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'

/** Of one minute, before the bench itself adds to it: others' work, of which times of this machine are worth less. */
const loadAtStart = Number((os.loadavg()[0] ?? 0).toFixed(1))

/** Writes a result with commit and machine to bench/results/<name>.json, and prints it. */
export function recordResult(name: string, result: Record<string, unknown>): void {
  const record = { name, at: new Date().toISOString(), ...machine(), ...result }
  const directory = path.join(PACKAGE_DIRECTORY, 'bench', 'results')
  mkdirSync(directory, { recursive: true })
  const text = `${JSON.stringify(record, undefined, 2)}\n`
  writeFileSync(path.join(directory, `${name}.json`), text)
  process.stdout.write(text)
}

export function machine(): Record<string, unknown> {
  const cpus = os.cpus()
  return {
    commit: git('rev-parse', '--short', 'HEAD'),
    dirty: git('status', '--porcelain', '--', 'src', 'workers', 'bench', ':!bench/results') !== '',
    cpu: cpus[0]?.model ?? 'unknown',
    cores: cpus.length,
    loadAtStart,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    node: process.version,
    platform: `${os.type()} ${os.release().split('-')[0]} ${os.arch()}`,
  }
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, {
      cwd: PACKAGE_DIRECTORY,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  } catch {
    return 'unknown'
  }
}
