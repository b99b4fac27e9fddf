import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { packageVersion } from '../../../src/config/package-directory.ts'
import { endLeftBehind, findLeftBehind, isRunning, noteServing } from '../../../src/processes/left-behind.ts'
import { bootId, processState } from '../../../src/processes/process-state.ts'

const SERVED = { host: '127.0.0.1', port: 8090 }
let serving = ''
beforeEach(() => {
  serving = mkdtempSync(path.join(os.tmpdir(), 'zaslon-serving-'))
})
afterEach(() => rmSync(serving, { recursive: true, force: true }))

const note = (pid: number, text = `${bootId()} ${packageVersion()} 127.0.0.1 8090`) =>
  writeFileSync(path.join(serving, `${pid}-${processState(pid)?.startTicks}`), text)

describe('what a verdict process leaves to be found by', () => {
  it('names this process, and is alike for the same version on the same port only', () => {
    const takeBack = noteServing({ serving }, SERVED)
    expect(findLeftBehind({ serving }, SERVED)).toMatchObject([{ pid: process.pid, isAlike: true }])
    expect(findLeftBehind({ serving }, { ...SERVED, port: 8091 })).toMatchObject([{ isAlike: false }])
    expect(findLeftBehind({ serving }, { ...SERVED, host: '::1' })).toMatchObject([{ isAlike: false }])
    takeBack?.()
    expect(findLeftBehind({ serving }, SERVED)).toEqual([])
  })

  it('is not left where it cannot be written', () => {
    expect(noteServing({ serving: path.join(serving, 'gone') }, SERVED)).toBeUndefined()
  })

  it('of another version is not alike', () => {
    note(process.pid, `${bootId()} 0.0.0 127.0.0.1 8090`)
    expect(findLeftBehind({ serving }, SERVED)).toMatchObject([{ pid: process.pid, isAlike: false }])
  })

  it('counts for nothing, and goes, when it is of another process with this id, of another boot, or of nobody', () => {
    writeFileSync(path.join(serving, `${process.pid}-1`), `${bootId()} ${packageVersion()} 127.0.0.1 8090`)
    writeFileSync(path.join(serving, 'nobody'), '')
    writeFileSync(path.join(serving, '0-0'), `${bootId()} ${packageVersion()} 127.0.0.1 8090`)
    note(process.pid, `another-boot ${packageVersion()} 127.0.0.1 8090`)
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
