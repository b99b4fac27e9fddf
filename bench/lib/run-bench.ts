import { rmSync } from 'node:fs'
import os from 'node:os'
import { MissingToolError } from './missing-tool-error.ts'
import { endDescendants, enterOwnDirectory } from './own-processes.ts'

/** Says on stderr what a bench does now, for people and for the message of a time limit. */
export type Say = (text: string) => void

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs one bench for so long at most, and resolves with its exit code (0 when it has none) when nothing of it is left: no process, no directory.
 * The bench itself may still be waiting for what was taken from it: the caller ends the process.
 */
export async function runBench(
  work: (say: Say) => Promise<unknown>,
  { minutesMax }: { readonly minutesMax: number },
): Promise<number> {
  const directory = enterOwnDirectory()
  const startMs = performance.now()
  let last = 'start'
  const say = (text: string) => {
    last = text
    process.stderr.write(`${Math.round((performance.now() - startMs) / 1000)} s: ${text}\n`)
  }
  const [load = 0] = os.loadavg()
  if (load > os.cpus().length) say(`a load average of ${load} before the start: times will be those of a busy machine`)
  const stopped = new Promise<number>((resolve, reject) => {
    // A second one changes nothing: npm hands on what the terminal has sent already.
    for (const signal of SIGNALS) process.on(signal, () => resolve(130))
    process.on('uncaughtException', reject)
    const giveUp = () => reject(new Error(`The bench was not over after ${minutesMax} min; it was at: ${last}.`))
    setTimeout(giveUp, minutesMax * 60_000).unref()
  })
  try {
    return await Promise.race([work(say).then((code) => (typeof code === 'number' ? code : 0)), stopped])
  } catch (error) {
    const hasStack = error instanceof Error && !(error instanceof MissingToolError)
    process.stderr.write(`${hasStack ? error.stack : String(error)}\n`)
    return 1
  } finally {
    await endDescendants()
    rmSync(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}
