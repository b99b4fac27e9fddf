import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import path from 'node:path'
import { PACKAGE_DIRECTORY } from '../../src/config/package-directory.ts'
import { freePort, type RunningService } from '../../test/support/run-service.ts'
import { pinned } from '../lib/pin.ts'
import { waitUntil } from '../lib/wait-until.ts'

/** One side of a comparison: what answers on a port, in processes of its own on the core of the servers. */
export type Contender = {
  readonly name: string
  readonly port: number
  /** Whose processor time a verdict costs. */
  readonly pids: readonly number[]
  stop(): Promise<unknown>
}

const START_MS = 120_000

/** A server of the benches: a compiled file of this repository, started with a port and more words. */
export async function startServer(name: string, file: string, words: readonly string[] = []): Promise<Contender> {
  const port = await freePort()
  const program = [process.execPath, path.join(PACKAGE_DIRECTORY, 'dist', file), String(port), ...words]
  return startContender(name, port, program)
}

/** Any program that listens on that port; it is waited for. Throws when it ends before. */
export async function startContender(name: string, port: number, program: readonly string[]): Promise<Contender> {
  const [command = '', ...args] = [...pinned(), ...program]
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  const isListening = async () => {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode} before it listened.`)
    return accepts(port)
  }
  await waitUntil(`${name} listens`, isListening, { limitMs: START_MS, everyMs: 50 })
  return {
    name,
    port,
    pids: [child.pid ?? 0],
    async stop() {
      child.kill('SIGTERM')
    },
  }
}

/** A service of ours; its verdict process is what answers, and control and supervisor have nothing to do with a call. */
export function serviceContender(name: string, service: RunningService): Contender {
  return { name, port: service.verdictPort, pids: service.pids('verdict'), stop: () => service.stop() }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
