import { Presets, SingleBar } from 'cli-progress'
import type { OutputStream } from './output.ts'

/** Shows how far an import is: a bar on a terminal, a line per step elsewhere. Always on standard error. */
export type ImportProgress = {
  /** `share` 0..1; what is going on, e.g. `sending`, `parsing`. */
  show(step: string, share: number): void
  stop(): void
}

/** Elsewhere than on a terminal a line for every tenth: a log wants to know that it moves, not how smoothly. */
const LINES_PER_STEP = 10

export function createImportProgress(stderr: OutputStream, isQuiet: boolean): ImportProgress {
  if (isQuiet) return { show: () => {}, stop: () => {} }
  return stderr.isTTY === true && isWritable(stderr) ? createBar(stderr) : createLines(stderr)
}

function isWritable(stream: OutputStream): stream is OutputStream & NodeJS.WriteStream {
  return 'columns' in stream
}

function createBar(stream: NodeJS.WriteStream): ImportProgress {
  const bar = new SingleBar(
    { format: '{step} {bar} {percentage}% {eta_formatted}', clearOnComplete: true, hideCursor: true, stream, fps: 10 },
    Presets.shades_classic,
  )
  let isStarted = false
  return {
    show(step, share) {
      const shown = { step: step.padEnd(10) }
      if (!isStarted) bar.start(1_000, 0, shown)
      isStarted = true
      bar.update(Math.round(share * 1_000), shown)
    },
    stop() {
      if (isStarted) bar.stop()
      isStarted = false
    },
  }
}

function createLines(stderr: OutputStream): ImportProgress {
  let last = ''
  return {
    show(step, share) {
      const tenth = Math.floor(share * LINES_PER_STEP)
      const line = `${step} ${tenth * (100 / LINES_PER_STEP)}%`
      if (line === last) return
      last = line
      stderr.write(`${line}\n`)
    },
    stop() {},
  }
}
