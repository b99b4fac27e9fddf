/**
 * `npm run fit -- NAME [options]`: fits constants of the score on training data and prints them with what they are worth. One
 * file each in bench/fit/: a new fit is a new file there, nothing is listed here. Nothing is written: whoever takes a
 * constant over puts the figures that justify it beside it.
 */
import path from 'node:path'
import { runNamed } from './lib/run-named.ts'

const directory = path.join(import.meta.dirname, 'fit')
process.exitCode = await runNamed({ command: 'fit', one: 'fit', many: 'Fits', directory }, process.argv.slice(2))
