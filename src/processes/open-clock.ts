import { readFileSync } from 'node:fs'
import path from 'node:path'
import { type ClockMark, type ClockSources, createNodeClock, type NodeClock } from '../domain/node-clock.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import { readMark, writeMark } from '../stores/mark-file.ts'
import { bootId } from './process-state.ts'

type ClockDirectory = Pick<DataDirectory, 'root'>

const MARK_EVERY_MS = 10_000
/** A jump is seen at the next use of the clock; nobody may use it for a while. */
const LOOK_EVERY_MS = 1_000

const markFile = (directory: ClockDirectory) => path.join(directory.root, 'clock.json')

/** The clock of this process, going on from where the node's clock was last. */
export function openClock(directory: ClockDirectory): NodeClock {
  return createNodeClock(systemSources(), readClockMark(directory))
}

/**
 * Keeps the mark that other processes, and this one after a restart, go on from; calls `onChange` when the clock jumps, or
 * is believed again. For control alone.
 */
export function keepClock(
  directory: ClockDirectory,
  clock: NodeClock,
  dependencies: { readonly onChange: (offsetMs: number) => void; readonly onFault: (error: unknown) => void },
): { write(): void; stop(): void } {
  let saidMs = 0
  let looks = 0
  function look(): void {
    clock.now()
    const isChanged = clock.offsetMs !== saidMs
    if (isChanged) dependencies.onChange(clock.offsetMs)
    saidMs = clock.offsetMs
    if (isChanged || looks++ % (MARK_EVERY_MS / LOOK_EVERY_MS) === 0) write()
  }
  function write(): void {
    const mark = clock.mark()
    if (mark === undefined) return
    try {
      // After a power cut there is another boot.
      writeMark(markFile(directory), mark)
    } catch (error) {
      dependencies.onFault(error)
    }
  }
  look()
  const timer = setInterval(look, LOOK_EVERY_MS)
  return { write, stop: () => clearInterval(timer) }
}

function systemSources(): ClockSources {
  const id = bootId()
  return {
    wall: Date.now,
    monotonic: () => performance.now(),
    boot() {
      if (id === '') return undefined
      try {
        // Seconds with two decimals: the time since boot, sleep included (proc(5)).
        return { bootId: id, uptimeMs: Number.parseFloat(readFileSync('/proc/uptime', 'utf8')) * 1_000 }
      } catch {
        return undefined
      }
    },
  }
}

function readClockMark(directory: ClockDirectory): ClockMark | undefined {
  const { bootId: id, uptimeMs, nodeMs } = readMark(markFile(directory))
  if (typeof id !== 'string' || typeof uptimeMs !== 'number' || typeof nodeMs !== 'number') return undefined
  return { bootId: id, uptimeMs, nodeMs }
}
