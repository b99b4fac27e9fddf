import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageVersion } from '../../../src/config/package-directory.ts'
import {
  endLeftBehind,
  findLeftBehind,
  findServed,
  isRunning,
  noteServing,
} from '../../../src/processes/left-behind.ts'
import { bootId, processState } from '../../../src/processes/process-state.ts'

const SERVED = { host: '127.0.0.1', port: 8090, adapter: 'uws' }
/** Of no process there is. */
const GONE = '4194399 1'
const served = (boot = bootId(), version = packageVersion()) => `${boot} ${version} uws 127.0.0.1 8090`
let serving = ''
beforeEach(() => {
  serving = mkdtempSync(path.join(os.tmpdir(), 'zaslon-serving-'))
})
afterEach(() => rmSync(serving, { recursive: true, force: true }))

const note = (pid: number, text = served(), supervisor = GONE) =>
  writeFileSync(path.join(serving, `${pid}-${processState(pid)?.startTicks}`), `${text}\n${supervisor}`)

describe('what a verdict process leaves to be found by', () => {
  it('names this process, and is alike for the same version on the same port only', () => {
    const takeBack = noteServing({ serving }, SERVED)
    // Who started this test still runs: nobody was left behind.
    expect(findLeftBehind({ serving }, SERVED)).toEqual([])
    const [name = ''] = readdirSync(serving)
    const file = path.join(serving, name)
    writeFileSync(file, readFileSync(file, 'utf8').replace(/\n.*/, `\n${GONE}`))
    expect(findLeftBehind({ serving }, SERVED)).toMatchObject([{ pid: process.pid, isAlike: true }])
    expect(findLeftBehind({ serving }, { ...SERVED, adapter: 'node' })).toMatchObject([{ isAlike: false }])
    expect(findLeftBehind({ serving }, { ...SERVED, port: 8091 })).toMatchObject([{ isAlike: false }])
    expect(findLeftBehind({ serving }, { ...SERVED, host: '::1' })).toMatchObject([{ isAlike: false }])
    takeBack?.()
    expect(findLeftBehind({ serving }, SERVED)).toEqual([])
  })

  it('says what is served, of running processes only, and stays', () => {
    note(process.pid)
    note(process.ppid, served('another-boot'))
    writeFileSync(path.join(serving, `${process.ppid}-1`), `${served()}\n${GONE}`)
    const before = readdirSync(serving)
    expect(findServed({ serving })).toEqual([SERVED])
    expect(readdirSync(serving)).toEqual(before)
    expect(findServed({ serving: path.join(serving, 'gone') })).toEqual([])
  })

  it('is not left where it cannot be written', () => {
    expect(noteServing({ serving: path.join(serving, 'gone') }, SERVED)).toBeUndefined()
  })

  it('of another version is not alike', () => {
    note(process.pid, served(bootId(), '0.0.0'))
    expect(findLeftBehind({ serving }, SERVED)).toMatchObject([{ pid: process.pid, isAlike: false }])
  })

  it('counts for nothing, and goes, when it is of another process with this id, of another boot, or of nobody', () => {
    writeFileSync(path.join(serving, `${process.pid}-1`), `${served()}\n${GONE}`)
    writeFileSync(path.join(serving, 'nobody'), '')
    writeFileSync(path.join(serving, '0-0'), `${served()}\n${GONE}`)
    note(process.pid, served('another-boot'))
    expect(findLeftBehind({ serving }, SERVED)).toEqual([])
    expect(readdirSync(serving)).toEqual([])
  })

  it('is looked for in vain where no service ever was', () => {
    expect(findLeftBehind({ serving: path.join(serving, 'gone') }, SERVED)).toEqual([])
  })

  it('lets its process be ended, and a stranger with the same id never', async () => {
    const child = spawn('sleep', ['60'])
    const pid = child.pid ?? 0
    const ended = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
    note(pid)
    const found = findLeftBehind({ serving }, SERVED)
    endLeftBehind(found.map((one) => ({ ...one, startTicks: '1' })))
    expect(isRunning({ pid, startTicks: processState(pid)?.startTicks ?? '' })).toBe(true)
    endLeftBehind(found)
    expect(await ended).toBe('SIGTERM')
    expect(found.some(isRunning)).toBe(false)
  })
})

describe('a process left behind that does not move', () => {
  it('is killed: at once when a signal has stopped it, after a while when it does not end', async () => {
    const stopped = spawn('sleep', ['60'])
    const deaf = spawn(process.execPath, [
      '-e',
      "process.on('SIGTERM', () => {}); console.log(1); setInterval(() => {}, 9)",
    ])
    const ends = [stopped, deaf].map((child) => new Promise((done) => child.once('exit', (_code, name) => done(name))))
    await new Promise((resolve) => deaf.stdout.once('data', resolve))
    stopped.kill('SIGSTOP')
    await expect.poll(() => processState(stopped.pid ?? 0)?.state).toBe('T')
    for (const { pid = 0 } of [stopped, deaf]) note(pid)
    endLeftBehind(findLeftBehind({ serving }, SERVED))
    expect(await Promise.all(ends)).toEqual(['SIGKILL', 'SIGKILL'])
  }, 20_000)
})

describe('what the kernel says of a process', () => {
  it('tells one that a signal stopped from one that moves, and nothing of one that is gone', async () => {
    const child = spawn('sleep', ['60'])
    const pid = child.pid ?? 0
    const state = () => processState(pid)?.state
    await expect.poll(state).toBe('S')
    child.kill('SIGSTOP')
    await expect.poll(state).toBe('T')
    child.kill('SIGCONT')
    await expect.poll(state).toBe('S')
    const ended = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGKILL')
    await ended
    expect(state()).toBeUndefined()
  })
})
