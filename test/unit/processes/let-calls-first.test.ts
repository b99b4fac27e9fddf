import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'

const MODULE = path.resolve('dist/src/processes/let-calls-first.js')

/** In a process of its own, for a niceness once raised stays: says how nice the main thread, its helpers and the call thread are. */
const PROGRAM = `
import { readdirSync } from 'node:fs'
import { getPriority } from 'node:os'
import { Worker } from 'node:worker_threads'
import { letCallsFirst } from ${JSON.stringify(MODULE)}
const code = 'import { parentPort } from "node:worker_threads"; import { ownThreadId } from ' + ${JSON.stringify(JSON.stringify(MODULE))}
  + '; parentPort.postMessage(ownThreadId()); setInterval(() => {}, 1e6)'
const worker = new Worker(code, { eval: true })
worker.once('message', (callThread) => {
  const niceOf = (threads) => [...new Set(threads.map((thread) => getPriority(thread)))]
  const before = getPriority(callThread)
  letCallsFirst(new Set())
  const untouched = getPriority(process.pid)
  letCallsFirst(new Set([callThread]))
  letCallsFirst(new Set([callThread]))
  const others = readdirSync('/proc/self/task').map(Number).filter((thread) => thread !== callThread)
  console.log(JSON.stringify({ before, untouched, call: getPriority(callThread), others: niceOf(others), count: others.length }))
  process.exit()
})
`

function run(nice: number) {
  const args = ['-n', String(nice), process.execPath, '--input-type=module', '-e', PROGRAM]
  const { stdout, stderr } = spawnSync('nice', args, { encoding: 'utf8' })
  expect(stderr).toBe('')
  return JSON.parse(stdout) as { before: number; untouched: number; call: number; others: number[]; count: number }
}

describe.runIf(process.platform === 'linux')('threads that take calls', () => {
  it('come first: every other thread of their process is nicer by ten', () => {
    const { before, untouched, call, others, count } = run(0)
    expect(untouched).toBe(before)
    expect(call).toBe(before)
    expect(others).toEqual([before + 10])
    // The main thread, and those that collect garbage, compile and read files.
    expect(count).toBeGreaterThan(4)
  })

  it('come first in a nice process as far as there is anything nicer', () => {
    const { before } = run(0)
    const { call, others } = run(12)
    expect(call).toBe(before + 12)
    expect(others).toEqual([19])
  })
})
