import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { type ClockMark, type ClockSources, createNodeClock, type NodeClock } from '../domain/node-clock.ts'
import type { DataDirectory } from '../stores/data-directory.ts'
import { bootId } from './process-state.ts'

type ClockDirectory = Pick<DataDirectory, 'root'>

const MARK_EVERY_MS = 10_000
/** A jump is seen at the next use of the clock; nobody may use it for a while. */
const LOOK_EVERY_MS = 1_000

const markFile = (directory: ClockDirectory) => path.join(directory.root, 'clock.json')

/** The clock of this process, going on from where the node's clock was last. */
export function openClock(directory: ClockDirectory): NodeClock {
  return createNodeClock(systemSources(), readMark(directory))
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
    try {
      writeMark(directory, clock.mark())
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

/** Without sync: after a power cut there is another boot. Readers see the whole mark or the one before. */
function writeMark(directory: ClockDirectory, mark: ClockMark | undefined): void {
  if (mark === undefined) return
  const draft = `${markFile(directory)}.draft`
  writeFileSync(draft, JSON.stringify(mark), { mode: 0o600 })
  renameSync(draft, markFile(directory))
}

function readMark(directory: ClockDirectory): ClockMark | undefined {
  try {
    const mark = JSON.parse(readFileSync(markFile(directory), 'utf8')) as Partial<ClockMark>
    const { bootId: id, uptimeMs, nodeMs } = mark
    if (typeof id !== 'string' || !Number.isFinite(uptimeMs) || !Number.isFinite(nodeMs)) return undefined
    return mark as ClockMark
  } catch {
    return undefined
  }
}
