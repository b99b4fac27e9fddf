import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { machine } from '../lib/record-result.ts'
import type { PartName } from './measures.ts'
import type { PartResult } from './part.ts'

/** What a part left in bench/results: its result with commit, machine and time. */
export type KeptResult = PartResult & {
  readonly name: string
  readonly at: string
  readonly commit: string
  readonly dirty: boolean
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly platform: string
  readonly loadAtStart: number
  readonly seconds: number
}

function fileOf(name: PartName, quick: boolean): string {
  return path.join(PACKAGE_DIRECTORY, 'bench', 'results', `${name}${quick ? '-quick' : ''}.json`)
}

export function keepResult(name: PartName, quick: boolean, result: PartResult, seconds: number): void {
  const file = fileOf(name, quick)
  mkdirSync(path.dirname(file), { recursive: true })
  const kept = { name, at: new Date().toISOString(), ...machine(), seconds: Math.round(seconds), ...result }
  writeFileSync(file, `${JSON.stringify(kept, undefined, 2)}\n`)
}

/** The last result of a part, undefined when there is none or none since `sinceMs`. */
export function keptResult(name: PartName, quick: boolean, sinceMs = 0): KeptResult | undefined {
  const file = fileOf(name, quick)
  if (!existsSync(file)) return undefined
  const kept = JSON.parse(readFileSync(file, 'utf8')) as KeptResult
  // What was kept by a bench before the suite has neither.
  if (kept.measured === undefined || Date.parse(kept.at) < sinceMs) return undefined
  return kept
}
