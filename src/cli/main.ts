#!/usr/bin/env node
import { readClientConfig } from '../config/client-config.ts'
import { endOnClosedPipe } from './closed-pipe.ts'
import { EXIT } from './exit-codes.ts'
import { runCli } from './run-cli.ts'

endOnClosedPipe()

let controller: AbortController | undefined

/** First Ctrl-C: stop and say so. Second: end at once. `serve` never asks: its supervisor handles signals. */
function interruption(): AbortSignal {
  if (controller) return controller.signal
  const made = new AbortController()
  controller = made
  process.on('SIGINT', () => {
    if (made.signal.aborted) process.exit(EXIT.interrupted)
    made.abort()
  })
  return made.signal
}

process.exitCode = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  config: readClientConfig,
  now: Date.now,
  interruption,
})
