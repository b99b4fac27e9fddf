/** What a service takes while it runs: memory and open files each second, pauses and delays of its threads. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { RunningService } from '../../test/support/run-service.ts'
import { privateMiB } from '../lib/service-client.ts'
import { quantile } from '../lib/stats.ts'
import { steadily } from '../lib/steadily.ts'
import type { Observed } from './observe.ts'

export const WATCHED = ['verdict', 'control'] as const
export type Watched = (typeof WATCHED)[number]
export type Sample = {
  readonly seconds: number
  readonly memoryMiB: Readonly<Record<Watched, number>>
  readonly files: Readonly<Record<Watched, number>>
}

export function watchService(service: RunningService): { readonly samples: readonly Sample[]; stop(): Promise<void> } {
  const pids = { verdict: service.pids('verdict')[0] ?? 0, control: service.pids('control')[0] ?? 0 }
  const samples: Sample[] = []
  const startMs = performance.now()
  const each = (measure: (pid: number) => number) => ({
    verdict: measure(pids.verdict),
    control: measure(pids.control),
  })
  const steady = steadily(1, async () => {
    const seconds = (performance.now() - startMs) / 1_000
    samples.push({ seconds, memoryMiB: each(privateMiB), files: each(openFiles) })
  })
  return {
    samples,
    async stop() {
      await steady.stop()
      if (steady.failed > 0) throw new Error(`A process of the service has gone: ${steady.problems[0]}`)
    },
  }
}

function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}

export type ThreadPauses = {
  readonly thread: string
  readonly seconds: number
  readonly collections: number
  readonly pausedMs: number
  readonly longestPauseMs: number
  /** Median of the 99th percentiles of single seconds, and the worst of all. */
  readonly lateP99Ms: number
  readonly lateMaxMs: number
}

/** From what observe.ts has written after a moment; threads that lived shorter than half of it (jobs that came and went) are left out. */
export function readObserved(directory: string, sinceMs: number): ThreadPauses[] {
  const all = readdirSync(directory)
    .filter((name) => name.startsWith('observed-'))
    .map((name) => readLines(path.join(directory, name)).filter(({ atMs }) => atMs >= sinceMs))
  const longest = Math.max(...all.map((lines) => lines.length))
  return all.filter((lines) => lines.length > 0 && lines.length >= longest / 2).map(pausesOf)
}

function readLines(file: string): Observed[] {
  const lines = readFileSync(file, 'utf8').split('\n')
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Observed)
}

function pausesOf(lines: readonly Observed[]): ThreadPauses {
  const [first] = lines
  const sum = (field: 'collections' | 'pausedMs') => lines.reduce((total, line) => total + line[field], 0)
  const most = (field: 'longestPauseMs' | 'lateMaxMs') => Math.max(...lines.map((line) => line[field]))
  return {
    thread: `${first?.title ?? ''}${first?.thread === 0 ? '' : `, thread ${first?.thread}`}`,
    seconds: lines.length,
    collections: sum('collections'),
    pausedMs: sum('pausedMs'),
    longestPauseMs: most('longestPauseMs'),
    lateP99Ms: quantile(
      lines.map(({ lateP99Ms }) => lateP99Ms),
      0.5,
    ),
    lateMaxMs: most('lateMaxMs'),
  }
}
