#!/usr/bin/env node
import { readClientConfig } from '../config/client-config.ts'
import { EXIT } from './exit-codes.ts'
import { runCli } from './run-cli.ts'

/** A reader that has seen enough (`zaslon decisions | head`) is no error. */
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
    throw error
  })
}

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
