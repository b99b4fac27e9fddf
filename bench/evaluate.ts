/**
 * `npm run evaluate -- NAME [options]`: how good the decisions are, as bench/ says how fast. One file each in
 * bench/evaluate/: a new evaluation is a new file there, nothing is listed here.
 */
import path from 'node:path'
import { runNamed } from './lib/run-named.ts'

const directory = path.join(import.meta.dirname, 'evaluate')
process.exitCode = await runNamed(
  { command: 'evaluate', one: 'evaluation', many: 'Evaluations', directory },
  process.argv.slice(2),
)
