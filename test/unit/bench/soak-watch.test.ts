import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { measuredSlope } from '../../../bench/soak/describe.ts'
import type { Observed } from '../../../bench/soak/observe.ts'
import { readObserved } from '../../../bench/soak/watch.ts'

const directories: string[] = []
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true })
})

function written(threads: Readonly<Record<string, readonly Observed[]>>): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'observed-'))
  directories.push(directory)
  for (const [name, lines] of Object.entries(threads)) {
    writeFileSync(path.join(directory, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  }
  return directory
}

function second(atMs: number, more: Partial<Observed> = {}): Observed {
  const nothing = { collections: 0, pausedMs: 0, longestPauseMs: 0, lateP99Ms: 0, lateMaxMs: 0 }
  return { title: 'zaslon verdict-1', thread: 1, atMs, ...nothing, ...more }
}

describe('what threads were held up by', () => {
  it('is added up from a moment on', () => {
    const directory = written({
      'observed-1-1.jsonl': [
        second(999, { collections: 9, pausedMs: 99, longestPauseMs: 99, lateP99Ms: 99, lateMaxMs: 99 }),
        second(1_000, { collections: 2, pausedMs: 3, longestPauseMs: 2, lateP99Ms: 1, lateMaxMs: 5 }),
        second(2_000, { collections: 1, pausedMs: 4, longestPauseMs: 4, lateP99Ms: 2, lateMaxMs: 3 }),
        second(3_000, { lateP99Ms: 8, lateMaxMs: 9 }),
      ],
      'unrelated.txt': [],
    })
    expect(readObserved(directory, 1_000)).toEqual([
      {
        thread: 'zaslon verdict-1, thread 1',
        seconds: 3,
        collections: 3,
        pausedMs: 7,
        longestPauseMs: 4,
        lateP99Ms: 2,
        lateMaxMs: 9,
      },
    ])
  })

  it('leaves out threads that lived for less than half of the time, and none that lived for half', () => {
    const lines = (count: number, thread: number) =>
      Array.from({ length: count }, (_, index) => second(1_000 * index, { thread }))
    const directory = written({
      'observed-1-0.jsonl': lines(10, 0),
      'observed-1-1.jsonl': lines(5, 1),
      'observed-1-2.jsonl': lines(4, 2),
    })
    expect(readObserved(directory, 0).map(({ thread }) => thread)).toEqual([
      'zaslon verdict-1',
      'zaslon verdict-1, thread 1',
    ])
  })
})

describe('slope of a soak', () => {
  it('is in MB an hour, of both processes, and of the time after the warm-up alone', () => {
    const samples = Array.from({ length: 600 }, (_, seconds) => ({
      seconds,
      memoryMiB: {
        verdict: seconds < 100 ? 10 * seconds : 1_000 + seconds / 3_600,
        control: 100 + (2 * seconds) / 3_600,
      },
      files: { verdict: 1, control: 1 },
    }))
    const { value, range } = measuredSlope({
      samples,
      warmSeconds: 100,
      cycleSeconds: 25,
      seconds: 600,
    })
    expect(value).toBeCloseTo(3 * 1.048576)
    expect(range?.[0]).toBeCloseTo(3 * 1.048576)
  })
})
